//! The sentence files as they stand on disk: hassil's keys, and no others, so that a slip in one is told.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Spanned, UserMessageFormatter};

use crate::FILE_BYTES_MAX;
use crate::error::SenseError;

/// One file: sentences by intent, and the rules and lists they call.
#[derive(Debug)]
pub(crate) struct SentenceFile {
    pub(crate) name: String,
    pub(crate) body: Body,
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    pub(crate) language: String,
    #[serde(default)]
    pub(crate) intents: BTreeMap<String, Intent>,
    #[serde(default)]
    pub(crate) lists: BTreeMap<String, Spanned<List>>,
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
    pub(crate) slots: BTreeMap<String, Spanned<OneOrMany>>,
    /// What the values said must bring with them.
    #[serde(default)]
    pub(crate) requires_context: BTreeMap<String, Option<Spanned<Need>>>,
    /// What they must not.
    #[serde(default)]
    pub(crate) excludes_context: BTreeMap<String, Option<Spanned<Need>>>,
    #[serde(default)]
    pub(crate) expansion_rules: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(crate) lists: BTreeMap<String, Spanned<List>>,
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
    pub(crate) values: Option<Vec<Spanned<ListValue>>>,
    pub(crate) range: Option<Range>,
    #[serde(default)]
    pub(crate) wildcard: bool,
    #[serde(default, rename = "metadata")]
    _metadata: Option<IgnoredAny>,
}

/// A value of a list: how it is said, and what the slot then holds.
#[derive(Debug)]
pub(crate) enum ListValue {
    Said(Scalar),
    Mapped(Mapped),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mapped {
    pub(crate) r#in: String,
    pub(crate) out: Option<String>,
    #[serde(default)]
    pub(crate) context: BTreeMap<String, Spanned<OneOrMany>>,
    #[serde(default, rename = "metadata")]
    _metadata: Option<IgnoredAny>,
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

/// One word or number. What YAML takes for a number or for "true" and "false" (also `on`, `off`, `yes` and `no`) is the text
/// that stands in the file: see [`SentenceFile::text_of`].
#[derive(Clone, Debug)]
pub(crate) enum Scalar {
    Text(String),
    AsWritten,
}

#[derive(Clone, Debug)]
pub(crate) enum OneOrMany {
    One(Scalar),
    Many(Vec<String>),
}

/// What a context key must hold: one of some values, or what only the device's place can give.
#[derive(Debug)]
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

/// What the YAML reader calls things, and what an owner of sentences knows them as.
const PLAIN_WORDS: [(&str, &str); 12] = [
    ("sequence start", "a list"),
    ("mapping start", "keys with values"),
    ("string scalar", "words"),
    ("invalid floating point", "not a number"),
    ("invalid boolean", "neither true nor false"),
    ("invalid i64", "not a whole number"),
    ("invalid u32", "not a whole number"),
    ("invalid f64", "not a number"),
    ("unknown field", "unknown key"),
    ("missing field", "missing key"),
    ("unknown variant", "unknown word"),
    ("cannot deserialize null into string", "nothing stands here, expected words"),
];

fn plainly(reason: &str) -> String {
    PLAIN_WORDS.iter().fold(reason.to_owned(), |reason, (theirs, ours)| reason.replace(theirs, ours))
}

/// A value that may be a word, a list or a mapping; each type takes some of the three.
enum Node<M> {
    One(Scalar),
    Many(Vec<String>),
    Mapped(M),
}

struct NodeVisitor<M> {
    expected: &'static str,
    mapped: std::marker::PhantomData<M>,
}

impl<'de, M: Deserialize<'de>> Visitor<'de> for NodeVisitor<M> {
    type Value = Node<M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Node::One(Scalar::Text(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Node::One(Scalar::AsWritten))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Node::One(Scalar::AsWritten))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Node::One(Scalar::AsWritten))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Node::One(Scalar::AsWritten))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Err(E::custom(format_args!(
            "nothing stands here (a word such as `null` needs quotes), expected {}",
            self.expected
        )))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        let mut many = Vec::new();
        while let Some(value) = values.next_element()? {
            many.push(value);
        }
        Ok(Node::Many(many))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        M::deserialize(MapAccessDeserializer::new(map)).map(Node::Mapped)
    }
}

fn node<'de, D: Deserializer<'de>, M: Deserialize<'de>>(
    deserializer: D,
    expected: &'static str,
) -> Result<Node<M>, D::Error> {
    deserializer.deserialize_any(NodeVisitor { expected, mapped: std::marker::PhantomData })
}

impl<'de> Deserialize<'de> for ListValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &str = "a list value: words, or `in:` and `out:`";
        match node(deserializer, EXPECTED)? {
            Node::One(said) => Ok(Self::Said(said)),
            Node::Mapped(mapped) => Ok(Self::Mapped(mapped)),
            Node::Many(_) => Err(D::Error::custom(format_args!("a list stands here, expected {EXPECTED}"))),
        }
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &str = "a word or a list of words";
        match node::<_, IgnoredAny>(deserializer, EXPECTED)? {
            Node::One(one) => Ok(Self::One(one)),
            Node::Many(many) => Ok(Self::Many(many)),
            Node::Mapped(_) => Err(D::Error::custom(format_args!("a mapping stands here, expected {EXPECTED}"))),
        }
    }
}

impl<'de> Deserialize<'de> for Need {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match node(deserializer, "a word, a list of words, or `slot: true`")? {
            Node::One(one) => Self::OneOf(OneOrMany::One(one)),
            Node::Many(many) => Self::OneOf(OneOrMany::Many(many)),
            Node::Mapped(place) => Self::Place(place),
        })
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
            let shown = error.without_snippet().render_with_formatter(&UserMessageFormatter);
            let reason = plainly(shown.lines().next().unwrap_or("not a sentence file"));
            SenseError::Yaml { file: file(), reason }
        })?;
        if body.language.split(['-', '_']).next() != Some("en") {
            return Err(SenseError::Language { file: file(), language: body.language });
        }
        Ok(Self { name: file(), body, text: text.to_owned() })
    }

    /// A word as it stands in the file: `on` is "on" and `1.50` is "1.50", with quotes or without.
    pub(crate) fn text_of<T>(&self, scalar: &Scalar, place: &Spanned<T>) -> String {
        let written = || {
            let span = place.defined.span();
            let start = usize::try_from(span.byte_offset()?).ok()?;
            let length = usize::try_from(span.byte_len()?).ok()?;
            self.text.get(start..start.checked_add(length)?)
        };
        match scalar {
            Scalar::Text(text) => text.clone(),
            Scalar::AsWritten => written().unwrap_or_default().trim().to_owned(),
        }
    }

    /// The words of a value that may be one or many.
    pub(crate) fn texts_of<T>(&self, values: &OneOrMany, place: &Spanned<T>) -> Vec<String> {
        match values {
            OneOrMany::One(scalar) => vec![self.text_of(scalar, place)],
            OneOrMany::Many(texts) => texts.clone(),
        }
    }
}
