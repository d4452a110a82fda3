//! The history: listed, played, deleted.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use base::{AccountId, DeviceId, UtteranceId};
use history::{Cause, Details, HistoryError, Row, RowState};
use jiff::ZonedDateTime;
use serde::Deserialize;
use vault::VaultError;

use crate::page::{Problem, show};
use crate::sign_in::Owner;
use crate::{AppParts, Hangup, wav, wave, when};

/// Requests on a page.
const PAGE_ROWS: u32 = 50;
/// Digits of a receipt's number that are shown: enough to tell two apart in conversation.
const RECEIPT_DIGITS: usize = 8;

/// What stands in the place of a request that is lost.
const LOST: &str = "Lost: its key is damaged or gone, so that nobody can open it. You did not ask for that.";
/// What is said once such a line was taken away.
const CLEARED: &str = "Cleared. It was lost before you asked, so there is no receipt.";

/// What the address may say after `?`.
#[derive(Default, Deserialize)]
pub(crate) struct ListQuery {
    before: Option<String>,
    open: Option<String>,
    deleted: Option<String>,
    cleared: Option<String>,
}

#[derive(Template)]
#[template(path = "activity.html")]
struct ActivityPage {
    section: &'static str,
    notice: Option<String>,
    days: Vec<DayView>,
    next: Option<String>,
    opened: Option<String>,
    is_later_page: bool,
    /// How many requests on this page are lost.
    lost: usize,
}

struct DayView {
    name: String,
    rows: Vec<RowView>,
}

struct RowView {
    id: String,
    time: String,
    at_iso: String,
    kept: Option<KeptView>,
    /// What stands in its place where it is not kept.
    gone: String,
    /// It cannot be opened any more, though nobody asked for that.
    lost: bool,
}

struct KeptView {
    transcript: String,
    reply: String,
    device: String,
    cause: &'static str,
    why: String,
    length: String,
    bytes: String,
    preroll: String,
    intent: String,
}

#[derive(Template)]
#[template(path = "delete.html")]
struct DeletePage {
    id: String,
    transcript: String,
    device: String,
    when: String,
    lost: bool,
}

/// The list, newest first.
pub(crate) async fn list(
    State(parts): State<Arc<AppParts>>,
    Extension(Owner(account)): Extension<Owner>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let before = match &query.before {
        Some(text) => Some(text.parse().map_err(|_| Problem::NotFound)?),
        None => None,
    };
    let page = parts.history.page(account, before, PAGE_ROWS).await?;
    let devices = device_names(&parts, account).await?;
    let now = when::local(parts.clock.now(), &(parts.zone)());
    let lost = page.rows.iter().filter(|row| row.state == RowState::Lost).count();
    let mut days: Vec<DayView> = Vec::new();
    for row in page.rows {
        let at = when::local(row.at, &(parts.zone)());
        let name = when::day(&at, &now);
        if days.last().is_none_or(|day| day.name != name) {
            days.push(DayView { name, rows: Vec::new() });
        }
        if let Some(day) = days.last_mut() {
            day.rows.push(RowView::of(&row, &at, &devices));
        }
    }
    show(&ActivityPage {
        section: "activity",
        notice: match query.cleared {
            Some(_) => Some(CLEARED.to_owned()),
            None => query.deleted.as_deref().and_then(deleted_notice),
        },
        days,
        next: page.next.map(|cursor| cursor.to_string()),
        opened: query.open,
        is_later_page: before.is_some(),
        lost,
    })
}

/// The recording, as browsers play it.
pub(crate) async fn audio(
    State(parts): State<Arc<AppParts>>,
    Extension(Owner(account)): Extension<Owner>,
    hangup: Option<Extension<Hangup>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let hangup = hangup.map(|Extension(hangup)| hangup);
    let cut = hangup.as_ref().map(Hangup::cutter);
    let end = move || {
        if let Some(cut) = &cut {
            cut();
        }
    };
    let playback = parts.history.play(account, parse(&id)?, end).await.map_err(or_not_found)?;
    Ok(wav::answer(playback, &headers, hangup))
}

/// The recording, drawn.
pub(crate) async fn wave(
    State(parts): State<Arc<AppParts>>,
    Extension(Owner(account)): Extension<Owner>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = parse(&id)?;
    let row = parts.history.utterance(account, id).await.map_err(or_not_found)?;
    let RowState::Sealed { details, .. } = &row.state else { return Err(Problem::NotFound) };
    let samples = parts.history.audio(account, id).await.map_err(or_not_found)?;
    let picture = wave::svg(samples.expose(), usize::try_from(details.preroll.0).unwrap_or(usize::MAX));
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], picture).into_response())
}

/// Says what will be deleted, and asks.
pub(crate) async fn confirm_delete(
    State(parts): State<Arc<AppParts>>,
    Extension(Owner(account)): Extension<Owner>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let row = parts.history.utterance(account, parse(&id)?).await.map_err(or_not_found)?;
    let at = when::local(row.at, &(parts.zone)());
    let now = when::local(parts.clock.now(), &(parts.zone)());
    let (device, transcript) = match &row.state {
        RowState::Sealed { device, details } => {
            let devices = device_names(&parts, account).await?;
            (name_of(&devices, *device), details.transcript.expose().clone())
        }
        RowState::Unreadable => ("Unreadable".into(), String::new()),
        RowState::Lost => ("Lost".into(), String::new()),
        RowState::Deleted(_) => return Err(Problem::NotFound),
    };
    show(&DeletePage {
        id: row.id.to_string(),
        transcript,
        device,
        lost: row.state == RowState::Lost,
        when: format!("{}, {}", when::day(&at, &now), when::time(&at)),
    })
}

