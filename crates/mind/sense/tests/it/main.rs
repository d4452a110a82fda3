//! Requests as people and recognisers put them, and sentence files as owners write them.

mod free_text;

use std::fs;

use proptest::prelude::*;
use sense::{Sense, SenseError, Understanding};

fn show(understood: Option<Understanding>) -> String {
    understood.map_or("nothing".to_owned(), |understood| {
        let slots = understood.slots.iter().map(|(name, value)| format!(" {name}={value}"));
        format!("{}{}", understood.intent.trim_start_matches("Hass"), slots.collect::<String>())
    })
}

fn check_all(sense: &Sense, expected: &str, texts: &[&str]) {
    for text in texts {
        assert_eq!(show(sense.understand(text)), expected, "{text}");
    }
}

#[test]
fn the_time_is_asked_for_in_many_ways() {
    let texts = [
        "what time is it",
        "What's the time?",
        "what is the time please",
        "Tell me the time.",
        "time check",
        "Can you tell me what time it is?",
        "do you know what time it is",
        "What time is it right now?",
        "Do you have the time?",
        "how late is it",
        "What's the current time?",
        "What's the time right now, please?",
    ];
    check_all(&Sense::builtin(), "GetCurrentTime", &texts);
}

#[test]
fn the_date_is_asked_for_in_many_ways() {
    let sense = Sense::builtin();
    let dates = [
        "What's the date?",
        "What is today's date?",
        "what date is it today",
        "tell me the date",
        "whats the date today",
        "What's the current date?",
        "What is the date today?",
        "what's today's date please",
    ];
    check_all(&sense, "GetCurrentDate ask=date", &dates);
    check_all(
        &sense,
        "GetCurrentDate ask=day",
        &[
            "What day is it?",
            "what day is it today",
            "What's today?",
            "What day of the week is it?",
            "Which day is it?",
        ],
    );
    check_all(&sense, "GetCurrentDate ask=month", &["What month is it?"]);
    check_all(&sense, "GetCurrentDate ask=year", &["what year is it"]);
    check_all(
        &sense,
        "GetCurrentDate ask=date day=tomorrow",
        &["What's tomorrow's date?", "what is the date tomorrow"],
    );
    check_all(&sense, "GetCurrentDate ask=day day=yesterday", &["What day was yesterday?"]);
    check_all(&sense, "GetCurrentDate ask=day day=day after tomorrow", &["What day is the day after tomorrow?"]);
}

#[test]
fn what_was_not_meant_is_taken_back() {
    let texts = [
        "Stop.",
        "stop it",
        "Never mind.",
        "Nevermind",
        "cancel",
        "Cancel that.",
        "Stop, stop!",
        "forget it",
        "Be quiet.",
        "no thanks",
        "Alexa, stop.",
        "Okay, stop please.",
        "please stop",
        "That's enough",
        "shut up",
    ];
    check_all(&Sense::builtin(), "Nevermind", &texts);
}

#[test]
fn wake_words_courtesies_and_the_habits_of_recognisers_come_off() {
    let texts = [
        "Alexa, what time is it?",
        "alexa what time is it",
        "Hey Alexa, what time is it?",
        " Alexa. What time is it?",
        "Alexa what time is it Alexa",
        "Wait, Alexa, what time is it?",
        "Alexa, Alexa, what time is it?",
        "A Lexa, what time is it?",
        "Alexis, what time is it?",
        "Computer, what time is it?",
        "ALEXA, WHAT TIME IS IT",
        "Alexa, could you please tell me what time it is? Thank you.",
        "Um, what uh time is it?",
        "What time is it? What time is it?",
        "Alexa, what time is it? Alexa, what time is it?",
        "[BLANK_AUDIO] Alexa, what time is it? (door closes)",
        "- Alexa, what time is it?",
        "Alexa – what time is it…",
        "Alexa, what’s the time?",
        "Alexia what time is it",
        "Lexa, what time is it?",
        "Alex, what time is it?",
        "Alex A, what time is it?",
        "Elexa what time is it",
        "Alex uh what time is it",
    ];
    check_all(&Sense::builtin(), "GetCurrentTime", &texts);
}

