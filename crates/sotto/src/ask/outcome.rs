//! What came of a recording: one JSON object a turn, or one line for a person.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ask::device::Event;
use crate::ask::feeder::Started;

/// One request as the device's events told it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turn {
    pub(crate) word: Option<String>,
    pub(crate) score: Option<f32>,
    pub(crate) onset: Option<u64>,
    pub(crate) start: Option<u64>,
    pub(crate) end: Option<u64>,
    pub(crate) bytes: Option<u64>,
    pub(crate) transcript: Option<String>,
    pub(crate) intent: Option<String>,
    pub(crate) slots: BTreeMap<String, serde_json::Value>,
    pub(crate) reply: Option<String>,
    pub(crate) timings_ms: BTreeMap<String, f64>,
    pub(crate) speaking_ms: Option<f64>,
    pub(crate) outcome: Option<String>,
    /// From "permit" to "permit_over".
    is_permitted: bool,
}

/// Gathers events into turns. Ear and link tell of the same turn each on its own: only its permit begins one, and it is
/// over when both have said so, whoever is last.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    turns: BTreeMap<u32, Turn>,
    wake: Turn,
    heard: u64,
}

impl Collector {
    /// Takes in one event.
    pub(crate) fn absorb(&mut self, event: Event) {
        match event.event.as_str() {
            "heard" => self.heard = self.heard.max(event.samples.unwrap_or(0)),
            "wake" => {
                self.wake = Turn { word: event.word, score: event.score, onset: event.onset, ..Turn::default() };
            }
            name => {
                let Some(id) = event.turn else { return };
                if name == "permit" {
                    self.turns.entry(id).or_insert_with(|| std::mem::take(&mut self.wake)).is_permitted = true;
                }
                let Some(turn) = self.turns.get_mut(&id) else { return };
                match name {
                    "permit_over" => turn.is_permitted = false,
                    "gate_open" => turn.start = event.start,
                    "gate_close" => (turn.start, turn.end, turn.bytes) = (event.start, event.end, event.bytes),
                    "caption" => turn.caption(event),
                    "speaking" => turn.speaking_ms = Some(event.ms),
                    "turn" => turn.outcome = event.outcome.or(Some("failed".into())),
                    _ => {}
                }
            }
        }
    }

    /// True once everything up to `sample` has been heard and no request is open.
    pub(crate) fn settled(&self, sample: u64) -> bool {
        self.heard >= sample && self.turns.values().all(|turn| turn.outcome.is_some() && !turn.is_permitted)
    }

    /// Hands over the turns of one recording and forgets them.
    pub(crate) fn take(&mut self) -> Vec<Turn> {
        std::mem::take(&mut self.turns).into_values().collect()
    }
}

impl Turn {
    fn caption(&mut self, event: Event) {
        self.transcript = event.transcript;
        self.intent = event.intent;
        self.slots = event.slots;
        self.reply = event.reply;
        self.timings_ms = event.timings_ms;
    }

    /// Whether the cloud keeps the request; none where the device was not told.
    pub(crate) fn is_kept(&self) -> Option<bool> {
        match self.outcome.as_deref() {
            Some("answered" | "not_understood" | "nothing_heard") => Some(true),
            Some("not_kept" | "offline") => Some(false),
            _ => None,
        }
    }