/// Deletes it.
pub(crate) async fn delete(
    State(parts): State<Arc<AppParts>>,
    Extension(Owner(account)): Extension<Owner>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = parse(&id)?;
    let receipt = match parts.history.delete(account, id).await {
        Ok(receipt) | Err(HistoryError::Deleted(receipt)) => receipt,
        Err(HistoryError::Lost) => {
            parts.history.clear_lost(account, id).await.map_err(or_not_found)?;
            return Ok(Redirect::to("/activity?cleared=1").into_response());
        }
        Err(why) => return Err(or_not_found(why)),
    };
    let number = short(&receipt.number.to_string());
    Ok(Redirect::to(&format!("/activity?deleted={number}")).into_response())
}

impl RowView {
    fn of(row: &Row, at: &ZonedDateTime, devices: &BTreeMap<DeviceId, String>) -> Self {
        let (kept, gone) = match &row.state {
            RowState::Sealed { device, details } => {
                (Some(KeptView::of(details, name_of(devices, *device))), String::new())
            }
            RowState::Deleted(receipt) => (None, format!("Deleted · receipt {}", short(&receipt.number.to_string()))),
            RowState::Unreadable => (None, "Does not open: it was changed, or is being deleted".into()),
            RowState::Lost => (None, LOST.into()),
        };
        let lost = row.state == RowState::Lost;
        let at_iso = at.timestamp().to_string();
        Self { id: row.id.to_string(), time: when::time(at), at_iso, kept, gone, lost }
    }
}

impl KeptView {
    fn of(details: &Details, device: String) -> Self {
        let (cause, why) = match &details.cause {
            Cause::Wake { word, score, .. } => {
                // A score is no certainty.
                let percent = (score * 100.0).round().min(99.0);
                ("Wake word", format!("It heard “{}” ({percent}\u{a0}%)", capital(word)))
            }
            Cause::Button => ("Button", "Its action button was pressed".into()),
            Cause::Answer => ("Answer", "It had asked a question".into()),
            Cause::FollowUp => ("Follow-up", "Follow-Up Mode was listening".into()),
            Cause::Enrolment => ("Enrolment", "A voice was being enrolled at the device".into()),
        };
        Self {
            transcript: details.transcript.expose().clone(),
            reply: details.reply.expose().clone(),
            device,
            cause,
            why,
            length: format!("{:.1} s", details.length.seconds()),
            bytes: format!("{:.0} kB", details.length.bytes() as f64 / 1e3),
            preroll: format!("{:.2} s", details.preroll.seconds()),
            intent: details
                .intent
                .as_ref()
                .map_or_else(|| "Nothing it knows".into(), |intent| plain(intent.name.expose())),
        }
    }
}

/// "HassGetCurrentTime" reads as "Get current time".
fn plain(intent: &str) -> String {
    let mut words = String::new();
    for (at, letter) in intent.trim_start_matches("Hass").chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            words.push(' ');
            words.extend(letter.to_lowercase());
        } else {
            words.push(letter);
        }
    }
    words
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

async fn device_names(parts: &AppParts, account: AccountId) -> Result<BTreeMap<DeviceId, String>, Problem> {
    let devices = parts.history.devices(account).await?;
    Ok(devices.into_iter().map(|device| (device.id, device.name.expose().clone())).collect())
}

fn name_of(devices: &BTreeMap<DeviceId, String>, id: DeviceId) -> String {
    devices.get(&id).cloned().unwrap_or_else(|| "A device since removed".into())
}

fn parse(id: &str) -> Result<UtteranceId, Problem> {
    id.parse().map_err(|_| Problem::NotFound)
}

fn or_not_found(why: HistoryError) -> Problem {
    match why {
        HistoryError::NotFound | HistoryError::Deleted(_) | HistoryError::Lost => Problem::NotFound,
        HistoryError::Vault(VaultError::Destroyed) => Problem::NotFound,
        other => Problem::Store(other),
    }
}

fn short(receipt: &str) -> String {
    receipt.chars().take(RECEIPT_DIGITS).collect::<String>().to_uppercase()
}

/// What the page says after a deletion. The number comes back from the address, so only a number is taken.
fn deleted_notice(number: &str) -> Option<String> {
    let is_number = number.len() == RECEIPT_DIGITS && number.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_number.then(|| format!("Deleted. Receipt {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_receipts_number_comes_back_from_the_address() {
        assert_eq!(deleted_notice("7F3A00C1").as_deref(), Some("Deleted. Receipt 7F3A00C1"));
        for bad in ["", "7F3A", "<b>hello", "7F3A00C1 and more"] {
            assert_eq!(deleted_notice(bad), None, "{bad}");
        }
    }

    #[test]
    fn intents_read_as_words() {
        assert_eq!(plain("HassGetCurrentTime"), "Get current time");
        assert_eq!(plain(""), "");
    }
}
