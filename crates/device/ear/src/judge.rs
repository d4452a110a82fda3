//! From the first stage's scores to "it was said": when to ask the second stage, and what to make of its answer.
//!
//! ```text
//!           trigger              no longer rising          in doubt           240 ms later
//!  Waiting ─────────► Rising ──────────────────► 1st look ──────────► Doubt ──────────────► 2nd look
//!     ▲                  ▲                           │ too low                                │ too low
//!     │ score falls      └── rises again ── Refused ◄┴────────────────────────────────────────┘
//!     └──────────────────────────────────────┘            enough, at either look: it was said
//! ```
//!
//! Without a second stage the first one's score decides alone, at a threshold of its own (the light tier).
//!
//! Knows no samples: scores and positions in, decisions out. What evaluates weights runs this very code.

#[cfg(test)]
mod tests;

use base::{SampleCount, SampleIndex};

use crate::net::sigmoid;
use crate::verify::{Verify, logit};
use crate::weights::WordModel;

/// After a wake the ear is deaf for this long: the tail of the same word must not wake twice.
const REST: SampleCount = SampleCount::from_ms(1_000);
/// Where a second stage follows, it is deaf no longer than this: the word is then out of what the second stage sees.
const REST_MAX: SampleCount = SampleCount::from_ms(2_500);
/// Where the score must fall to before a candidate is over, as a part of the threshold that made it one.
const REARM: f32 = 0.5;
/// The first look waits while the score rises, but not longer than this: one before the word is out sees half of it.
const RISE_MAX: SampleCount = SampleCount::from_ms(160);
/// A score rises where its logit grows by this in a step of 80 ms.
const RISE: f32 = 0.5;
/// How much more sound the second look has: three steps of 80 ms.
pub const SECOND_LOOK: SampleCount = SampleCount::from_ms(240);
/// A refused candidate is looked at anew once the logit has risen by this from its lowest since.
const COMEBACK: f32 = 1.0;
/// A score that stays up after a refusal is looked at anew this often: two words may run into one another.
const LOOK_AGAIN: SampleCount = SampleCount::from_ms(1_000);
/// Looks in a second at most. One costs up to 80 ms of a core; a television must not keep it busy.
const LOOKS_A_SECOND: usize = 4;
/// What looks are counted over.
const SECOND: SampleCount = SampleCount::from_ms(1_000);
/// A candidate whose score stays up after a refusal is told as a near miss after this time.
const TOLD_AFTER: SampleCount = SampleCount::from_ms(2_000);

/// What the owner of a device may turn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tuning {
    /// The score that wakes, 0 to 1, in place of the word's own: the fused one where there is a second stage, else the
    /// first stage's.
    pub threshold: Option<f32>,
    /// Taken from the logit of every threshold: above 0 the word wakes more readily, below less. Scores stay what they
    /// are, so that those counted under one tuning can be set beside those of another.
    pub shift: f32,
}

/// The scores of a candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// The first stage's highest, 0 to 1.
    pub peak: f32,
    /// The second stage's log-probability of the word, where it was asked and answered.
    pub log_probability: Option<f32>,
    /// What was held against the threshold, 0 to 1: both as one, or the first stage's where it decided alone.
    pub score: f32,
}

/// What a step comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// Nothing to be done.
    Nothing,
    /// Ask the second stage about the sound up to here, and bring its answer to [`Judge::answer`].
    Look {
        /// Whether this is a rise's first look: the moment that is nearest to the word's end.
        is_first: bool,
    },
    /// The word was said.
    Wake(Scores),
    /// What raised the first stage above its trigger was not the word.
    NearMiss(Scores),
}

/// Decides for one word. See the module's words.
#[derive(Clone, Debug)]
pub struct Judge {
    thresholds: Thresholds,
    verify: Verify,
    state: State,
    /// When the latest looks were, in no order.
    looks: [Option<SampleIndex>; LOOKS_A_SECOND],
    /// Where the last step ended.
    at: SampleIndex,
}