#[test]
fn no_match_is_no_match() {
    let texts = [
        "",
        " ",
        "Alexa",
        "Alexa.",
        "please",
        "what",
        "time",
        "what time",
        "What time is it in London?",
        "what time does the train leave",
        "I know what time it is",
        "set a timer for five minutes",
        "top",
        "stopp the car",
        "What's the weather?",
        "the date palm",
        "What's the date of the battle of Hastings?",
        "turn off the lights",
        "stop the music in the kitchen",
        "☃☃☃",
        "never",
        "mind",
    ];
    check_all(&Sense::builtin(), "nothing", &texts);
}

#[test]
fn one_wrong_letter_in_a_long_sentence_is_forgiven_where_only_one_thing_can_be_meant() {
    let sense = Sense::builtin();
    check_all(&sense, "GetCurrentTime", &["Alexa, what time as it?", "what time is i", "what time iss it"]);
    assert!(sense.understand("what time as it").is_some_and(|understood| understood.confidence < 1.0));
    let lights = "language: en\nintents:\n  On: {data: [{sentences: ['turn on the radio']}]}\n  \
                  Off: {data: [{sentences: ['turn off the radio']}]}\n  Level: {data: [{sentences: ['set the level to {1..99:level}']}]}";
    let sense = Sense::from_texts(&[("home", lights)]).expect("the file is good");
    check_all(&sense, "On", &["turn on the radio", "turn on the radios"]);
    check_all(&sense, "Off", &["turn off the radio"]);
    check_all(&sense, "nothing", &["turn of the radio", "turn o the radio", "set the level to 100"]);
    check_all(&sense, "Level level=10", &["set the level to 10", "set the level to ten"]);
}

const HOME: &str = "
language: en
intents:
  Switch:
    data:
      - sentences: ['<now> [<turn>] {name} {state}', '[<turn>] {state} [the] {name}']
        requires_context: {domain: [light, switch]}
        slots: {action: switch, many: [1, 2]}
      - sentences: ['<warm> {degrees}']
        expansion_rules: {warm: 'heat to'}
        lists: {degrees: {range: {from: 5, to: 30, fractions: halves}}}
      - sentences: ['lights out here']
        requires_context: {area: {slot: true}}
  Add:
    data: [{sentences: ['add {item} to my list']}]
lists:
  name:
    values:
      - {in: 'bed[room] lamp', out: light.bed, context: {domain: light}}
      - {in: front door, out: lock.front, context: {domain: lock}}
  state: {values: ['on', {in: 'off', out: false}]}
  item: {wildcard: true}
expansion_rules: {turn: '(turn|switch)', now: at once}
skip_words: [good sir]
";

#[test]
fn an_owner_adds_sentences_of_their_own() {
    let sense = Sense::from_texts(&[("home.yaml", HOME)]).expect("the file is good");
    check_all(
        &sense,
        "Switch action=switch many=1,2 name=light.bed state=on",
        &["turn on the bedroom lamp", "At once, bed lamp on!", "good sir switch on bed lamp please"],
    );
    check_all(
        &sense,
        "Switch action=switch many=1,2 name=light.bed state=false",
        &["bed lamp off at once", "off bed lamp"][1..],
    );
    // A door is no light, and where this device stands is not known.
    check_all(&sense, "nothing", &["turn on the front door", "lights out here"]);
    check_all(&sense, "Switch degrees=20.5", &["heat to twenty and a half", "Heat to 20.5."]);
    check_all(&sense, "Add item=Ben's oat milk", &["Alexa, add Ben's oat milk to my list, please."]);
    // The owner's <now> is theirs alone.
    check_all(&sense, "GetCurrentTime", &["what time is it right now"]);
    check_all(&sense, "nothing", &["what time is it at once"]);
}

