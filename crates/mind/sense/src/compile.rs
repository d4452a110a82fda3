//! Sentence files to one grammar, and what each of its sentences means.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grammar::{Caller, GrammarBuilder, GrammarError, Range, SentenceId, Template};
use serde_saphyr::Spanned;

use crate::Sense;
use crate::error::SenseError;
use crate::request;
use crate::yaml::{Block, Fractions, List, ListValue, Need, SentenceFile};

/// What the sentences of one block mean.
#[derive(Debug)]
pub(crate) struct Meaning {
    pub(crate) intent: String,
    /// Slots that are filled without being said.
    pub(crate) slots: BTreeMap<String, String>,
    pub(crate) requires: Vec<(String, Needed)>,
    pub(crate) excludes: Vec<(String, Needed)>,
}

/// What a context key must hold.
#[derive(Debug)]
pub(crate) enum Needed {
    OneOf(Vec<String>),
    Anything,
    /// Only the device's place could give it, and that is not known here yet.
    FromDevice,
}

/// By list and value number: context keys and what they hold.
pub(crate) type Contexts = BTreeMap<(String, u32), BTreeMap<String, Vec<String>>>;

/// Compiles the owner's files and Sotto's own. Each set has rule and list names of its own, so that an owner's `<now>`
/// never changes a sentence of Sotto's; within the set of the owner, files share theirs.
pub(crate) fn compile(own: &[SentenceFile], builtin: &[SentenceFile]) -> Result<Sense, SenseError> {
    let mut gathered = Gathered::default();
    for (scope, files) in [("", own), ("sotto.", builtin)] {
        let names = Names::of(files, scope);
        for file in files {
            gathered.file(file, &names)?;
        }
    }
    gathered.finish()
}

/// The names that a set of files, or a block of sentences, defines.
struct Names<'a> {
    /// What stands before them in the grammar, where all names are together.
    scope: String,
    rules: BTreeSet<&'a str>,
    lists: BTreeSet<&'a str>,
    /// Where to look for what is not defined here.
    outer: Option<&'a Names<'a>>,
}

impl<'a> Names<'a> {
    fn of(files: &'a [SentenceFile], scope: &str) -> Self {
        let rules = files.iter().flat_map(|file| file.body.expansion_rules.keys().map(String::as_str)).collect();
        let lists = files.iter().flat_map(|file| file.body.lists.keys().map(String::as_str)).collect();
        Self { scope: scope.to_owned(), rules, lists, outer: None }
    }

    fn of_block(block: &'a Block, scope: String, outer: &'a Names<'a>) -> Self {
        let rules = block.expansion_rules.keys().map(String::as_str).collect();
        let lists = block.lists.keys().map(String::as_str).collect();
        Self { scope, rules, lists, outer: Some(outer) }
    }

    fn resolve(&self, name: &str, is_rule: bool) -> Option<String> {
        let here = if is_rule { &self.rules } else { &self.lists };
        if here.contains(name) {
            return Some(self.defined(name));
        }
        self.outer.and_then(|outer| outer.resolve(name, is_rule))
    }

    fn defined(&self, name: &str) -> String {
        format!("{}{name}", self.scope)
    }
}

#[derive(Default)]
struct Gathered {
    builder: GrammarBuilder,
    meanings: Vec<Arc<Meaning>>,
    /// By sentence number: the file and line it stands in.
    places: Vec<String>,
    contexts: Contexts,
    skip_words: BTreeSet<Vec<String>>,
    blocks: usize,
}

impl Gathered {
    fn file(&mut self, file: &SentenceFile, names: &Names<'_>) -> Result<(), SenseError> {
        let body = &file.body;
        self.names(file, names, &body.expansion_rules, &body.lists)?;
        for words in &body.skip_words {
            let words = request::folded_words(words);
            if !words.is_empty() {
                self.skip_words.insert(words);
            }
        }
        for (intent, blocks) in &body.intents {
            for block in &blocks.data {
                self.block(file, intent, block, names)?;
            }
        }
        Ok(())
    }

    /// Defines the rules and lists of a file or of a block.
    fn names(
        &mut self,
        file: &SentenceFile,
        names: &Names<'_>,
        rules: &BTreeMap<String, Spanned<String>>,
        lists: &BTreeMap<String, Spanned<List>>,
    ) -> Result<(), SenseError> {
        for (name, rule) in rules {
            let template = template(rule, file, names)?;
            self.builder.rule(&names.defined(name), template);
        }
        for (name, list) in lists {
            self.list(file, names, name, list)?;
        }
        Ok(())
    }

