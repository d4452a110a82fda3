//! Signing in: a password, then a session whose token lives in a cookie and whose hash lies in the store.

mod known;
mod line;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use base::{AccountId, Clock, Redacted};
use history::SignIn;
use serde::Deserialize;

use crate::AppParts;
use crate::page::{Problem, show};
use crate::sign_in::known::KnownBrowsers;
use crate::sign_in::line::Line;

/// The session's cookie. Browsers keep `Secure` and `__Host-` from plain HTTP, and the app is served on the loopback
/// interface only: there, `HttpOnly`, `SameSite=Strict` and a host name of its own ([`crate::guard`]) are what protects it.
const COOKIE: &str = "sotto_session";
/// The account's name where only one exists.
const OWNER: &str = "owner";

/// Where passwords are tried: in the line of strangers, or past it where somebody has signed in before.
pub(crate) struct Door {
    clock: Arc<dyn Clock>,
    line: Line,
    /// None where the machine gives no random bytes: then all are strangers.
    browsers: Option<KnownBrowsers>,
}

impl Door {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { line: Line::new(Arc::clone(&clock)), browsers: KnownBrowsers::new(), clock }
    }
}

/// Who is signed in; put into each request by [`require`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner(pub(crate) AccountId);

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    account: &'a str,
    problem: Option<&'a str>,
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct SignInForm {
    account: String,
    password: String,
}

/// Lets a request through that bears a living session; sends others to sign in.
pub(crate) async fn require(
    State(parts): State<Arc<AppParts>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let account = match token(request.headers()) {
        Some(token) => parts.history.session(&token).await?,
        None => None,
    };
    let Some(account) = account else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    request.extensions_mut().insert(Owner(account));
    Ok(next.run(request).await)
}

/// The page with the form.
pub(crate) async fn page() -> Result<Response, Problem> {
    show(&SignInPage { account: OWNER, problem: None })
}

/// Checks the password, when it is its turn, and opens a session.
pub(crate) async fn sign_in(
    State(parts): State<Arc<AppParts>>,
    Extension(door): Extension<Arc<Door>>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Form(form): Form<SignInForm>,
) -> Result<Response, Problem> {
    let password = Redacted::new(form.password);
    let now = door.clock.elapsed();
    let known = door.browsers.as_ref().and_then(|browsers| {
        let id = browsers.known(&cookie(&headers, known::COOKIE)?, &form.account, now)?;
        browsers.try_taken(id, now);
        Some((browsers, id))
    });
    let turn = match known {
        Some(_) => None,
        None => {
            let address = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |Extension(ConnectInfo(peer))| peer.ip());
            let Ok(turn) = door.line.turn(address).await else {
                let problem = "Many passwords are being tried just now, and this one was not looked at. Try again.";
                return refused(StatusCode::TOO_MANY_REQUESTS, &form.account, problem);
            };
            Some(turn)
        }
    };
    let SignIn::Accepted(account) = parts.history.check_password(&form.account, password).await? else {
        return refused(StatusCode::UNAUTHORIZED, &form.account, "Account and password do not match.");
    };
    if let Some(turn) = turn {
        turn.was_right();
    }
    if let Some((browsers, id)) = known {
        browsers.was_right(id);
    }
    let token = parts.history.open_session(account).await?;
    let mut response = redirect_with_cookie("/activity", COOKIE, &format!("{}; Path=/", token.expose()))?;
    if let Some(known) = door.browsers.as_ref().and_then(|browsers| browsers.cookie(&form.account)) {
        let life = known::COOKIE_LIFE.as_secs();
        add_cookie(&mut response, known::COOKIE, &format!("{known}; Path=/sign-in; Max-Age={life}"))?;
    }
    Ok(response)
}

/// Ends the session, here and in the store.
pub(crate) async fn sign_out(State(parts): State<Arc<AppParts>>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(token) = token(&headers) {
        parts.history.close_session(&token).await?;
    }
    redirect_with_cookie("/sign-in", COOKIE, "; Path=/; Max-Age=0")
}

/// Takes the session's cookie from a host name that every port shares: earlier versions set it there.
pub(crate) fn forget_shared_cookie(headers: &HeaderMap, response: &mut Response) {
    if token(headers).is_some() {
        // An answer without it is as good as before.
        let _ = add_cookie(response, COOKIE, "; Path=/; Max-Age=0");
    }
}

fn refused(status: StatusCode, account: &str, problem: &str) -> Result<Response, Problem> {
    let mut response = show(&SignInPage { account, problem: Some(problem) })?;
    *response.status_mut() = status;
    Ok(response)
}

fn redirect_with_cookie(to: &str, name: &str, value: &str) -> Result<Response, Problem> {
    let mut response = Redirect::to(to).into_response();
    add_cookie(&mut response, name, value)?;
    Ok(response)
}

/// For this host alone (there is no `Domain`), for no script, and for no request that another site begins.
fn add_cookie(response: &mut Response, name: &str, value: &str) -> Result<(), Problem> {
    let cookie = format!("{name}={value}; HttpOnly; SameSite=Strict");
    let cookie = HeaderValue::from_str(&cookie).map_err(|_| Problem::Template)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(())
}

fn token(headers: &HeaderMap) -> Option<Redacted<String>> {
    cookie(headers, COOKIE).map(Redacted::new)
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let headers = HeaderMap::from_iter([(
            header::COOKIE,
            HeaderValue::from_static("a=b; sotto_session=abc; xsotto_session=no"),
        )]);
        assert_eq!(token(&headers).expect("found").expose(), "abc");
        assert!(token(&HeaderMap::new()).is_none());
    }
}
