//! What stands before every page.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Nothing from elsewhere, no inline script or style, in no frame, and forms go nowhere but here.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Refuses foreign host names and foreign forms, and puts the policy on every answer.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let mut response = match refuse(request.method(), request.headers()) {
        Some(why) => why.into_response(),
        None => next.run(request).await,
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

fn refuse(method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    if !is_ours(host) {
        return Some((
            StatusCode::MISDIRECTED_REQUEST,
            "This is not a name of this machine's Sotto: use localhost.\n",
        ));
    }
    if method == Method::GET || method == Method::HEAD {
        return None;
    }
    // Browsers send Origin with every form; a program of the owner's own sends none and has no cookie to be misused.
    match text(header::ORIGIN) {
        Some(origin) if origin.strip_prefix("http://") != Some(host) => {
            Some((StatusCode::FORBIDDEN, "Refused: this form did not come from one of our own pages.\n"))
        }
        _ => None,
    }
}

/// A loopback name, with or without a port.
fn is_ours(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &'static str, origin: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        headers
    }

    #[test]
    fn a_rebound_name_reaches_nothing() {
        for host in ["evil.example", "localhost.evil.example:7380", "127.0.0.1.nip.example", ""] {
            assert!(refuse(&Method::GET, &headers(host, None)).is_some(), "{host}");
        }
        for host in ["localhost:7380", "127.0.0.1:7380", "[::1]:7380", "localhost", "[::1]"] {
            assert!(refuse(&Method::GET, &headers(host, None)).is_none(), "{host}");
        }
    }

    #[test]
    fn a_foreign_form_changes_nothing() {
        let host = "localhost:7380";
        assert!(refuse(&Method::POST, &headers(host, Some("http://evil.example"))).is_some());
        assert!(refuse(&Method::POST, &headers(host, Some("null"))).is_some());
        assert!(refuse(&Method::POST, &headers(host, Some("http://localhost:8080"))).is_some());
        assert!(refuse(&Method::POST, &headers(host, Some("http://localhost:7380"))).is_none());
    }
}