    fn list(
        &mut self,
        file: &SentenceFile,
        names: &Names<'_>,
        name: &str,
        spanned: &Spanned<List>,
    ) -> Result<(), SenseError> {
        let (defined, list) = (names.defined(name), &spanned.value);
        match (&list.values, &list.range, list.wildcard) {
            (Some(values), None, false) => {
                let said = self.values(file, names, name, values)?;
                self.builder.values(&defined, said);
            }
            (None, Some(range), false) => {
                let tenths = match range.fractions {
                    None => Vec::new(),
                    Some(Fractions::Halves) => vec![5],
                    Some(Fractions::Tenths) => (1..10).collect(),
                };
                let (step, multiplier) = (range.step.unwrap_or(1), range.multiplier.unwrap_or(1.0));
                self.builder.range(&defined, Range { step, tenths, multiplier, ..Range::new(range.from, range.to) });
            }
            (None, None, true) => self.builder.wildcard(&defined),
            _ => return Err(SenseError::EmptyList { place: place(spanned, file), name: name.to_owned() }),
        }
        Ok(())
    }

    fn values(
        &mut self,
        file: &SentenceFile,
        names: &Names<'_>,
        name: &str,
        values: &[Spanned<ListValue>],
    ) -> Result<Vec<(Template, String)>, SenseError> {
        let mut said = Vec::with_capacity(values.len());
        for (index, value) in (0..).zip(values) {
            let (text, out, context) = match &value.value {
                ListValue::Said(said) => (file.text_of(said, value), None, None),
                ListValue::Mapped(mapped) => (mapped.r#in.clone(), mapped.out.clone(), Some(&mapped.context)),
            };
            let mut template = Template::parse(&text).map_err(|source| SenseError::Template {
                place: format!("{}: list {name}", place(value, file)),
                source,
            })?;
            template.rename(&|name, is_rule| names.resolve(name, is_rule));
            said.push((template, out.unwrap_or(text)));
            if let Some(context) = context.filter(|context| !context.is_empty()) {
                let context =
                    context.iter().map(|(key, held)| (key.clone(), file.texts_of(&held.value, held))).collect();
                self.contexts.insert((names.defined(name), index), context);
            }
        }
        Ok(said)
    }

    fn block(
        &mut self,
        file: &SentenceFile,
        intent: &str,
        block: &Block,
        names: &Names<'_>,
    ) -> Result<(), SenseError> {
        let inner;
        let names = if block.expansion_rules.is_empty() && block.lists.is_empty() {
            names
        } else {
            self.blocks += 1;
            inner = Names::of_block(block, format!("{}block{}.", names.scope, self.blocks), names);
            self.names(file, &inner, &block.expansion_rules, &block.lists)?;
            &inner
        };
        let slots = block
            .slots
            .iter()
            .map(|(name, held)| (name.clone(), file.texts_of(&held.value, held).join(",")))
            .collect();
        let meaning = Arc::new(Meaning {
            intent: intent.to_owned(),
            slots,
            requires: needed(&block.requires_context, file),
            excludes: needed(&block.excludes_context, file),
        });
        for sentence in &block.sentences {
            self.builder.sentence(template(sentence, file, names)?);
            self.meanings.push(Arc::clone(&meaning));
            self.places.push(place(sentence, file));
        }
        Ok(())
    }

    fn finish(self) -> Result<Sense, SenseError> {
        let Self { builder, meanings, places, contexts, skip_words, .. } = self;
        let place = |error: &GrammarError| match error {
            GrammarError::UnknownRule { caller, .. } | GrammarError::UnknownList { caller, .. } => match caller {
                Caller::Sentence(SentenceId(id)) => places.get(*id as usize).cloned().unwrap_or_default(),
                Caller::Rule(name) => format!("rule <{name}>"),
                Caller::List(name) => format!("list {{{name}}}"),
            },
            _ => "the sentences".to_owned(),
        };
        let grammar = builder.build().map_err(|source| SenseError::Grammar { place: place(&source), source })?;
        let mut skip_words: Vec<Vec<String>> = skip_words.into_iter().collect();
        skip_words.sort_by_key(|words| std::cmp::Reverse(words.len()));
        Ok(Sense { grammar: Arc::new(grammar), meanings, contexts, skip_words })
    }
}

fn template(text: &Spanned<String>, file: &SentenceFile, names: &Names<'_>) -> Result<Template, SenseError> {
    let mut template =
        Template::parse(&text.value).map_err(|source| SenseError::Template { place: place(text, file), source })?;
    template.rename(&|name, is_rule| names.resolve(name, is_rule));
    Ok(template)
}

fn place<T>(spanned: &Spanned<T>, file: &SentenceFile) -> String {
    format!("{}:{}", file.name, spanned.referenced.line())
}

fn needed(needs: &BTreeMap<String, Option<Spanned<Need>>>, file: &SentenceFile) -> Vec<(String, Needed)> {
    let needed = |need: &Option<Spanned<Need>>| match need.as_ref().map(|need| (&need.value, need)) {
        Some((Need::OneOf(values), place)) => Needed::OneOf(file.texts_of(values, place)),
        Some((Need::Place(place), _)) if place.slot => Needed::FromDevice,
        Some((Need::Place(_), _)) | None => Needed::Anything,
    };
    needs.iter().map(|(key, need)| (key.clone(), needed(need))).collect()
}
