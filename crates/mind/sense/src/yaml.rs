//! The sentence files as they stand on disk: hassil's keys, and no others, so that a slip in one is told.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use crate::error::SenseError;
use crate::{FILE_BYTES_MAX, FILES_MAX};

/// One file: sentences by intent, and the rules and lists they call.
#[derive(Debug)]
pub(crate) struct SentenceFile {
    pub(crate) name: String,
    pub(crate) body: Body,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    pub(crate) language: String,
    #[serde(default)]
    pub(crate) intents: BTreeMap<String, Intent>,
    #[serde(default)]
    pub(crate) lists: BTreeMap<String, List>,
    #[serde(default)]
    pub(crate) expansion_rules: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(crate) skip_words: Vec<String>,
    /// What to reply is the skills' business.
    #[serde(default, rename = "responses")]
    _responses: Option<IgnoredAny>,
    #[serde(default, rename = "settings")]
    _settings: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Intent {
    pub(crate) data: Vec<Block>,
}

/// Sentences that mean the same.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Block {
    pub(crate) sentences: Vec<Spanned<String>>,
    /// Slots that these sentences fill without saying so.
    #[serde(default)]
    pub(crate) slots: BTreeMap<String, OneOrMany>,
    /// What the values said must bring with them.
    #[serde(default)]
    pub(crate) requires_context: BTreeMap<String, Option<Need>>,
    /// What they must not.
    #[serde(default)]
    pub(crate) excludes_context: BTreeMap<String, Option<Need>>,
    #[serde(default)]
    pub(crate) expansion_rules: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(crate) lists: BTreeMap<String, List>,
    #[serde(default, rename = "response")]
    _response: Option<IgnoredAny>,
    #[serde(default, rename = "metadata")]
    _metadata: Option<IgnoredAny>,
    #[serde(default, rename = "required_keywords")]
    _required_keywords: Option<IgnoredAny>,
    #[serde(default, rename = "inferred_domain")]
    _inferred_domain: Option<IgnoredAny>,
    #[serde(default, rename = "name_domains")]
    _name_domains: Option<IgnoredAny>,
    #[serde(default, rename = "settings")]
    _settings: Option<IgnoredAny>,
}

/// `values`, `range` or `wildcard`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    pub(crate) values: Option<Vec<ListValue>>,
    pub(crate) range: Option<Range>,
    #[serde(default)]
    pub(crate) wildcard: bool,
    #[serde(default, rename = "metadata")]
    _metadata: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum ListValue {
    Said(Scalar),
    Mapped {
        r#in: Scalar,
        #[serde(default)]
        out: Option<Scalar>,
        #[serde(default)]
        context: BTreeMap<String, OneOrMany>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) step: Option<u32>,
    pub(crate) fractions: Option<Fractions>,
    pub(crate) multiplier: Option<f64>,
    #[serde(default, rename = "type")]
    _kind: Option<IgnoredAny>,
    #[serde(default, rename = "digits")]
    _digits: Option<IgnoredAny>,
    #[serde(default, rename = "words")]
    _words: Option<IgnoredAny>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fractions {
    Halves,
    Tenths,
}

/// Anything that is one word or number in YAML.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Scalar {
    Flag(bool),
    Whole(i64),
    Real(f64),
    Text(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(Scalar),
    Many(Vec<Scalar>),
}

/// What a context key must hold: one of some values, or what only the device's place can give.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Need {
    OneOf(OneOrMany),
    Place(Place),
}

#[derive(Debug, Deserialize)]
pub(crate) struct Place {
    /// Whether it then becomes a slot, as with the area that a device stands in.
    #[serde(default)]
    pub(crate) slot: bool,
}

impl Scalar {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Whole(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl OneOrMany {
    pub(crate) fn texts(&self) -> Vec<String> {
        match self {
            Self::One(scalar) => vec![scalar.text()],
            Self::Many(scalars) => scalars.iter().map(Scalar::text).collect(),
        }
    }
}

impl SentenceFile {
    /// Reads one file's text. The YAML reader bounds depth, size and aliases.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, SenseError> {
        let file = || name.to_owned();
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(SenseError::TooMuch { path: file() });
        }
        let body: Body = serde_saphyr::from_str(text).map_err(|error| {
            let shown = error.to_string();
            let reason = shown.lines().next().unwrap_or("not a sentence file").to_owned();
            SenseError::Yaml { file: file(), reason }
        })?;
        if body.language.split(['-', '_']).next() != Some("en") {
            return Err(SenseError::Language { file: file(), language: body.language });
        }
        Ok(Self { name: file(), body })
    }
}

/// Reads the `.yaml` files of a folder, in the order of their names.
pub(crate) fn read_dir(dir: &Path) -> Result<Vec<(String, String)>, SenseError> {
    let shown = |path: &Path| path.display().to_string();
    let fail = |path: &Path| {
        let path = shown(path);
        move |source: io::Error| SenseError::Read { path, source }
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(fail(dir))? {
        let path = entry.map_err(fail(dir))?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            paths.push(path);
        }
    }
    paths.sort();
    match paths.len() {
        0 => return Err(SenseError::NoFiles { path: shown(dir) }),
        1..=FILES_MAX => {}
        _ => return Err(SenseError::TooMuch { path: shown(dir) }),
    }
    let mut texts = Vec::new();
    for path in paths {
        let mut text = String::new();
        let file = fs::File::open(&path).map_err(fail(&path))?;
        file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(fail(&path))?;
        texts.push((shown(&path), text));
    }
    Ok(texts)
}
