//! Signing in: a password, then a session whose token lives in a cookie and whose hash lies in the store.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use base::{AccountId, Redacted};
use history::SignIn;
use serde::Deserialize;

use crate::AppParts;
use crate::page::{Problem, show};

/// The session's cookie. Browsers keep `Secure` and `__Host-` from plain HTTP, and the app is served on the loopback
/// interface only: there, `HttpOnly` and `SameSite=Strict` are what protects it.
const COOKIE: &str = "sotto_session";
/// The account's name where only one exists.
const OWNER: &str = "owner";

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

/// Checks the password and opens a session.
pub(crate) async fn sign_in(
    State(parts): State<Arc<AppParts>>,
    Form(form): Form<SignInForm>,
) -> Result<Response, Problem> {
    let password = Redacted::new(form.password);
    let account = match parts.history.check_password(&form.account, password).await? {
        SignIn::Accepted(account) => account,
        SignIn::Refused => {
            return refused(StatusCode::UNAUTHORIZED, &form.account, "Account and password do not match.");
        }
        SignIn::Wait(wait) => {
            let problem = format!("Too many wrong tries. Try again in {} seconds.", wait.as_secs().max(1));
            return refused(StatusCode::TOO_MANY_REQUESTS, &form.account, &problem);
        }
    };
    let token = parts.history.open_session(account).await?;
    let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict", token.expose());
    redirect_with_cookie("/activity", &cookie)
}

/// Ends the session, here and in the store.
pub(crate) async fn sign_out(State(parts): State<Arc<AppParts>>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(token) = token(&headers) {
        parts.history.close_session(&token).await?;
    }
    redirect_with_cookie("/sign-in", &format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"))
}

fn refused(status: StatusCode, account: &str, problem: &str) -> Result<Response, Problem> {
    let mut response = show(&SignInPage { account, problem: Some(problem) })?;
    *response.status_mut() = status;
    Ok(response)
}

fn redirect_with_cookie(to: &str, cookie: &str) -> Result<Response, Problem> {
    let mut response = Redirect::to(to).into_response();
    let cookie = HeaderValue::from_str(cookie).map_err(|_| Problem::Template)?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

fn token(headers: &HeaderMap) -> Option<Redacted<String>> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, token)| Redacted::new(token.to_owned()))
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
