//! An outlet that believes nothing: it checks every call against what it saw before.

use std::ops::Range;

use base::limits::{CHUNK, PREROLL, STREAM_MAX};
use base::{SampleCount, SampleIndex, TurnId};
use gate::{Cause, Closing, Opening, Outlet, Passed, RING};

/// The sample that stands at a position: so that one that is lost, doubled or moved is noticed.
pub(crate) fn sample(index: u64) -> i16 {
    (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as u16 as i16
}

/// The samples of a range.
pub(crate) fn samples(range: Range<u64>) -> Vec<i16> {
    range.map(sample).collect()
}

/// What was seen of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) opening: Opening,
    pub(crate) passed: u64,
    pub(crate) closing: Option<Closing>,
}

/// Checks and remembers.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    /// Everything before this was wiped.
    pub(crate) wiped_to: u64,
    /// How far the microphone has come.
    pub(crate) heard: u64,
    /// The light: on for this turn.
    pub(crate) lit: Option<TurnId>,
    pub(crate) asked: Option<(TurnId, Cause)>,
    pub(crate) stream: Option<Seen>,
    pub(crate) streams: Vec<Seen>,
    /// Whether link has said that it is done with the stream.
    pub(crate) is_drained: bool,
    pub(crate) samples_total: u64,
    pub(crate) turns_over: Vec<TurnId>,
}

impl Outlet for Witness {
    fn ask(&mut self, turn: TurnId, cause: Cause) {
        assert!(self.asked.is_none() && self.stream.is_none(), "one turn at a time");
        self.asked = Some((turn, cause));
    }

    fn open(&mut self, opening: Opening) {
        let (turn, cause) = self.asked.expect("i1: opened without a cause");
        assert_eq!((opening.turn, self.lit), (turn, Some(turn)), "i2: opened in the dark");
        let oldest = self.wiped_to.max(self.heard.saturating_sub(RING.0));
        let (onset, start) = match cause {
            Cause::Wake { onset } => {
                let onset = onset.0.clamp(oldest, self.heard);
                (onset, onset.saturating_sub(PREROLL.0).max(oldest))
            }
            Cause::Button { pressed } => (pressed.0.max(oldest), pressed.0.max(oldest)),
        };
        assert_eq!((opening.onset.0, opening.start.0), (onset, start), "i5: {cause:?}");
        self.is_drained = false;
        self.stream = Some(Seen { opening, passed: 0, closing: None });
    }

    fn pass(&mut self, passed: Passed<'_>) {
        let seen = self.stream.as_mut().expect("i1: passed without a stream");
        assert_eq!(self.lit, Some(passed.permit().turn()), "i2: passed in the dark");
        assert!(seen.closing.is_none(), "i1: passed after the end");
        let count = passed.samples().len() as u64;
        assert!((1..=CHUNK.0).contains(&count), "{count}");
        let from = seen.opening.start.0 + seen.passed;
        assert!(from >= self.wiped_to, "i3: what was wiped has passed");
        assert_eq!(passed.samples(), samples(from..from + count), "i5: lost or doubled at {from}");
        seen.passed += count;
        assert!(seen.passed <= STREAM_MAX.0, "i5: longer than the limit");
        self.samples_total += count;
    }

    fn close(&mut self, closing: Closing) {
        let seen = self.stream.as_mut().expect("closed without a stream");
        assert!(seen.closing.is_none(), "closed twice");
        assert_eq!(closing.turn, seen.opening.turn);
        assert_eq!(closing.passed, SampleCount(seen.passed), "i10: the books differ");
        assert_eq!(closing.end, SampleIndex(seen.opening.start.0 + seen.passed), "i10: the books differ");
        assert_eq!(closing.start, seen.opening.start);
        seen.closing = Some(closing);
    }

    fn permit_over(&mut self, turn: TurnId) {
        if let Some(seen) = self.stream.take() {
            assert!(seen.closing.is_some() && self.is_drained, "i2: the light goes out over an open stream");
            assert_eq!(turn, seen.opening.turn);
            self.streams.push(seen);
        }
        self.lit = None;
    }

    fn turn_over(&mut self, turn: TurnId) {
        assert!(self.stream.is_none() && self.lit.is_none(), "i2: the turn is over and the light is on");
        assert_eq!(self.asked.map(|(turn, _)| turn), Some(turn));
        self.asked = None;
        self.turns_over.push(turn);
    }
}