    /// The line that scripts read (DESIGN, "the command line is an interface").
    pub(crate) fn to_json(&self, file: &str, place: Started) -> String {
        let at_s = |sample: u64| round(seconds(sample) - seconds(place.first_sample));
        let line = Line {
            file,
            woke: true,
            word: self.word.as_deref(),
            score: self.score.map(|score| round(f64::from(score))),
            wake_start_s: self.onset.map(at_s),
            transcript: self.transcript.as_deref(),
            intent: self.intent.as_deref(),
            slots: &self.slots,
            reply: self.reply.as_deref(),
            stream: self.start.map(|start| Stream {
                start_s: at_s(start),
                end_s: self.end.map(at_s),
                bytes: self.bytes.unwrap_or(0),
            }),
            outcome: self.outcome.as_deref(),
            kept: self.is_kept(),
            timings_ms: &self.timings_ms,
        };
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// What a person wants to know, in two or three lines.
    pub(crate) fn to_text(&self, place: Started) -> String {
        let at = |sample: Option<u64>| sample.map_or(0.0, |sample| seconds(sample) - seconds(place.first_sample));
        let mut text = format!("woke on \"{}\" at {:.2} s", self.word.as_deref().unwrap_or("?"), at(self.onset));
        if let (Some(transcript), Some(_)) = (&self.transcript, &self.intent) {
            text += &format!("\n  heard   {transcript}");
        }
        if let Some(reply) = &self.reply {
            text += &format!("\n  replied {reply}");
        } else {
            text += &format!("\n  no reply: {}", self.outcome.as_deref().unwrap_or("failed").replace('_', " "));
        }
        if self.is_kept() == Some(false) {
            text += "\n  kept    nothing of it";
        }
        text + &format!(
            "\n  sent    {:.2} s to {:.2} s, {} bytes",
            at(self.start),
            at(self.end),
            self.bytes.unwrap_or(0)
        )
    }
}

/// The line for a recording in which nothing woke.
pub(crate) fn not_woken_json(file: &str) -> String {
    serde_json::json!({ "file": file, "woke": false }).to_string()
}

fn seconds(sample: u64) -> f64 {
    base::SampleCount(sample).seconds()
}

fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    woke: bool,
    word: Option<&'a str>,
    score: Option<f64>,
    wake_start_s: Option<f64>,
    transcript: Option<&'a str>,
    intent: Option<&'a str>,
    slots: &'a BTreeMap<String, serde_json::Value>,
    reply: Option<&'a str>,
    stream: Option<Stream>,
    outcome: Option<&'a str>,
    /// Whether the cloud keeps it; not known of a request that failed.
    kept: Option<bool>,
    timings_ms: &'a BTreeMap<String, f64>,
}

#[derive(Serialize)]
struct Stream {
    start_s: f64,
    end_s: Option<f64>,
    bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &str) -> Event {
        serde_json::from_str(json).expect("an event")
    }

    #[test]
    fn events_become_a_line_with_times_from_the_files_first_sample() {
        let mut collector = Collector::default();
        for json in [
            r#"{"event":"wake","ms":1,"word":"alexa","score":0.9,"onset":48000}"#,
            r#"{"event":"permit","ms":1,"turn":1,"cause":"wake"}"#,
            r#"{"event":"gate_close","ms":1,"turn":1,"start":40000,"end":72000,"bytes":64000,"reason":"stop_capture"}"#,
            r#"{"event":"caption","ms":1,"turn":1,"transcript":"a","intent":"B","slots":{},"reply":"c","timings_ms":{"recognise":5}}"#,
            r#"{"event":"heard","ms":1,"samples":96000}"#,
            r#"{"event":"permit_over","ms":1,"turn":1}"#,
        ] {
            collector.absorb(event(json));
        }
        assert!(!collector.settled(96_000), "the turn is still open");
        collector.absorb(event(r#"{"event":"turn","ms":2,"turn":1,"outcome":"answered"}"#));
        assert!(collector.settled(96_000) && !collector.settled(96_001));
        let place = Started { first_sample: 44_800, due_ms: 0.0 };
        let line: serde_json::Value =
            serde_json::from_str(&collector.take()[0].to_json("x.flac", place)).expect("JSON");
        assert_eq!(line["wake_start_s"], 0.2);
        assert_eq!(line["stream"], serde_json::json!({"start_s": -0.3, "end_s": 1.7, "bytes": 64000}));
        assert_eq!((&line["word"], &line["timings_ms"]["recognise"]), (&"alexa".into(), &5.0.into()));
    }

    #[test]
    fn a_turn_is_over_when_ear_and_link_have_said_so_in_any_order() {
        let link = r#"{"event":"turn","ms":2,"turn":1,"outcome":"answered"}"#;
        let ear = r#"{"event":"permit_over","ms":2,"turn":1}"#;
        for (first, last) in [(ear, link), (link, ear)] {
            let mut collector = Collector::default();
            collector.absorb(event(r#"{"event":"permit","ms":1,"turn":1,"cause":"wake"}"#));
            collector.absorb(event(r#"{"event":"heard","ms":1,"samples":96000}"#));
            collector.absorb(event(first));
            assert!(!collector.settled(96_000), "one of them has not said so");
            collector.absorb(event(last));
            assert!(collector.settled(96_000));
            assert_eq!(collector.take().len(), 1);
            // What comes after is of a turn that was handed over, and opens none.
            collector.absorb(event(r#"{"event":"speaking","ms":3,"turn":1}"#));
            assert!(collector.settled(96_000) && collector.take().is_empty());
        }
    }
}
