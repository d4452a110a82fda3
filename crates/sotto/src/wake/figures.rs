//! A word's scores as tables and a curve: misses by condition and false accepts, each with its interval.

use std::fmt::Write;

use learn::wake::Condition;
use learn::wake::parts::FOLDS;
use learn::wake::scores::{Scores, Tier, poisson_upper, wilson};

/// By how much every threshold is raised for the points of the curve.
pub(crate) const CURVE: [f32; 11] = [-6.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0];

/// The two lines that begin a table of misses by condition and false accepts, with what its first column holds.
pub(crate) fn head(first: &str, conditions: impl Iterator<Item = Condition>) -> String {
    let names: Vec<&str> = conditions.map(Condition::name).collect();
    let marks = "---|".repeat(names.len());
    format!("| {first} | {} | false accepts an hour |\n|---|{marks}---|\n", names.join(" | "))
}

/// Misses by condition and false accepts an hour, of both tiers.
pub(crate) fn table(scores: &Scores) -> String {
    let mut text = head("tier", Condition::ALL.into_iter());
    for (tier, name) in [(Tier::Both, "both stages"), (Tier::Light, "light, the first alone")] {
        let _ = writeln!(text, "| {name} | {} |", cells(scores, tier, 0.0, true).join(" | "));
    }
    text
}

/// The detection-error curve: all thresholds raised and lowered together.
pub(crate) fn curve(scores: &Scores) -> String {
    let mut text = head("raised by", Condition::ALL.into_iter());
    for raised in CURVE {
        let _ = writeln!(text, "| {raised} | {} |", cells(scores, Tier::Both, raised, false).join(" | "));
    }
    text
}

/// What was missed and what woke wrongly, by name.
pub(crate) fn failures(scores: &Scores) -> String {
    let mut text = String::new();
    for condition in Condition::ALL {
        for word in scores.missed(Tier::Both, condition, 0.0) {
            let told = word.look.map_or("the first stage did not trigger".to_owned(), |look| {
                format!("first stage {:.1} (logit), recogniser {:.1}", look.peaks[1], look.words[1])
            });
            let _ = writeln!(text, "* missed, {}: {} ({told})", condition.name(), word.clip);
        }
    }
    for other in scores.accepted(Tier::Both, 0.0) {
        let [peak, word] = [other.look.peaks[1], other.look.words[1]];
        let (recording, at_s) = (&other.recording, other.at_s);
        let _ = writeln!(
            text,
            "* false accept: {recording} at {at_s:.1} s (first stage {peak:.1}, recogniser {word:.1})"
        );
    }
    text
}

fn cells(scores: &Scores, tier: Tier, raised: f32, with_interval: bool) -> Vec<String> {
    let clips = scores.clips();
    let mut cells: Vec<String> = Condition::ALL
        .into_iter()
        .map(|condition| {
            let missed = scores.missed(tier, condition, raised).count();
            let part = 100.0 * missed as f64 / clips.max(1) as f64;
            let [low, high] = wilson(missed, clips);
            if with_interval { format!("{part:.1} % ({low:.1}–{high:.1})") } else { format!("{part:.1}") }
        })
        .collect();
    let (accepts, hours) = (scores.accepted(tier, raised).count(), scores.hours().max(1e-9));
    let (rate, bound) = (accepts as f64 / hours, poisson_upper(accepts) / hours);
    cells.push(if with_interval {
        format!("{rate:.2} ({accepts} in {hours:.2} h; below {bound:.2})")
    } else {
        format!("{rate:.2} ({accepts})")
    });
    cells
}

/// Who says the clips: those of people are named by their path below the recordings, those of voices by a file alone.
pub(crate) fn speech(scores: &Scores) -> &'static str {
    let is_voice = |clip: &str| !clip.contains('/') && !clip.contains(" at ");
    if scores.words.iter().any(|word| is_voice(&word.clip)) { "synthetic" } else { "human" }
}

/// The same for a sentence.
pub(crate) fn kind(scores: &Scores) -> &'static str {
    if speech(scores) == "human" { "people" } else { "synthetic voices" }
}

/// How many folds were judged.
pub(crate) fn folds(scores: &Scores) -> String {
    match scores.folds.len() {
        all if all == usize::from(FOLDS) => format!("all {FOLDS} folds were judged"),
        some => format!("only {some} of {FOLDS} folds were judged"),
    }
}
