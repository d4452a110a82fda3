//! What a device may be called. Whoever sets it up, the device and the cloud hold it against the same rule.

use crate::limits::NAME_BYTES_MAX;

/// Why a text is no device's name. Never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing of it can be seen.
    #[error("a device's name is blank")]
    Blank,
    /// Longer than [`NAME_BYTES_MAX`].
    #[error("a device's name has more than {NAME_BYTES_MAX} bytes")]
    Long,
    /// It holds what is no letter and no sign: a control character, or one that changes how others are shown.
    #[error("a device's name holds a character that cannot be shown")]
    Unseen,
}

/// The device's name in `text`: without the space around it, of 1 to [`NAME_BYTES_MAX`] bytes, all of them to be seen.
///
/// # Errors
/// [`NameError`].
pub fn device_name(text: &str) -> Result<&str, NameError> {
    let name = text.trim();
    if name.is_empty() || name.chars().all(|letter| letter.is_whitespace() || is_unseen(letter)) {
        return Err(NameError::Blank);
    }
    if name.chars().any(|letter| letter.is_control() || is_unseen(letter)) {
        return Err(NameError::Unseen);
    }
    if name.len() > NAME_BYTES_MAX { Err(NameError::Long) } else { Ok(name) }
}

/// Unicode's line and paragraph ends, and those of its format characters that hide, or turn around, what stands beside
/// them. The joiners U+200C and U+200D belong to scripts and signs.
const fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_can_be_seen_of_it() {
        for (text, name) in [("Kitchen", "Kitchen"), ("  Küche 2\t", "Küche 2"), ("台所", "台所"), ("🏠", "🏠")]
        {
            assert_eq!(device_name(text), Ok(name));
        }
        for text in ["", " ", "\t\n", "\u{a0}", "\u{200b}", "\u{200b} \u{feff}", "\u{3164}"] {
            assert_eq!(device_name(text), Err(NameError::Blank), "{text:?}");
        }
        for text in ["a\nb", "a\u{1b}[2Jb", "a\0", "\u{202e}nehctiK", "a\u{85}b", "a\u{2028}b"] {
            assert_eq!(device_name(text), Err(NameError::Unseen), "{text:?}");
        }
        let long = "x".repeat(NAME_BYTES_MAX);
        assert_eq!(device_name(&long), Ok(&long[..]));
        assert_eq!(device_name(&format!("{long}x")), Err(NameError::Long));
        assert_eq!(device_name(&"é".repeat(NAME_BYTES_MAX)), Err(NameError::Long));
    }
}
