//! Any text as a sentence template, and any other text looked up in it: no panic, bounded work, and both walks of the
//! automaton agree.
#![no_main]

use std::sync::Arc;

use grammar::{GrammarBuilder, Range, Template, Walker};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str, &str)| {
    let (sentence, rule, text) = texts;
    let (Ok(sentence), Ok(rule)) = (Template::parse(sentence), Template::parse(rule)) else { return };
    let mut builder = GrammarBuilder::new();
    builder.rule("r", rule);
    builder.values(
        "l",
        vec![(Template::literal("lamp"), "1".to_owned()), (Template::literal("lamp post"), "2".to_owned())],
    );
    builder.range("n", Range::new(-3, 120));
    builder.wildcard("w");
    builder.sentence(sentence);
    let Ok(grammar) = builder.build().map(Arc::new) else { return };
    let parses = grammar.parses(text);
    let mut walker = Walker::new(Arc::clone(&grammar));
    let start = walker.start();
    let letters = grammar::letters::Letters::of(text);
    let walked = letters.as_slice().iter().try_fold(start, |state, letter| walker.advance(state, *letter));
    let is_said = walked.is_some_and(|state| walker.is_end(state));
    if !parses.cut {
        assert_eq!(!parses.found.is_empty(), is_said);
    }
    for slot in parses.found.iter().flat_map(|parse| &parse.slots) {
        assert!(text.contains(&slot.said));
    }
});
