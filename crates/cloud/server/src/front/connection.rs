//! One browser's connection: whole requests in, answers out, each within its time.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower::ServiceExt;

use super::places::{Doing, Place};
use crate::line::Line;
use crate::told_to_stop;

/// Bytes of a request's body; the app's forms have a hundred, and it reads no more than 4 KiB itself.
const BODY_BYTES_MAX: usize = 8 * 1024;
/// Bytes of a request's head, and of an answer that waits to be taken.
const BUFFER_BYTES: usize = 32 * 1024;
/// How long an answer under way may take once the cloud is told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// What a request is told of its connection.
#[derive(Clone)]
struct About {
    peer: SocketAddr,
    line: Line,
}

/// Serves the connection until it ends, its time is over, its place is wanted or the cloud stops.
pub(super) async fn serve_one(
    stream: TcpStream,
    peer: SocketAddr,
    place: Arc<Place>,
    routes: axum::Router,
    stopped: watch::Receiver<bool>,
) {
    let given = Arc::new(AtomicBool::new(false));
    let about = About { peer, line: Line::of(&stream) };
    let stream = Watched { stream, place: Arc::clone(&place), given: Arc::clone(&given) };
    let service =
        service_fn(|request| answer(request, about.clone(), Arc::clone(&place), Arc::clone(&given), routes.clone()));
    let connection = http1::Builder::new().max_buf_size(BUFFER_BYTES).serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // What goes wrong on the way is the browser's, and it knows.
        _ = connection.as_mut() => return,
        () = place.over() => return,
        () = told_to_stop(stopped) => {}
    }
    if place.is_waiting() {
        return;
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = tokio::time::timeout(STOP_WITHIN, connection) => {}
        () = place.over() => {}
    }
}

/// Reads the request whole, then has it answered. Only from then on is the cloud at work, and not the browser.
async fn answer(
    request: Request<Incoming>,
    about: About,
    place: Arc<Place>,
    given: Arc<AtomicBool>,
    routes: axum::Router,
) -> Result<Response<Body>, Infallible> {
    // The head is here: the rest has its own time.
    place.is(Doing::Waiting);
    let (head, body) = request.into_parts();
    let whole = to_bytes(Body::new(body), BODY_BYTES_MAX).await;
    place.is(Doing::Answering);
    let response = match whole {
        Ok(whole) => {
            let mut request = Request::from_parts(head, Body::from(whole));
            request.extensions_mut().insert(ConnectInfo(about.peer));
            request.extensions_mut().insert(about.line.hangup());
            routes.oneshot(request).await?
        }
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    };
    let end = End(given);
    Ok(response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            // Goes with the body, when the last of it has been handed over.
            let _ = &end;
            frame
        }))
    }))
}

/// Notes that an answer has been handed over whole.
struct End(Arc<AtomicBool>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The connection's bytes. When what was handed over has all been taken, it waits for its browser again.
struct Watched {
    stream: TcpStream,
    place: Arc<Place>,
    given: Arc<AtomicBool>,
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Asked for when nothing is left to write.
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() && self.given.swap(false, Ordering::AcqRel) {
            self.place.is(Doing::Waiting);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
