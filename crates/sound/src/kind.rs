//! What a file is, by its first bytes: so that sound in a format that is not read is called by its name.

use crate::wav_file::Family;

/// Bytes by which a file's kind is known.
pub(crate) const HEAD_BYTES: usize = 64;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Empty,
    /// It ends within the first letters of a format that is read.
    Cut,
    Wav(Family),
    Aiff,
    Au,
    Flac,
    Ogg,
    /// Words about the sound (ID3v2), so many bytes of them, and then the sound.
    Tagged(u64),
    /// Another format, by its name.
    Foreign(&'static str),
    /// Letters and no sound.
    Text,
    Unknown,
}

/// What begins with these bytes.
pub(crate) fn of(head: &[u8]) -> Kind {
    match head {
        [] => Kind::Empty,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Kind::Wav(Family::Riff),
        [b'R', b'I', b'F', b'X', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Kind::Wav(Family::Rifx),
        [b'R', b'F', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E', ..]
        | [b'B', b'W', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Kind::Wav(Family::Rf64),
        [b'r', b'i', b'f', b'f', 0x2e, 0x91, 0xcf, 0x11, ..] => Kind::Wav(Family::Wave64),
        [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C', ..] => Kind::Aiff,
        // Not even a whole header.
        [b'R', b'I', b'F', b'F' | b'X', rest @ ..] | [b'F', b'O', b'R', b'M', rest @ ..] if rest.len() < 8 => {
            Kind::Cut
        }
        [b'.', b's', b'n', b'd', ..] => Kind::Au,
        [b'f', b'L', b'a', b'C', ..] => Kind::Flac,
        [b'O', b'g', b'g', b'S', ..] => Kind::Ogg,
        [b'I', b'D', b'3', _, _, flags, a, b, c, d, ..] => {
            let bytes = [a, b, c, d].iter().fold(0, |sum, byte| sum << 7 | u64::from(**byte & 0x7f));
            let footer = if flags & 0x10 == 0 { 0 } else { 10 };
            Kind::Tagged(10 + bytes + footer)
        }
        _ => foreign(head).map_or_else(|| if is_text(head) { Kind::Text } else { Kind::Unknown }, Kind::Foreign),
    }
}

/// The formats that people have sound in, and others that it comes inside of.
fn foreign(head: &[u8]) -> Option<&'static str> {
    const BEGINNINGS: [(&[u8], &str); 30] = [
        (b"\x1a\x45\xdf\xa3", "WebM or Matroska"),
        (b"#!AMR", "AMR"),
        (b"#!SILK", "SILK"),
        (b"caff", "CAF"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (WMA)"),
        (b"ADIF", "AAC"),
        (b"wvpk", "WavPack"),
        (b"MAC ", "Monkey's Audio"),
        (b"MPCK", "Musepack"),
        (b"MP+", "Musepack"),
        (b"TTA1", "True Audio"),
        (b"DSD ", "DSD"),
        (b"FRM8", "DSD"),
        (b"NIST_1A", "NIST SPHERE"),
        (b"Creative Voice File", "VOC"),
        (b"FLV", "Flash video"),
        (b".RMF", "RealMedia"),
        (b".ra\xfd", "RealAudio"),
        (b"MThd", "MIDI, which holds notes and no sound"),
        (b"dns.", "AU with the lowest byte first"),
        (b"OpusHead", "Opus outside of Ogg"),
        (b"\x0b\x77", "AC-3"),
        (b"\x7f\xfe\x80\x01", "DTS"),
        (b"\x00\x00\x01\xba", "MPEG video"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "compressed with gzip"),
        (b"\xfd7zXZ", "compressed with xz"),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
        (b"ajkg", "Shorten"),
        (b"2BIT", "AVR"),
    ];
    if let Some((_, name)) = BEGINNINGS.iter().find(|(beginning, _)| head.starts_with(beginning)) {
        return Some(name);
    }
    match head {
        [_, _, _, _, b'f', b't', b'y', b'p', b'3', b'g', ..] => Some("3GP"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("MP4 or M4A (AAC or ALAC)"),
        [_, _, _, _, b'm', b'o', b'o', b'v', ..]
        | [_, _, _, _, b'm', b'd', b'a', b't', ..]
        | [_, _, _, _, b'w', b'i', b'd', b'e', ..] => Some("QuickTime"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => Some("AVI video"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'Q', b'L', b'C', b'M', ..] => Some("QCP"),
        [b'R', b'I', b'F', b'F', _, _, _, _, _, ..] => Some("RIFF with something else than WAV in it"),
        [b'F', b'O', b'R', b'M', _, _, _, _, b'8', b'S', b'V', b'X', ..] => Some("8SVX"),
        // Layer 0 is how AAC differs from MPEG audio; of the latter a rate of 15 or 3 is none.
        [0xff, b, ..] if b & 0xf6 == 0xf0 => Some("AAC"),
        [0xff, b, c, ..]
            if b & 0xe0 == 0xe0 && b & 0x18 != 0x08 && b & 6 != 0 && c >> 4 != 15 && c & 0x0c != 0x0c =>
        {
            Some(if b & 6 == 2 { "MP3" } else { "MPEG audio" })
        }
        [0x56, b, ..] if b & 0xe0 == 0xe0 => Some("AAC"),
        _ => None,
    }
}

/// Letters, digits and their like alone; the last ones may be cut.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or(""),
        Err(_) => return false,
    };
    !text.is_empty()
        && !text.chars().any(|letter| letter.is_control() && !letter.is_ascii_whitespace() && letter != '\u{1b}')
}
