//! What stands before every page.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::sign_in;

/// Nothing from elsewhere, no inline script or style, in no frame, and forms go nowhere but here.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The host name that is this instance's alone.
///
/// A cookie is sent to every port of the host name that set it. Were that `localhost`, any other program at the machine would
/// be sent the session, and two instances would sign each other out. Names under `localhost` lead to this machine as well (RFC
/// 6761, 6.3), and share nothing.
pub(crate) struct Host {
    name: String,
}

/// What becomes of a request by its host name.
#[derive(Debug, PartialEq, Eq)]
enum Named {
    /// It is ours.
    Ours,
    /// It names this machine: the same path under our own name, with the port that was asked for, is the answer.
    ThisMachine { port: String },
    /// It is anybody's: a name that was rebound to this machine, say.
    Other,
}

impl Host {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_ascii_lowercase() }
    }

    fn named(&self, host: &str) -> Named {
        let host = host.to_ascii_lowercase();
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
            _ => (host.as_str(), ""),
        };
        if name == self.name {
            Named::Ours
        } else if matches!(name, "localhost" | "127.0.0.1" | "[::1]") {
            Named::ThisMachine { port: port.to_owned() }
        } else {
            Named::Other
        }
    }

    /// The same page under our own name; the method stays what it is.
    fn redirect(&self, port: &str, request: &Request) -> Response {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let port = if port.is_empty() { String::new() } else { format!(":{port}") };
        let place = format!("http://{}{port}{path}", self.name);
        let text = format!(
            "This Sotto is at http://{}{port}\nA browser that does not find it: docs/OPERATE.md, \"The app's address\".\n",
            self.name
        );
        let Ok(place) = HeaderValue::from_str(&place) else { return StatusCode::BAD_REQUEST.into_response() };
        let mut response = (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)], text).into_response();
        sign_in::forget_shared_cookie(request.headers(), &mut response);
        response
    }
}

/// Sends requests to our own host name, refuses foreign names and foreign forms, and puts the policy on every answer.
pub(crate) async fn guard(State(ours): State<Arc<Host>>, request: Request, next: Next) -> Response {
    let host = text(request.headers(), header::HOST).unwrap_or_default();
    let mut response = match ours.named(host) {
        Named::ThisMachine { port } => ours.redirect(&port, &request),
        Named::Other => {
            let text = "This is not a name of this Sotto: use the address that sotto up and sotto status print.\n";
            (StatusCode::MISDIRECTED_REQUEST, text).into_response()
        }
        Named::Ours => match refuse(request.method(), host, request.headers()) {
            Some(why) => why.into_response(),
            None => next.run(request).await,
        },
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not "no-referrer": with that, browsers hide the Origin of our own forms, by which they are told from foreign ones.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    // What is private must not outlive its deletion in a browser's cache.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn refuse(method: &Method, host: &str, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    if method == Method::GET || method == Method::HEAD {
        return None;
    }
    // Browsers send Origin with every form; a program of the owner's own sends none and has no cookie to be misused.
    match text(headers, header::ORIGIN) {
        Some(origin) if origin.strip_prefix("http://") != Some(host) => {
            Some((StatusCode::FORBIDDEN, "Refused: this form did not come from one of our own pages.\n"))
        }
        _ => None,
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "sotto-0123abcd.localhost";

    #[test]
    fn its_own_name_is_served_this_machines_lead_there_and_a_rebound_one_reaches_nothing() {
        let ours = Host::new(HOST);
        for host in [HOST, "sotto-0123abcd.localhost:7380", "SOTTO-0123ABCD.LocalHost:80"] {
            assert_eq!(ours.named(host), Named::Ours, "{host}");
        }
        for (host, port) in [
            ("localhost:7380", "7380"),
            ("127.0.0.1:7380", "7380"),
            ("[::1]:7380", "7380"),
            ("localhost", ""),
            ("[::1]", ""),
            ("LOCALHOST:1", "1"),
        ] {
            assert_eq!(ours.named(host), Named::ThisMachine { port: port.into() }, "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example:7380",
            "127.0.0.1.nip.example",
            "sotto-00000000.localhost:7380",
            "x.sotto-0123abcd.localhost",
            "sotto-0123abcd.localhost.",
            "localhost:7380@evil.example",
            "localhost:",
            "127.1",
        ] {
            assert_eq!(ours.named(host), Named::Other, "{host}");
        }
    }

    #[test]
    fn a_foreign_form_changes_nothing() {
        let host = "sotto-0123abcd.localhost:7380";
        let refused = |origin: &'static str| {
            let headers = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))]);
            refuse(&Method::POST, host, &headers).is_some()
        };
        for origin in ["http://evil.example", "null", "http://localhost:7380", "http://sotto-0123abcd.localhost:8080"]
        {
            assert!(refused(origin), "{origin}");
        }
        assert!(!refused("http://sotto-0123abcd.localhost:7380"));
    }
}
