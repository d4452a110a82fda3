//! A recording as browsers play it: WAV, whole or one range of it (Safari asks for ranges).

use std::ops::Range;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::SAMPLE_RATE_HZ;
use history::{HistoryError, Playback};

use crate::Hangup;

/// Bytes before the first sample.
const HEADER_BYTES: usize = 44;

/// Bytes of the file that are opened and sent at a time: a quarter of a second. What of it the network does not take yet is
/// all that is in memory in the clear.
const PIECE_BYTES: usize = 8 * 1_024;

/// Answers a request for the file, or for `bytes=a-b` of it.
pub(crate) fn answer(playback: Playback, headers: &HeaderMap, hangup: Option<Hangup>) -> Response {
    let file = HEADER_BYTES + playback.bytes();
    let kind = [
        (header::CONTENT_TYPE, HeaderValue::from_static("audio/wav")),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
    ];
    let asked = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let Some(asked) = asked.and_then(|text| text.strip_prefix("bytes=")) else {
        return (kind, [(header::CONTENT_LENGTH, file)], body(playback, 0..file, hangup)).into_response();
    };
    match range(asked, file) {
        Some((first, last)) => {
            let place = [(header::CONTENT_RANGE, format!("bytes {first}-{last}/{file}"))];
            let length = [(header::CONTENT_LENGTH, last + 1 - first)];
            (StatusCode::PARTIAL_CONTENT, kind, place, length, body(playback, first..last + 1, hangup))
                .into_response()
        }
        None => {
            let place = format!("bytes */{file}");
            (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, place)]).into_response()
        }
    }
}

/// Bytes `range` of the file, each piece opened when the one before has been taken. An error (its key is gone) ends the
/// connection in the middle of the answer.
fn body(playback: Playback, range: Range<usize>, hangup: Option<Hangup>) -> Body {
    let state = (playback, range, hangup);
    Body::from_stream(futures_util::stream::try_unfold(state, |(playback, range, hangup)| async move {
        if range.is_empty() {
            if let Some(hangup) = hangup {
                hangup.hold(playback);
            }
            return Ok::<_, HistoryError>(None);
        }
        let (piece, end) = match range.start.checked_sub(HEADER_BYTES) {
            None => {
                let end = range.end.min(HEADER_BYTES);
                (Bytes::copy_from_slice(&head(playback.bytes())[range.start..end]), end)
            }
            Some(from) => {
                let end = range.end.min(range.start + PIECE_BYTES);
                let piece = match playback.piece(from..end - HEADER_BYTES).await {
                    Ok(piece) => piece,
                    Err(why) => {
                        // Its key went a moment ago, and whoever destroys it may find nobody playing any more: what the
                        // kernel has not sent yet is cut off here.
                        if let Some(hangup) = &hangup {
                            hangup.cutter()();
                        }
                        return Err(why);
                    }
                };
                // Wiped when the last of it has been written.
                (Bytes::from_owner(piece), end)
            }
        };
        Ok(Some((piece, (playback, end..range.end, hangup))))
    }))
}

/// What stands before 16 kHz mono PCM in a WAV file.
fn head(data_bytes: usize) -> [u8; HEADER_BYTES] {
    let data_bytes = u32::try_from(data_bytes).unwrap_or(u32::MAX);
    let mut head = [0; HEADER_BYTES];
    head[..4].copy_from_slice(b"RIFF");
    head[4..8].copy_from_slice(&data_bytes.saturating_add(36).to_le_bytes());
    head[8..24].copy_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    head[24..28].copy_from_slice(&SAMPLE_RATE_HZ.to_le_bytes());
    head[28..32].copy_from_slice(&(SAMPLE_RATE_HZ * 2).to_le_bytes());
    head[32..40].copy_from_slice(b"\x02\0\x10\0data");
    head[40..].copy_from_slice(&data_bytes.to_le_bytes());
    head
}

/// The first and last byte that `a-b`, `a-` or `-n` asks for.
fn range(asked: &str, length: usize) -> Option<(usize, usize)> {
    let end = length.checked_sub(1)?;
    let (first, last) = asked.split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", tail) => {
            let tail: usize = tail.parse().ok().filter(|tail| *tail > 0)?;
            Some((length.saturating_sub(tail), end))
        }
        (first, "") => first.parse().ok().filter(|first| *first <= end).map(|first| (first, end)),
        (first, last) => {
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last && first <= end).then_some((first, last.min(end)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_a_waves() {
        let head = head(4);
        assert_eq!(&head[..16], b"RIFF\x28\0\0\0WAVEfmt ");
        assert_eq!(&head[22..32], b"\x01\0\x80\x3e\0\0\0\x7d\0\0");
        assert_eq!(&head[36..], b"data\x04\0\0\0");
    }

    #[test]
    fn ranges_are_served_or_refused() {
        assert_eq!(range("0-1", 10), Some((0, 1)));
        assert_eq!(range("4-", 10), Some((4, 9)));
        assert_eq!(range("-3", 10), Some((7, 9)));
        assert_eq!(range("5-99", 10), Some((5, 9)));
        for bad in ["10-", "5-4", "-0", "-", "", "a-b", "0-1,3-4", "99999999999999999999-"] {
            assert_eq!(range(bad, 10), None, "{bad}");
        }
        assert_eq!(range("0-", 0), None);
    }
}
