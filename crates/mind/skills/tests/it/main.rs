//! Requests answered by a set clock in several places.

use std::sync::Arc;

use base::{SetClock, Timestamp};
use jiff::tz::TimeZone;
use sense::{Sense, Understanding};
use skills::{Reply, ReplyKind, Skills};

// Rules in place of names: a small container has no time zone database.
const CHICAGO: &str = "CST6CDT,M3.2.0,M11.1.0";
const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
const UTC: &str = "UTC0";

fn at(unix_ms: i64, zone: &str) -> Skills {
    let zone = TimeZone::posix(zone).expect("the rules of a time zone");
    Skills::new(Arc::new(SetClock::new(Timestamp::from_unix_ms(unix_ms))), zone)
}

fn ask(skills: &Skills, text: &str) -> Reply {
    skills.answer(&Sense::builtin().understand(text).unwrap_or_else(|| panic!("{text}")))
}

/// 2026-11-24T01:14:00Z
const EVENING: i64 = 1_795_482_840_000;

#[test]
fn the_same_moment_is_told_by_the_owners_own_clock() {
    let chicago = at(EVENING, CHICAGO);
    assert_eq!(ask(&chicago, "Alexa, what time is it?").text.expose(), "It's 7:14 PM.");
    assert_eq!(ask(&chicago, "what day is it").text.expose(), "It's Monday, November 23rd.");
    let berlin = at(EVENING, BERLIN);
    assert_eq!(ask(&berlin, "what's the time").text.expose(), "It's 2:14 AM.");
    assert_eq!(ask(&berlin, "what's the date").text.expose(), "It's Tuesday, November 24th.");
    assert_eq!(ask(&berlin, "what's yesterday's date").text.expose(), "Yesterday was Monday, November 23rd.");
}

#[test]
fn stop_is_answered_by_silence() {
    let reply = ask(&at(EVENING, UTC), "Alexa, stop!");
    assert_eq!((reply.kind, reply.text.expose().as_str()), (ReplyKind::Silent, ""));
}

#[test]
fn every_intent_of_sottos_own_sentences_has_a_skill() {
    let skills = at(EVENING, UTC);
    for intent in Sense::builtin().intents() {
        assert!(skills.knows(intent), "{intent}");
    }
}

#[test]
fn what_no_skill_can_do_is_said_so() {
    let unknown = Understanding { intent: "HassTurnOn".into(), slots: [].into(), confidence: 1.0 };
    assert_eq!(at(EVENING, UTC).answer(&unknown).text.expose(), "I can't do that yet.");
}

#[test]
fn a_clock_that_has_jumped_out_of_the_calendar_stops_nothing() {
    for unix_ms in [i64::MIN, i64::MAX] {
        let reply = ask(&at(unix_ms, BERLIN), "what time is it");
        assert_eq!(reply.text.expose(), "I don't know the time just now.");
    }
    assert_eq!(ask(&at(253_402_207_200_000, UTC), "what's tomorrow's date").kind, ReplyKind::Say);
}

#[test]
fn i9_a_reply_prints_nothing_of_itself() {
    let reply = ask(&at(EVENING, UTC), "what time is it");
    assert_eq!(format!("{reply:?}"), "Reply { text: [redacted], spoken: [redacted], kind: Say }");
}
