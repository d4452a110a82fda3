//! From templates and errors to answers.

use askama::Template;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use history::HistoryError;
use zeroize::Zeroizing;

/// Why a page cannot be shown. Its text goes to the owner's browser; what the store says goes to the log.
#[derive(Debug)]
pub(crate) enum Problem {
    /// There is no such thing, or it is somebody else's, which must look the same.
    NotFound,
    /// The store failed.
    Store(HistoryError),
    /// The template failed, which is an error of ours.
    Template,
}

impl From<HistoryError> for Problem {
    fn from(why: HistoryError) -> Self {
        Self::Store(why)
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    title: &'a str,
    detail: &'a str,
}

/// Renders a page.
pub(crate) fn show(page: &impl Template) -> Result<Response, Problem> {
    let text = page.render().map_err(|_| Problem::Template)?;
    // It may hold what was said: wiped when the last of it has been written.
    Ok(Html(Bytes::from_owner(Zeroizing::new(text.into_bytes()))).into_response())
}

/// A page for an address that leads nowhere.
pub(crate) async fn not_found() -> Response {
    Problem::NotFound.into_response()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title, detail) = match self {
            Self::NotFound => {
                (StatusCode::NOT_FOUND, "Nothing here", "It may have been deleted, or the address is wrong.")
            }
            Self::Store(why) => {
                tracing::error!(%why, "app.store");
                let detail = "The store could not be read or written. Nothing was changed. The log says why.";
                (StatusCode::INTERNAL_SERVER_ERROR, "That did not work", detail)
            }
            Self::Template => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "That did not work",
                "This page could not be drawn. Nothing was changed.",
            ),
        };
        let text = ProblemPage { title, detail }.render().unwrap_or_else(|_| title.to_owned());
        (status, Html(text)).into_response()
    }
}
