//! Grammars made of templates, walked by texts in both ways.

use std::sync::Arc;

use grammar::{Caller, Grammar, GrammarBuilder, GrammarError, Parse, Range, SentenceId, Template, Walker};
use proptest::prelude::*;

fn template(text: &str) -> Template {
    Template::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The sentences, with rules and lists that the tests below share.
fn grammar(sentences: &[&str]) -> Grammar {
    let mut builder = builder();
    for sentence in sentences {
        builder.sentence(template(sentence));
    }
    builder.build().expect("the templates call what is defined")
}

fn builder() -> GrammarBuilder {
    let mut builder = GrammarBuilder::new();
    builder.rule("turn", template("(turn|switch)"));
    builder.rule("the", template("[the|my]"));
    builder.rule("please", template("[please] <the>"));
    let value = |said: &str, out: &str| (template(said), out.to_owned());
    let names = ["lamp", "lamp post", "bed[room] light[s]", "TV"];
    builder.values("name", names.map(|said| value(said, said)).to_vec());
    builder.values("state", vec![value("on", "true"), value("(off|out)", "false")]);
    builder.range("minutes", Range::new(1, 100));
    builder.range("degrees", Range { tenths: vec![5], ..Range::new(-5, 30) });
    builder.range("down", Range { multiplier: -1.0, step: 5, ..Range::new(0, 100) });
    builder.wildcard("item");
    builder.wildcard("where");
    builder
}

/// `sentence number: slot=said→value …`, one a line, the best first.
fn readings(grammar: &Grammar, text: &str) -> String {
    let show = |parse: &Parse| {
        let slots = parse.slots.iter().map(|slot| {
            let out = slot.value.as_ref().map_or("", |value| &value.out);
            format!(" {}={}→{out}", slot.name, slot.said)
        });
        format!("{}:{}", parse.sentence.0, slots.collect::<String>())
    };
    let parses = grammar.parses(text);
    assert!(!parses.cut, "{text}");
    parses.found.iter().map(show).collect::<Vec<_>>().join("\n")
}

fn check(sentence: &str, text: &str, expected: &str) {
    assert_eq!(readings(&grammar(&[sentence]), text), expected, "{sentence} / {text}");
}

fn walks(grammar: &Arc<Grammar>, text: &str) -> bool {
    let mut walker = Walker::new(Arc::clone(grammar));
    let start = walker.start();
    walker.advance_text(start, text).is_some_and(|state| walker.is_end(state))
}

#[test]
fn alternatives_and_optional_parts_join_within_a_word() {
    check("[<turn>] [the] light[s] (on|off)", "Turn the lights ON.", "0:");
    check("[<turn>] [the] light[s] (on|off)", "light off", "0:");
    check("[<turn>] [the] light[s] (on|off)", "light s off", "");
    check("[<turn>] [the] light[s] (on|off)", "turn the on", "");
    check("never[ ]mind", "Never-mind!", "0:");
    check("never[ ]mind", "nevermind", "0:");
    check("  what's   the time [now]  ", "whats the time", "0:");
    check("<please> lamp", "lamp", "0:");
    check("<please> lamp", "please my lamp", "0:");
}

#[test]
fn a_permutation_takes_each_item_once_in_any_order() {
    let sentence = "(turn on;[the] lamp;now)";
    for text in ["turn on the lamp now", "now lamp turn on", "the lamp now turn on"] {
        check(sentence, text, "0:");
    }
    check(sentence, "turn on now", "");
    check(sentence, "turn on turn on lamp now", "");
}

#[test]
fn slots_hold_the_value_and_what_was_said() {
    check(
        "<turn> {state} <the> {name:what}",
        "Switch out my Bedroom lights",
        "0: state=out→false what=Bedroom lights→bed[room] light[s]",
    );
    check("<turn> {name} {state}", "turn lamp post on", "0: name=lamp post→lamp post state=on→true");
    check("<turn> {name} {state}", "turn lamp posts on", "");
}

#[test]
fn numbers_are_digits_and_words() {
    check("{minutes}( |-)minute[s]", "25 minutes", "0: minutes=25→25");
    check("{minutes}( |-)minute[s]", "twenty-five-minute", "0: minutes=twenty-five→25");
    check("{minutes} minutes", "a hundred minutes", "0: minutes=a hundred→100");
    check("{minutes} minutes", "101 minutes", "");
    check("{degrees}[°] [degrees]", "20.5°", "0: degrees=20.5→20.5");
    check("{degrees}[°] [degrees]", "twenty and a half degrees", "0: degrees=twenty and a half→20.5");
    check("{degrees} degrees", "-5 degrees", "0: degrees=-5→-5");
    check("{degrees} degrees", "minus three point five degrees", "0: degrees=minus three point five→-3.5");
    check("down {down}[%| percent]", "down 15%", "0: down=15→-15");
    check("down {down}[%| percent]", "down 0 percent", "0: down=0→0");
    check("down {down}[%| percent]", "down 7%", "");
    check("at {0..10,2:level}", "at eight", "0: level=eight→8");
}

#[test]
fn a_number_has_its_value_however_a_recogniser_writes_it() {
    let degrees = |text: &str, value: &str| {
        let expected = format!("0: degrees={text}→{value}");
        check("set to {degrees}[ ][°] [degrees]", &format!("set to {text} degrees"), &expected);
    };
    for (text, value) in [
        ("-5", "-5"),
        ("−5", "-5"),
        ("–5", "-5"),
        ("minus 5", "-5"),
        ("negative 5", "-5"),
        ("minus five", "-5"),
        ("negative five", "-5"),
        ("+5", "5"),
        ("plus five", "5"),
        ("20.0", "20"),
        ("20.50", "20.5"),
        ("20 and a half", "20.5"),
        ("20½", "20.5"),
        (".5", "0.5"),
        ("0.5", "0.5"),
        ("point five", "0.5"),
        ("half", "0.5"),
        ("-.5", "-0.5"),
        ("-0.5", "-0.5"),
        ("minus 0.5", "-0.5"),
        ("minus zero point five", "-0.5"),
        ("minus three point five", "-3.5"),
        ("-3.5", "-3.5"),
    ] {
        degrees(text, value);
    }
    // Beyond the range, or with other tenths than it has, it is no number of the list.
    for text in ["20.25", "20.7", "30.5", "-5.5", "1,5"] {
        check("{degrees}", text, "");
    }
    check("fan at {0..5000:speed}", "fan at 1,500", "0: speed=1,500→1500");
    check("fan at {0..5000:speed}", "fan at fifteen hundred", "0: speed=fifteen hundred→1500");
    check("fan at {0..5000:speed}", "fan at 1,250", "0: speed=1,250→1250");
    // The two halves of one number are never the numbers of two slots.
    check("{minutes:a} {minutes:b}", "20.5", "");
    check("{minutes:a} {minutes:b}", "2,050", "");
    check("{minutes:a}:{minutes:b}", "7:30", "0: a=7→7 b=30→30");
    check("{minutes:a}:{minutes:b}", "7.30", "0: a=7→7 b=30→30");
    check("the 2.4 gigahertz lamp", "the 2.4 gigahertz lamp", "0:");
}

#[test]
fn a_name_is_found_with_composed_and_with_combining_accents() {
    for (template, text) in [("Café lamp", "cafe\u{301} lamp"), ("Cafe\u{301} lamp", "café LAMP")] {
        check(template, text, "0:");
        assert!(walks(&Arc::new(grammar(&[template])), text));
    }
}

#[test]
fn wildcards_take_words_and_the_reading_with_fewest_of_their_letters_is_first() {
    check("add {item} to my list", "Add Ben's milk to my list", "0: item=Ben's milk→");
    check("add {item} to my list", "add to my list", "");
    let both = grammar(&["play {item}", "play {item} in the {name}", "play {item} {where}"]);
    assert_eq!(
        readings(&both, "play a song in the lamp"),
        "1: item=a song→ name=lamp→lamp\n\
         2: item=a→ where=song in the lamp→\n2: item=a song→ where=in the lamp→\n\
         2: item=a song in→ where=the lamp→\n2: item=a song in the→ where=lamp→\n0: item=a song in the lamp→"
    );
}

#[test]
fn what_is_not_defined_or_goes_round_is_named() {
    let build = |sentence: &str, rules: &[(&str, &str)]| {
        let mut builder = builder();
        rules.iter().for_each(|(name, body)| builder.rule(name, template(body)));
        builder.sentence(template("lamp"));
        builder.sentence(template(sentence));
        builder.build().err()
    };
    let caller = Caller::Sentence(SentenceId(1));
    assert_eq!(build("<no>", &[]), Some(GrammarError::UnknownRule { name: "no".into(), caller: caller.clone() }));
    assert_eq!(build("{no}", &[]), Some(GrammarError::UnknownList { name: "no".into(), caller }));
    let caller = Caller::Rule("a".into());
    assert_eq!(build("<a>", &[("a", "{no}")]), Some(GrammarError::UnknownList { name: "no".into(), caller }));
    let round = [("a", "x <b>"), ("b", "[<a>]")];
    assert_eq!(build("<a>", &round), Some(GrammarError::Cycle { name: "a".into() }));
    let chain: Vec<(String, String)> = (0..40).map(|n| (format!("r{n}"), format!("<r{}>", n + 1))).collect();
    let chain: Vec<(&str, &str)> = chain.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(build("<r0>", &chain), Some(GrammarError::CallsTooDeep { name: "r32".into() }));
    for range in ["9..1", "0..9,0", "0..900000", "0..99999999999"] {
        let refused = build(&format!("{{{range}:n}}"), &[]);
        assert!(matches!(refused, Some(GrammarError::BadRange { .. } | GrammarError::UnknownList { .. })), "{range}");
    }
}

#[test]
fn a_grammar_that_would_fill_the_memory_is_refused() {
    let mut builder = GrammarBuilder::new();
    for _ in 0..250 {
        builder.sentence(Template::literal(&"lamp ".repeat(1_600)));
    }
    assert_eq!(builder.build().err(), Some(GrammarError::TooLarge));
}

#[test]
fn the_longest_ranges_with_halves_are_built() {
    for (from, to) in [(0, 20_000), (-10_000, 10_000)] {
        let mut builder = GrammarBuilder::new();
        builder.range("n", Range { tenths: vec![5], ..Range::new(from, to) });
        builder.sentence(template("{n}"));
        let grammar = builder.build().expect("it stays within the limit");
        assert_eq!(readings(&grammar, "1,234.5"), "0: n=1,234.5→1234.5");
    }
}

#[test]
fn a_text_made_to_be_ambiguous_is_cut_off_and_not_followed_for_ever() {
    let wild = ["{item}"; 40].join(" ");
    let ambiguous = grammar(&[&wild, &"[{item}] ".repeat(60)]);
    let text = "a ".repeat(900);
    assert!(ambiguous.parses(&text).cut);
    assert!(ambiguous.parses(&"a".repeat(2_001)).cut);
    assert!(walks(&Arc::new(ambiguous), &text));
}

#[test]
fn a_walk_tells_which_letters_may_follow_and_can_be_forked() {
    let lamp = Arc::new(grammar(&["<turn> {state} <the> {name}", "add {item} to it"]));
    let mut walker = Walker::new(lamp);
    let start = walker.start();
    assert_eq!(walker.letters(start), (vec!['a', 's', 't'], false));
    let turn = walker.advance_text(start, "Turn o").expect("a sentence goes on so");
    assert_eq!(walker.letters(turn), (vec!['f', 'n', 'u'], false));
    let (on, off) = (walker.advance_text(turn, "n the"), walker.advance_text(turn, "ff"));
    assert!(on.is_some() && off.is_some() && on != off);
    assert_eq!(walker.advance_text(turn, "x"), None);
    let wild = walker.advance_text(start, "add m").expect("a wildcard takes it");
    assert_eq!(walker.letters(wild), (vec![' '], true));
    // The same letters by another way are the same state.
    let again = walker.advance_text(start, "TURN  O");
    assert_eq!(again, Some(turn));
    let whole = walker.advance_text(start, "switch on TV.").expect("a whole sentence");
    assert!(walker.is_end(whole) && !walker.is_end(turn) && !walker.is_end(start));
}

#[test]
fn rules_that_may_be_empty_are_passed_when_they_are_called_together() {
    let mut builder = builder();
    builder.rule("maybe", template("[<the> ][so]"));
    builder.rule("twice", template("<maybe><maybe>"));
    builder.sentence(template("<twice>lamp<maybe>"));
    builder.sentence(template("<maybe> <twice> (lamp;<maybe>)"));
    let grammar = Arc::new(builder.build().expect("all is defined"));
    for (text, is_said) in [
        ("lamp", true),
        ("so the lamp so", true),
        ("the somy solamp so", true),
        ("the so my solamp", false),
        ("so", false),
    ] {
        assert_eq!(!grammar.parses(text).found.is_empty(), is_said, "{text}");
        assert_eq!(walks(&grammar, text), is_said, "{text}");
    }
}

/// Templates of a few letters, so that chance finds texts that fit.
fn any_template() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("b".to_owned()),
        Just(" ".to_owned()),
        Just("<r>".to_owned()),
        Just("<s>".to_owned()),
        Just("{l}".to_owned()),
        Just("{w}".to_owned()),
    ];
    let template = leaf.prop_recursive(4, 24, 4, |inner| {
        let many = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            many.clone().prop_map(|parts| parts.concat()),
            many.clone().prop_map(|parts| format!("({})", parts.join("|"))),
            many.prop_map(|parts| format!("({})", parts.join(";"))),
            inner.prop_map(|part| format!("[{part}]")),
        ]
    });
    template.prop_filter("a template says something", |template| !template.trim().is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Two programs of different making must agree on every text.
    #[test]
    fn both_walks_accept_the_same_texts(
        sentences in prop::collection::vec(any_template(), 1..4), rule in any_template(),
        texts in prop::collection::vec("[ab ]{0,8}", 1..20),
    ) {
        let mut builder = GrammarBuilder::new();
        builder.rule("s", template("[a] b[ ]"));
        builder.rule("r", template(&rule.replace("<r>", "<s>")));
        builder.values("l", vec![(template("ab"), "1".into()), (template("a[b a]"), "2".into())]);
        builder.wildcard("w");
        sentences.iter().for_each(|sentence| { builder.sentence(template(sentence)); });
        let grammar = Arc::new(builder.build().expect("all is defined"));
        for text in texts {
            let parses = grammar.parses(&text);
            prop_assert_eq!(!parses.found.is_empty(), walks(&grammar, &text), "{:?} {:?} {:?}", sentences, rule, text);
        }
    }
}
