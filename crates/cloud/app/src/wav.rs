//! A recording as browsers play it: WAV, whole or one range of it (Safari asks for ranges).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::SAMPLE_RATE_HZ;
use base::units::BYTES_PER_SAMPLE;

/// Bytes before the first sample.
const HEADER_BYTES: usize = 44;

/// 16 kHz mono PCM as a WAV file.
pub(crate) fn wav(samples: &[i16]) -> Vec<u8> {
    let data_bytes = u32::try_from(samples.len() * BYTES_PER_SAMPLE).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(HEADER_BYTES + samples.len() * BYTES_PER_SAMPLE);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&data_bytes.saturating_add(36).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&SAMPLE_RATE_HZ.to_le_bytes());
    file.extend_from_slice(&(SAMPLE_RATE_HZ * 2).to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&data_bytes.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

/// Answers a request for the file, or for `bytes=a-b` of it.
pub(crate) fn answer(file: Vec<u8>, headers: &HeaderMap) -> Response {
    let kind = [
        (header::CONTENT_TYPE, HeaderValue::from_static("audio/wav")),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
    ];
    let asked = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let Some(asked) = asked.and_then(|text| text.strip_prefix("bytes=")) else {
        return (kind, file).into_response();
    };
    match range(asked, file.len()) {
        Some((first, last)) => {
            let place = format!("bytes {first}-{last}/{}", file.len());
            (StatusCode::PARTIAL_CONTENT, kind, [(header::CONTENT_RANGE, place)], file[first..=last].to_vec())
                .into_response()
        }
        None => {
            let place = format!("bytes */{}", file.len());
            (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, place)]).into_response()
        }
    }
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
        let file = wav(&[1, -2]);
        assert_eq!(file.len(), HEADER_BYTES + 4);
        assert_eq!(&file[..16], b"RIFF\x28\0\0\0WAVEfmt ");
        assert_eq!(&file[40..], b"\x04\0\0\0\x01\0\xfe\xff");
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
