//! The owner's page: what was heard, played and deleted, in a browser. It works without JavaScript.
//!
//! Architecture Invariant: this crate knows nothing of devices' connections, of sound or of models. It reads and deletes
//! through `history`, and asks for a pairing code through [`PairingCodes`], which the server implements.
//!
//! The pages' defences stand in one place ([`guard`]): a strict content policy, one host name that is this instance's alone
//! (so that its cookies reach no other program, and a rebound name reaches nothing), and changes only from our own pages.

mod activity;
mod assets;
mod devices;
mod guard;
mod hangup;
mod page;
mod sign_in;
mod wav;
mod wave;
mod when;

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Extension, Router};
use base::{AccountId, Clock};
use history::History;

pub use crate::hangup::Hangup;

/// Bytes of a form that are read.
const FORM_BYTES_MAX: usize = 4 * 1024;

/// Whoever can issue a pairing code. Codes are good for one device, a few minutes and five tries.
pub trait PairingCodes: Send + Sync {
    /// A fresh code for a device of this account; `None` when too many are open.
    fn issue(&self, account: AccountId) -> Option<String>;

    /// What the owner shall know of the last code: that others were tried, say.
    fn notice(&self, account: AccountId) -> Option<String> {
        let _ = account;
        None
    }
}

/// What the pages need.
pub struct AppParts {
    /// Accounts, sessions, devices and what was heard.
    pub history: Arc<History>,
    /// Where a code for a new device comes from.
    pub codes: Arc<dyn PairingCodes>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Tells the zone in which times are shown; it may change while the app serves.
    pub zone: Arc<dyn Fn() -> jiff::tz::TimeZone + Send + Sync>,
    /// The host name that this instance alone has, as `sotto-0123abcd.localhost`, without a port.
    pub host: String,
}

/// The app's routes.
pub fn router(parts: AppParts) -> Router {
    let host = Arc::new(guard::Host::new(&parts.host));
    let door = Arc::new(sign_in::Door::new(Arc::clone(&parts.clock)));
    let parts = Arc::new(parts);
    let signed_in = Router::new()
        .route("/", get(|| async { Redirect::to("/activity") }))
        .route("/activity", get(activity::list))
        .route("/activity/{id}/audio.wav", get(activity::audio))
        .route("/activity/{id}/wave.svg", get(activity::wave))
        .route("/activity/{id}/delete", get(activity::confirm_delete).post(activity::delete))
        .route("/devices", get(devices::list))
        .route("/devices/add", post(devices::add))
        .route("/devices/{id}/remove", get(devices::confirm_remove).post(devices::remove))
        .route("/sign-out", post(sign_in::sign_out))
        .route_layer(from_fn_with_state(Arc::clone(&parts), sign_in::require));
    Router::new()
        .merge(signed_in)
        .route("/sign-in", get(sign_in::page).post(sign_in::sign_in).layer(Extension(door)))
        .route("/assets/{name}", get(assets::asset))
        .fallback(page::not_found)
        .layer(axum::extract::DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(from_fn_with_state(host, guard::guard))
        .with_state(parts)
}