/// The thresholds in force: the word's own, or as [`Tuning`] moved them.
#[derive(Clone, Copy, Debug)]
struct Thresholds {
    has_second_stage: bool,
    trigger: f32,
    /// Below this the word may wake again.
    rearm: f32,
    /// Of the first stage, where it decides alone.
    alone: f32,
    accept_at_once: f32,
    refuse_at_once: f32,
    accept: f32,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Waiting,
    Rising(Candidate),
    Doubt(Candidate),
    Refused(Candidate),
    Resting { since: SampleIndex },
}

/// What may be the word.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    began: SampleIndex,
    /// Where the present rise began, and its highest score.
    rise: SampleIndex,
    peak: f32,
    /// The latest score, and the lowest since the last look.
    last: f32,
    lowest: f32,
    /// Looks of the present rise, and where the last one was.
    looks: u8,
    looked: SampleIndex,
    /// The best that was refused.
    refused: Option<Scores>,
    is_told: bool,
}

impl Judge {
    /// A judge who has heard nothing. `has_second_stage` says whether somebody answers a look.
    #[must_use]
    pub fn new(model: &WordModel, tuning: Tuning, has_second_stage: bool) -> Self {
        Self {
            thresholds: Thresholds::new(model, tuning, has_second_stage),
            verify: model.verify.clone(),
            state: State::Waiting,
            looks: [None; LOOKS_A_SECOND],
            at: SampleIndex(0),
        }
    }

    /// Takes the first stage's score, 0 to 1, of the step that ended at `at`.
    pub fn step(&mut self, score: f32, at: SampleIndex) -> Decision {
        self.at = at;
        match self.state {
            // Written so that a score which is no number is no candidate.
            State::Waiting if score >= self.thresholds.trigger => self.rise(Candidate::new(score, at), true),
            State::Waiting => Decision::Nothing,
            State::Rising(candidate) => {
                let goes_on = logit(score) >= logit(candidate.last) + RISE;
                self.rise(candidate.hear(score), goes_on)
            }
            State::Doubt(candidate) => self.doubt(candidate.hear(score)),
            State::Refused(candidate) => self.after_refusal(candidate.hear(score)),
            State::Resting { since } => {
                let has_fallen = score < self.thresholds.rearm;
                let is_long_ago = self.thresholds.has_second_stage && at - since >= REST_MAX;
                if at - since >= REST && has_fallen || is_long_ago {
                    self.state = State::Waiting;
                }
                Decision::Nothing
            }
        }
    }

    /// Takes the second stage's answer to the look that the last step asked for; none where it could not look, and the
    /// first stage decides alone.
    pub fn answer(&mut self, log_probability: Option<f32>) -> Decision {
        let (State::Rising(mut candidate) | State::Doubt(mut candidate)) = self.state else {
            return Decision::Nothing;
        };
        candidate.looks += 1;
        (candidate.looked, candidate.lowest) = (self.at, candidate.last);
        let is_first = candidate.looks == 1;
        let Thresholds { alone, accept_at_once, refuse_at_once, accept, .. } = self.thresholds;
        let (score, wanted, refuses) = match log_probability {
            Some(word) if is_first => (self.verify.fuse(candidate.peak, word), accept_at_once, refuse_at_once),
            Some(word) => (self.verify.fuse(candidate.peak, word), accept, f32::INFINITY),
            None => (candidate.peak, alone, f32::INFINITY),
        };
        let scores = Scores { peak: candidate.peak, log_probability, score };
        if score >= wanted {
            return self.wake(scores);
        }
        if candidate.refused.is_none_or(|before| before.score < score) {
            candidate.refused = Some(scores);
        }
        self.state = if score >= refuses { State::Doubt(candidate) } else { State::Refused(candidate) };
        Decision::Nothing
    }

    /// Before the first look.
    fn rise(&mut self, candidate: Candidate, goes_on: bool) -> Decision {
        self.state = State::Rising(candidate);
        if !self.thresholds.has_second_stage {
            return self.decide_alone(candidate);
        }
        let waits = goes_on && self.at - candidate.rise < RISE_MAX;
        if waits || !self.may_look() { Decision::Nothing } else { Decision::Look { is_first: true } }
    }

