//! Token numbers to text: byte-level pair encoding, read backwards.

use std::collections::HashMap;

use crate::AsrError;

const VOCABULARY_BYTES_MAX: usize = 8 * 1_024 * 1_024;
const N_TOKENS_MAX: usize = 100_000;
const TOKEN_BYTES_MAX: usize = 1_024;

/// Whisper's multilingual vocabularies have at least this many tokens, the English ones fewer.
const N_TOKENS_MULTILINGUAL_MIN: usize = 51_865;

/// The tokens of a model, each as the bytes it stands for, and the few that steer the decoder.
#[derive(Debug)]
pub struct Vocabulary {
    tokens: Vec<Vec<u8>>,
    /// The tokens in the order of their bytes.
    sorted: Vec<u32>,
    prompt: Vec<u32>,
    end: u32,
    no_speech: Option<u32>,
    start_of_previous: Option<u32>,
}

impl Vocabulary {
    /// Reads `vocabulary.txt`, a token a line, or `vocabulary.json`, a list of texts.
    ///
    /// # Errors
    ///
    /// Where the file is neither, or lacks the tokens that every Whisper has.
    pub fn parse(bytes: &[u8]) -> Result<Self, AsrError> {
        if VOCABULARY_BYTES_MAX < bytes.len() {
            return Err(AsrError::BadVocabulary("it is too long"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| AsrError::BadVocabulary("it is not text"))?;
        // A vocabulary of lines begins with "!", so that a bracket and a quotation mark tell the two apart.
        let words: Vec<String> = if text.trim_start().starts_with("[") && text.trim_end().ends_with("]") {
            serde_json::from_str(text).map_err(|_| AsrError::BadVocabulary("it is not a list of texts"))?
        } else {
            text.lines().map(str::to_owned).collect()
        };
        Self::from_words(&words)
    }

    fn from_words(words: &[String]) -> Result<Self, AsrError> {
        if words.is_empty() || N_TOKENS_MAX < words.len() {
            return Err(AsrError::BadVocabulary("its number of tokens is out of range"));
        }
        if words.iter().any(|word| TOKEN_BYTES_MAX < word.len()) {
            return Err(AsrError::BadVocabulary("a token is too long"));
        }
        let find = |name: &str| words.iter().position(|word| word == name).and_then(|at| u32::try_from(at).ok());
        let need = |name: &str| find(name).ok_or(AsrError::BadVocabulary("it is not a Whisper's"));
        let is_multilingual = N_TOKENS_MULTILINGUAL_MIN <= words.len();
        let language: &[&str] = if is_multilingual { &["<|en|>", "<|transcribe|>"] } else { &[] };
        let prompt = ["<|startoftranscript|>"].iter().chain(language).chain(&["<|notimestamps|>"]);
        let prompt = prompt.map(|name| need(name)).collect::<Result<_, _>>()?;
        let end = need("<|endoftext|>")?;
        let no_speech = find("<|nospeech|>").or_else(|| find("<|nocaptions|>"));
        let bytes_of_chars = bytes_of_chars();
        let bytes_of = |word: &String| {
            let is_steering = word.starts_with("<|") && word.ends_with("|>");
            if is_steering {
                Vec::new()
            } else {
                word.chars().filter_map(|c| bytes_of_chars.get(&c).copied()).collect()
            }
        };
        let tokens: Vec<Vec<u8>> = words.iter().map(bytes_of).collect();
        let mut sorted: Vec<u32> = (0_u32..).take(tokens.len()).collect();
        sorted.sort_by_key(|token| &tokens[*token as usize]);
        Ok(Self { tokens, sorted, prompt, end, no_speech, start_of_previous: find("<|startofprev|>") })
    }

    /// How many tokens there are.
    #[must_use]
    pub fn n_tokens(&self) -> usize {
        self.tokens.len()
    }

    /// The bytes that a token stands for; none for one that steers the decoder or does not exist.
    #[must_use]
    pub fn bytes(&self, token: u32) -> &[u8] {
        usize::try_from(token).ok().and_then(|token| self.tokens.get(token)).map_or(&[], Vec::as_slice)
    }

    /// Whether two tokens are one word, whatever their capitals and the space before them.
    pub(crate) fn is_alike(&self, a: u32, b: u32) -> bool {
        self.bytes(a).trim_ascii().eq_ignore_ascii_case(self.bytes(b).trim_ascii())
    }

    /// The text of several tokens. Bytes that do not make a character become its replacement.
    #[must_use]
    pub fn text(&self, tokens: &[u32]) -> String {
        let bytes: Vec<u8> = tokens.iter().flat_map(|token| self.bytes(*token)).copied().collect();
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }

    /// The tokens that the vocabulary's own training would write `text` in; none where it lacks a byte of it. Of all
    /// neighbours, those whose joined token came first into the vocabulary are joined first (byte-pair encoding, where
    /// a token's number is the rank of its merge).
    #[must_use]
    pub fn tokens(&self, text: &str) -> Option<Vec<u32>> {
        let mut tokens: Vec<u32> = text.bytes().map(|byte| self.find(&[byte])).collect::<Option<_>>()?;
        loop {
            let joined = |pair: &[u32]| self.find(&[self.bytes(pair[0]), self.bytes(pair[1])].concat());
            let merges = tokens.windows(2).enumerate().filter_map(|(at, pair)| Some((joined(pair)?, at)));
            let Some((token, at)) = merges.min() else { return Some(tokens) };
            tokens.splice(at..at + 2, [token]);
        }
    }

    /// The token of exactly these bytes, the first where there are several.
    fn find(&self, bytes: &[u8]) -> Option<u32> {
        let at = self.sorted.partition_point(|token| self.bytes(*token) < bytes);
        self.sorted.get(at).copied().filter(|token| !bytes.is_empty() && self.bytes(*token) == bytes)
    }

    /// What the decoder is given before the first word: English, as text, without time stamps.
    pub(crate) fn prompt(&self) -> &[u32] {
        &self.prompt
    }

    pub(crate) const fn end(&self) -> u32 {
        self.end
    }

    pub(crate) const fn no_speech(&self) -> Option<u32> {
        self.no_speech
    }

    /// What stands before text that was said before.
    pub(crate) const fn start_of_previous(&self) -> Option<u32> {
        self.start_of_previous
    }

    /// The tokens that steer the decoder, the end among them.
    pub(crate) fn steering(&self) -> impl Iterator<Item = usize> {
        self.tokens.iter().enumerate().filter(|(_, bytes)| bytes.is_empty()).map(|(token, _)| token)
    }
}

/// The alphabet of byte-level pair encoding: printable bytes stand for themselves, the others take the characters
/// from U+0100 on, in order.
fn bytes_of_chars() -> HashMap<char, u8> {
    let is_printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let mut others = 0x100_u32..;
    let char_of =
        |byte| if is_printable(byte) { Some(char::from(byte)) } else { others.next().and_then(char::from_u32) };
    let chars: Vec<Option<char>> = (0..=u8::MAX).map(char_of).collect();
    chars.into_iter().zip(0..=u8::MAX).filter_map(|(char, byte)| Some((char?, byte))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEERING: &str = "<|endoftext|>\n<|startoftranscript|>\n<|nocaptions|>\n<|notimestamps|>\n<|0.00|>\n";

    #[test]
    fn tokens_become_text_again() {
        let vocabulary = Vocabulary::parse(format!("!\nĠcaf\nÃ©\nÃ\nĊ\n{STEERING}").as_bytes()).expect("it is good");
        assert_eq!(vocabulary.text(&[1, 2, 0, 4, 5, 9, 77]), "café!");
        assert_eq!(vocabulary.text(&[3]), "\u{fffd}");
        assert_eq!((vocabulary.prompt(), vocabulary.end(), vocabulary.no_speech()), (&[6, 8][..], 5, Some(7)));
        assert_eq!(vocabulary.steering().collect::<Vec<_>>(), [5, 6, 7, 8, 9]);
    }

    #[test]
    fn text_becomes_tokens_by_the_vocabularys_merges() {
        // "ab" is older than "bc", so that "abc" is never "a" and "bc".
        let vocabulary = Vocabulary::parse(format!("!\na\nb\nc\nĠ\nab\nbc\nĠa\n{STEERING}").as_bytes());
        let vocabulary = vocabulary.expect("it is good");
        assert_eq!(vocabulary.tokens("abc"), Some(vec![5, 3]));
        assert_eq!(vocabulary.tokens(" abc"), Some(vec![4, 5, 3]));
        assert_eq!(vocabulary.tokens(" acbc"), Some(vec![7, 3, 6]));
        assert_eq!((vocabulary.tokens("abx"), vocabulary.tokens("")), (None, Some(vec![])));
    }

    #[test]
    fn a_list_in_json_is_the_same() {
        let lines = format!("!\n[\nĠa\n{STEERING}");
        let json = serde_json::to_vec(&lines.lines().collect::<Vec<_>>()).expect("texts");
        let [a, b] = [lines.as_bytes(), &json].map(|bytes| Vocabulary::parse(bytes).expect("it is good"));
        assert_eq!((a.tokens, a.prompt), (b.tokens, b.prompt));
    }

    #[test]
    fn what_is_no_vocabulary_is_refused() {
        for bad in [&b""[..], b"a\nb", b"\xff\xfe", b"[1, 2]", b"[", b"[\"a\"]", b"{}"] {
            assert!(Vocabulary::parse(bad).is_err(), "{bad:?}");
        }
    }
}
