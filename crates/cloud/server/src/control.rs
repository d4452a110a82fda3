//! `/control`: what the owner's commands at this machine may ask of the running cloud. Loopback only, by bearer token.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::account;
use crate::parts::Parts;

/// What the routes need.
pub(crate) struct Control {
    pub(crate) token: String,
    pub(crate) parts: Parts,
    pub(crate) stop: Arc<Notify>,
}

/// The routes.
pub(crate) fn router(control: Arc<Control>) -> axum::Router {
    axum::Router::new()
        .route("/control/status", get(status))
        .route("/control/pairing-code", post(pairing_code))
        .route("/control/reset-password", post(reset_password))
        .route("/control/stop", post(stop))
        .with_state(control)
}

type Answer = Result<Json<Value>, (StatusCode, Json<Value>)>;

async fn status(State(control): State<Arc<Control>>, headers: HeaderMap) -> Answer {
    control.allow(&headers)?;
    let counters = control.parts.gateway.counters();
    Ok(Json(json!({
        "devices_online": control.parts.gateway.devices_online(),
        "streams_opened": counters.streams_opened,
        "audio_bytes_received": counters.audio_bytes_received,
    })))
}

async fn pairing_code(State(control): State<Arc<Control>>, headers: HeaderMap) -> Answer {
    control.allow(&headers)?;
    let code = control.parts.desk.issue(control.parts.owner).map_err(|why| refused(&why.to_string()))?;
    Ok(Json(json!({ "code": code.expose() })))
}

/// The password, which the terminal has shown by now.
#[derive(serde::Deserialize)]
struct NewPassword {
    password: String,
}

async fn reset_password(
    State(control): State<Arc<Control>>,
    headers: HeaderMap,
    Json(new): Json<NewPassword>,
) -> Answer {
    control.allow(&headers)?;
    let password = base::Redacted::new(new.password);
    let set = account::set_now(&control.parts.history, &control.parts.data, password).await;
    set.map_err(|why| refused(&why.to_string()))?;
    Ok(Json(json!({ "reset": true })))
}

async fn stop(State(control): State<Arc<Control>>, headers: HeaderMap) -> Answer {
    control.allow(&headers)?;
    control.stop.notify_one();
    Ok(Json(json!({ "stopping": true })))
}

impl Control {
    fn allow(&self, headers: &HeaderMap) -> Result<(), (StatusCode, Json<Value>)> {
        use subtle::ConstantTimeEq;
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        if given.as_bytes().ct_eq(self.token.as_bytes()).into() {
            Ok(())
        } else {
            Err((StatusCode::UNAUTHORIZED, Json(json!({ "error": "the token is not this cloud's" }))))
        }
    }
}

fn refused(why: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::CONFLICT, Json(json!({ "error": why })))
}