#[test]
fn a_fault_in_a_file_is_told_with_its_place() {
    let check = |text: &str, expected: &str| {
        let error =
            Sense::from_texts(&[("home.yaml", text)]).err().map_or("fine".to_owned(), |error| error.to_string());
        assert!(error.contains(expected) && !error.contains('\n'), "{error}");
    };
    let sentence = |template: &str| {
        format!("language: en\nintents:\n  A:\n    data:\n      - sentences:\n          - '{template}'")
    };
    check(&sentence("turn (on"), "home.yaml:6: in this template, line 1, column 6: this `(` is never closed");
    check(&sentence("<no>"), "home.yaml:6: the rule <no> is not defined");
    check(&sentence("{no}"), "home.yaml:6: the list {no} is not defined");
    check("language: en\nintents: {A: {data: [{sentence: [x]}]}}", "home.yaml: ");
    check("language: de", "home.yaml: language \"de\" is not known yet");
    check("language: en\nlists: {a: {}}", "home.yaml:2: the list a needs one of");
    check("language: en\nlists: {a: {values: ['(']}}\n", "home.yaml:2: list a: in this template, line 1");
    check(
        "language: en\nexpansion_rules:\n  a: '<a>'\n  \nintents: {A: {data: [{sentences: ['<a>']}]}}",
        "<a> calls itself",
    );
    check("a: [", "home.yaml: ");
    check("", "home.yaml: ");
    check("&a [*a, *a]", "home.yaml: ");
    check(&format!("{}a", "[".repeat(100_000)), "home.yaml: ");
}

#[test]
fn what_a_yaml_reader_takes_for_numbers_and_flags_is_read_as_written() {
    let text = "language: en\nintents:\n  Power:\n    data:\n      - sentences: ['turn {state} [the] {name}']\n        \
                slots: {scene: off, level: 1.50}\nlists:\n  state: {values: [on, off, yes]}\n  \
                name:\n    values:\n      - kettle\n      - 007\n      - 1.50\n      - {in: no, out: 0x10}\n      - {in: true, out: Yes}\n      \
                - True\n";
    let sense = Sense::from_texts(&[("home.yaml", text)]).expect("the file is good");
    for (said, state, name) in [
        ("turn on the kettle", "on", "kettle"),
        ("turn off 007", "off", "007"),
        ("turn yes 1.50", "yes", "1.50"),
        ("turn on no", "on", "0x10"),
        ("turn on true", "on", "Yes"),
    ] {
        check_all(&sense, &format!("Power level=1.50 name={name} scene=off state={state}"), &[said]);
    }
    check_all(&sense, "nothing", &["turn true the kettle", "turn false the kettle", "turn on 7"]);
}

#[test]
fn a_fault_in_yaml_is_told_in_an_owners_words_with_its_line() {
    let list = |values: &str| format!("language: en\nintents: {{}}\nlists:\n  a:\n    values:\n{values}");
    for (text, line, word) in [
        (list("      - good\n      - [bad]"), 7, "list value"),
        (list("      - good\n      -\n"), 7, "list value"),
        (list("      - good\n      - null"), 7, "list value"),
        (list("      - {in: good}\n      - {on: bad}"), 7, "`on`"),
        (list("      - {in: good}\n      - {out: bad}"), 7, "`in`"),
        (list("      - {in: good}\n      - {in: [bad]}"), 7, "words"),
        (list("      - {in: good}\n      - {in: null}"), 7, "null"),
        ("language: en\nintents: {A: {data: [{sentences: [on, null]}]}}".to_owned(), 2, "null"),
        ("language: en\nlists: {a: {wildcard: maybe}}".to_owned(), 2, "true nor false"),
        ("language: en\nlists: {a: {range: {from: 1, to: 2, multiplier: x}}}".to_owned(), 2, "number"),
        ("language: en\nlists: [a]".to_owned(), 2, "keys with values"),
        ("language: en\nlists: {a: {range: {from: 1, to: 2, step: -1}}}".to_owned(), 2, "number"),
        (list("      - {in: good, context: {domain: {a: b}}}"), 6, "a word or a list of words"),
        (list("      - good\n  a: {values: [b]}"), 7, "a"),
        ("language: en\nintents:\n  A:\n    data: {sentences: [x]}".to_owned(), 4, ""),
        ("language: en\nlists:\n  a:\n    range: {from: one, to: 2}".to_owned(), 4, ""),
        ("language: en\nlists:\n  a:\n    range: {from: 1, to: 2, fractions: thirds}".to_owned(), 4, "thirds"),
    ] {
        let error =
            Sense::from_texts(&[("home.yaml", &text)]).err().map_or("fine".to_owned(), |error| error.to_string());
        assert!(
            error.contains(&format!("line {line}")) && error.contains(word) && !error.contains('\n'),
            "{text}\n{error}"
        );
        for foreign in [
            "untagged",
            "enum",
            "ListValue",
            "DuplicateKeyPolicy",
            "serde",
            "deserialize",
            "variant",
            "i64",
            "u32",
            "scalar",
            "sequence",
            "field",
        ] {
            assert!(!error.contains(foreign), "{error}");
        }
    }
}