    /// Between two looks.
    fn doubt(&mut self, candidate: Candidate) -> Decision {
        self.state = State::Doubt(candidate);
        let waits = self.at - candidate.looked < SECOND_LOOK;
        if waits || !self.may_look() { Decision::Nothing } else { Decision::Look { is_first: false } }
    }

    /// Not deaf after a refusal: what rises again, or stays up for long, is looked at anew.
    fn after_refusal(&mut self, mut candidate: Candidate) -> Decision {
        let near_miss = candidate.near_miss();
        if self.is_over(candidate.last) {
            self.state = State::Waiting;
            return near_miss;
        }
        let is_back = logit(candidate.last) >= logit(candidate.lowest) + COMEBACK;
        let stays_up = self.at - candidate.looked >= LOOK_AGAIN;
        if candidate.last >= self.thresholds.trigger && (is_back || stays_up) {
            return self.rise(Candidate { rise: self.at, peak: candidate.last, looks: 0, ..candidate }, is_back);
        }
        let is_due = self.at - candidate.began >= TOLD_AFTER;
        candidate.is_told |= is_due;
        self.state = State::Refused(candidate);
        if is_due { near_miss } else { Decision::Nothing }
    }

    /// The light tier: the first stage's score decides at once.
    fn decide_alone(&mut self, candidate: Candidate) -> Decision {
        let scores = Scores { peak: candidate.peak, log_probability: None, score: candidate.peak };
        if candidate.last >= self.thresholds.alone {
            return self.wake(scores);
        }
        if self.is_over(candidate.last) {
            self.state = State::Waiting;
            return Decision::NearMiss(scores);
        }
        Decision::Nothing
    }

    fn wake(&mut self, scores: Scores) -> Decision {
        self.state = State::Resting { since: self.at };
        Decision::Wake(scores)
    }

    /// Whether the score has fallen so far that what raised it is over. One that is no number has.
    fn is_over(&self, score: f32) -> bool {
        score.is_nan() || score < self.thresholds.trigger * REARM
    }

    /// Whether one more look fits into this second; if so it is counted.
    fn may_look(&mut self) -> bool {
        let at = self.at;
        let free = self.looks.iter_mut().find(|look| look.is_none_or(|look| at - look >= SECOND));
        free.map(|look| *look = Some(at)).is_some()
    }
}

impl Candidate {
    const fn new(score: f32, at: SampleIndex) -> Self {
        Self {
            began: at,
            rise: at,
            peak: score,
            last: score,
            lowest: score,
            looks: 0,
            looked: at,
            refused: None,
            is_told: false,
        }
    }

    const fn hear(self, score: f32) -> Self {
        Self { peak: self.peak.max(score), lowest: self.lowest.min(score), last: score, ..self }
    }

    /// What is to be told of it, unless it was.
    fn near_miss(&self) -> Decision {
        self.refused.filter(|_| !self.is_told).map_or(Decision::Nothing, Decision::NearMiss)
    }
}

impl Thresholds {
    /// A threshold of one's own leaves the first look no laxer than the second, and refuses nothing that would be accepted.
    fn new(model: &WordModel, tuning: Tuning, has_second_stage: bool) -> Self {
        let Verify { trigger, accept_at_once, refuse_at_once, accept, .. } = model.verify;
        // As written where nothing is moved: 1 is never reached, and 0 always.
        let moved = |threshold: f32| match tuning.shift {
            0.0 => threshold,
            shift => sigmoid(logit(threshold) - shift),
        };
        let alone = moved(tuning.threshold.unwrap_or(model.threshold));
        // Where hearing is widened, the trigger must not stand in the way.
        let trigger = trigger.min(moved(trigger));
        let own = tuning.threshold;
        Self {
            has_second_stage,
            trigger: if has_second_stage { trigger } else { trigger.min(alone) },
            rearm: REARM * if has_second_stage { trigger } else { alone },
            alone,
            accept_at_once: moved(own.map_or(accept_at_once, |own| accept_at_once.max(own))),
            refuse_at_once: moved(own.map_or(refuse_at_once, |own| refuse_at_once.min(own))),
            accept: moved(own.unwrap_or(accept)),
        }
    }
}
