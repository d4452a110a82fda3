//! What `config.json` says: the tokens that are never spoken.

use serde::Deserialize;

use crate::AsrError;

const CONFIG_BYTES_MAX: usize = 64 * 1_024;

/// The part of `config.json` that is used. The sizes of the model are those of its arrays.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    /// Never chosen: signs that are not spoken, and the tokens that steer the decoder.
    #[serde(default)]
    pub(crate) suppress_ids: Vec<u32>,
    /// Never chosen first: a blank, and the end.
    #[serde(default)]
    pub(crate) suppress_ids_begin: Vec<u32>,
    /// Layers and heads of the decoder that look where they listen; none where the file does not say.
    #[serde(default)]
    pub(crate) alignment_heads: Vec<[usize; 2]>,
}

impl Config {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, AsrError> {
        if CONFIG_BYTES_MAX < bytes.len() {
            return Err(AsrError::BadConfig("it is too long"));
        }
        serde_json::from_slice(bytes).map_err(|_| AsrError::BadConfig("it is not the JSON of a Whisper model"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_entries_are_left_alone_and_other_files_refused() {
        let config = Config::parse(br#"{"lang_ids":[1],"suppress_ids":[1,2],"suppress_ids_begin":[220]}"#);
        assert_eq!(config.expect("it is good").suppress_ids, [1, 2]);
        for bad in [&b""[..], b"[]x", b"{\"suppress_ids\":[-1]}", b"\xff", &[b' '; CONFIG_BYTES_MAX + 1]] {
            assert!(Config::parse(bad).is_err());
        }
    }
}