#[test]
fn a_folder_of_files_is_read_in_order_and_whole() {
    let dir = tempfile::tempdir().expect("a folder");
    assert!(matches!(Sense::load_dir(dir.path()), Err(SenseError::NoFiles { .. })));
    assert!(matches!(Sense::load_dir(&dir.path().join("none")), Err(SenseError::Read { .. })));
    fs::write(dir.path().join("rules.yaml"), "language: en\nexpansion_rules: {hot: '(hot|warm)'}").expect("written");
    let sentences = "language: en\nintents: {Warm: {data: [{sentences: ['make it <hot>']}]}}";
    fs::write(dir.path().join("a.yml"), sentences).expect("written");
    fs::write(dir.path().join("notes.txt"), "not a sentence file").expect("written");
    let sense = Sense::load_dir(dir.path()).expect("the files are good");
    check_all(&sense, "Warm", &["make it warm"]);
    check_all(&sense, "GetCurrentTime", &["what time is it"]);
    for hidden in ["._a.yml", ".#a.yml", ".git"] {
        fs::write(dir.path().join(hidden), [0xff, 0xfe, 0x00]).expect("written");
    }
    let below = dir.path().join("custom_sentences");
    for (language, sentences) in [("en", "lights out"), ("de", "licht aus")] {
        let folder = below.join(language);
        fs::create_dir_all(&folder).expect("made");
        let text = format!("language: {language}\nintents: {{Out: {{data: [{{sentences: ['{sentences}']}}]}}}}");
        fs::write(folder.join("out.yaml"), text).expect("written");
    }
    let sense = Sense::load_dir(dir.path()).expect("the files are good");
    check_all(&sense, "Warm", &["make it warm"]);
    check_all(&sense, "Out", &["lights out"]);
    assert!(matches!(Sense::load_dir(&below.join("de")), Err(SenseError::Language { .. })));
    std::os::unix::fs::symlink(dir.path(), below.join("round")).expect("linked");
    assert!(matches!(Sense::load_dir(dir.path()), Err(SenseError::TooDeep { .. } | SenseError::Read { .. })));
    fs::remove_file(below.join("round")).expect("removed");
    fs::write(dir.path().join("b.yaml"), [0xff, 0xfe, 0x00]).expect("written");
    assert!(matches!(Sense::load_dir(dir.path()), Err(SenseError::Read { .. })));
}

#[test]
fn i9_an_understanding_does_not_print_what_was_said() {
    let sense = Sense::from_texts(&[("home.yaml", HOME)]).expect("the file is good");
    let understood = sense.understand("add canary seed to my list").expect("a sentence says so");
    assert_eq!(format!("{understood:?}"), "Understanding { intent: \"Add\", slots: [\"item\"], .. }");
}

proptest! {
    #[test]
    fn any_text_is_looked_up_without_a_panic(text in r"[ -~\n’é\u{0}]{0,80}|(alexa |what |time |is |it |stop |\(|\]|-5 ){0,40}") {
        let sense = Sense::from_texts(&[("home.yaml", HOME)]).expect("the file is good");
        if let Some(understood) = sense.understand(&text) {
            prop_assert!((0.0..=1.0).contains(&understood.confidence));
        }
    }
}
