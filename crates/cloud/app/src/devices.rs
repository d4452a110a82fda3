//! The devices: which there are, how to add one, how to refuse one.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use base::{AccountId, DeviceId};
use history::Device;

use crate::page::{Problem, show};
use crate::sign_in::Owner;
use crate::{AppParts, when};

#[derive(Template)]
#[template(path = "devices.html")]
struct DevicesPage {
    section: &'static str,
    notice: Option<String>,
    devices: Vec<DeviceView>,
}

struct DeviceView {
    id: String,
    name: String,
    added: String,
    revoked: bool,
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodePage {
    code: String,
    /// The same without the gap that eyes like and a command line does not.
    typed: String,
    minutes: u64,
}

#[derive(Template)]
#[template(path = "remove_device.html")]
struct RemovePage {
    id: String,
    name: String,
}

/// The list.
pub(crate) async fn list(
    State(parts): State<Arc<AppParts>>,
    Extension(Owner(account)): Extension<Owner>,
) -> Result<Response, Problem> {
    let now = when::local(parts.clock.now(), &(parts.zone)());
    let devices = parts.history.devices(account).await?;
    let view = |device: Device| {
        let added = when::local(device.added, &(parts.zone)());
        DeviceView {
            id: device.id.to_string(),
            name: device.name.expose().clone(),
            added: format!("{}, {}", when::day_amid(&added, &now), when::time(&added)),
            revoked: device.revoked.is_some(),
        }
    };
    let devices = devices.into_iter().map(view).collect();
    show(&DevicesPage { section: "devices", notice: parts.codes.notice(account), devices })
}

/// Shows a fresh pairing code.
pub(crate) async fn add(
    State(parts): State<Arc<AppParts>>,
    Extension(Owner(account)): Extension<Owner>,
) -> Result<Response, Problem> {
    match parts.codes.issue(account) {
        Some(code) => {
            let typed = code.replace(' ', "");
            show(&CodePage { code, typed, minutes: base::limits::PAIRING_CODE_LIFE.as_secs() / 60 })
        }
        None => Ok((StatusCode::TOO_MANY_REQUESTS, "Too many codes are open. Wait ten minutes.\n").into_response()),
    }
}

/// Says what removing means, and asks.
pub(crate) async fn confirm_remove(
    State(parts): State<Arc<AppParts>>,
    Extension(Owner(account)): Extension<Owner>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let device = own(&parts, account, &id).await?;
    show(&RemovePage { id: device.id.to_string(), name: device.name.expose().clone() })
}

/// Refuses the device from now on.
pub(crate) async fn remove(
    State(parts): State<Arc<AppParts>>,
    Extension(Owner(account)): Extension<Owner>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let device = own(&parts, account, &id).await?;
    parts.history.revoke_device(account, device.id).await?;
    Ok(Redirect::to("/devices").into_response())
}

async fn own(parts: &AppParts, account: AccountId, id: &str) -> Result<Device, Problem> {
    let id: DeviceId = id.parse().map_err(|_| Problem::NotFound)?;
    let devices = parts.history.devices(account).await?;
    devices.into_iter().find(|device| device.id == id && device.revoked.is_none()).ok_or(Problem::NotFound)
}
