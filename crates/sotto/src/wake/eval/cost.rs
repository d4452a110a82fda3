//! What listening costs, measured on the ear's own process while the command runs: CPU of one core a stream, and memory.

use std::path::Path;

use base::SAMPLE_RATE_HZ;
use ear::Word;
use learn::random::Chance;
use learn::voices::Voice;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::places::Places;
use crate::wake::ear_process::{EarCost, play};
use crate::wake::{material, thousandths};

/// Pieces that are played, and how long each is: a quiet room with the word in it.
const PIECES: usize = 24;
const PIECE: usize = 10 * SAMPLE_RATE_HZ as usize;
const WORD_AT: usize = 4 * SAMPLE_RATE_HZ as usize;
const ROOM: f32 = 8.0;
/// How often the second stage is taken to be asked.
const TRIGGERS_PER_HOUR: f64 = 5.0;
/// Student's t for a 95 % interval of 24 values.
const T: f64 = 2.069;

/// A mean with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mean {
    pub(super) mean: f64,
    pub(super) reach: f64,
}

/// What was measured.
#[derive(Debug)]
pub(super) struct Cost {
    /// Whose word was played.
    pub(super) speech: &'static str,
    /// CPU of one core: the first stage, all the time.
    pub(super) light: Mean,
    pub(super) light_bytes: u64,
    /// With the recogniser, where it is there.
    pub(super) both: Option<Both>,
}

#[derive(Debug)]
pub(super) struct Both {
    /// CPU seconds for each trigger, with its one or two looks.
    pub(super) trigger_s: Mean,
    /// CPU of one core, at five triggers an hour.
    pub(super) cpu: Mean,
    pub(super) bytes: u64,
}

/// Plays the word to a `sotto-ear` of each tier. A word that does not ship is measured with "alexa": all cost the same.
pub(super) fn measure(word: &str, data: Option<&Path>, places: &Places) -> Result<Cost, Failure> {
    let word = Word::from_name(word).unwrap_or(Word::Alexa).name();
    let (clips, speech) = words(word, data)?;
    let mut chance = Chance::new(3);
    let pieces: Vec<Vec<i16>> = (0..PIECES).map(|index| piece(&clips[index % clips.len()], &mut chance)).collect();
    let alone = play(word, true, places, &pieces)?;
    let seconds = PIECE as f64 / f64::from(SAMPLE_RATE_HZ);
    let light = Mean::of(&alone.cpu_s.iter().map(|cpu| cpu / seconds).collect::<Vec<_>>());
    let both = play(word, false, places, &pieces)?;
    Ok(Cost { speech, light, light_bytes: alone.peak_bytes, both: with_second_stage(light, &alone, &both) })
}

/// None where the recogniser was not there to be asked.
fn with_second_stage(light: Mean, alone: &EarCost, both: &EarCost) -> Option<Both> {
    (both.looked_at > 0).then_some(())?;
    let triggers_a_piece = both.looked_at as f64 / PIECES as f64;
    let more: Vec<f64> =
        both.cpu_s.iter().zip(&alone.cpu_s).map(|(both, alone)| (both - alone) / triggers_a_piece).collect();
    let trigger_s = Mean::of(&more);
    let a_second = TRIGGERS_PER_HOUR / 3_600.0;
    let cpu =
        Mean { mean: light.mean + a_second * trigger_s.mean, reach: light.reach.hypot(a_second * trigger_s.reach) };
    Some(Both { trigger_s, cpu, bytes: both.peak_bytes })
}

/// Some clips of the word, by people where the recordings hold any.
fn words(word: &str, data: Option<&Path>) -> Result<(Vec<Vec<i16>>, &'static str), Failure> {
    let human = data.map_or(Ok(Vec::new()), |data| material::people_saying(data, word, PIECES))?;
    if !human.is_empty() {
        return Ok((human, "human"));
    }
    let mut chance = Chance::new(4);
    let said = (0..PIECES).map(|_| Voice::draw(&mut chance).say(word)).collect::<Result<Vec<_>, _>>();
    Ok((said.map_err(|why| Failure::no(why.to_string()))?, "synthetic"))
}

fn piece(clip: &[i16], chance: &mut Chance) -> Vec<i16> {
    let mut pcm: Vec<i16> = (0..PIECE).map(|_| (chance.normal() * ROOM) as i16).collect();
    for (slot, sample) in pcm[WORD_AT..].iter_mut().zip(clip) {
        *slot = slot.saturating_add(*sample);
    }
    pcm
}

impl Mean {
    fn of(values: &[f64]) -> Self {
        let count = values.len().max(2) as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { mean, reach: T * (variance / count).sqrt() }
    }

    fn per_cent(self) -> String {
        let (mean, low, high) =
            (100.0 * self.mean, 100.0 * (self.mean - self.reach), 100.0 * (self.mean + self.reach));
        format!("{mean:.3} % ({low:.3}–{high:.3})")
    }
}

impl Cost {
    /// Lines of a table.
    pub(super) fn as_text(&self) -> String {
        let megabytes = |bytes: u64| format!("{:.0} MB", bytes as f64 / 1e6);
        let mut text = format!(
            "| `sotto-ear`, the word {} | CPU of one core a stream | memory at its peak |\n|---|---|---|\n",
            if self.speech == "human" { "by people" } else { "by synthetic voices" }
        );
        text += &format!("| light tier | {} | {} |\n", self.light.per_cent(), megabytes(self.light_bytes));
        text += &match &self.both {
            Some(both) => format!(
                "| both stages, {TRIGGERS_PER_HOUR} triggers an hour of {:.0} ms each | {} | {} |\n",
                1e3 * both.trigger_s.mean,
                both.cpu.per_cent(),
                megabytes(both.bytes)
            ),
            None => "| both stages | the recogniser was not asked (sotto models fetch gets it) | |\n".to_owned(),
        };
        text
    }

    /// The same as one object.
    pub(super) fn as_json(&self) -> Value {
        let mean = |mean: Mean| json!({ "mean": precise(mean.mean), "low": precise(mean.mean - mean.reach), "high": precise(mean.mean + mean.reach) });
        json!({
            "speech": self.speech, "light_cpu": mean(self.light), "light_memory_mb": thousandths(self.light_bytes as f64 / 1e6),
            "both_cpu": self.both.as_ref().map(|both| mean(both.cpu)), "triggers_per_hour": TRIGGERS_PER_HOUR,
            "trigger_cpu_s": self.both.as_ref().map(|both| mean(both.trigger_s)),
            "both_memory_mb": self.both.as_ref().map(|both| thousandths(both.bytes as f64 / 1e6)),
        })
    }
}

/// What was measured, or why it was not.
pub(super) fn told(cost: &Result<Cost, Failure>) -> String {
    cost.as_ref().map_or_else(|why| format!("CPU and memory were not measured: {why}\n"), Cost::as_text)
}

/// Six digits behind the point: a share of a core is small.
fn precise(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_trigger_costs_is_what_the_second_stage_adds() {
        let alone = EarCost { cpu_s: vec![0.02; PIECES], ..EarCost::default() };
        let looked_at = 2 * PIECES;
        let both = EarCost { cpu_s: vec![0.12; PIECES], looked_at, peak_bytes: 7 };
        let light = Mean { mean: 0.002, reach: 0.0 };
        let both_stages = with_second_stage(light, &alone, &both).expect("it was asked");
        assert!((both_stages.trigger_s.mean - 0.05).abs() < 1e-9);
        assert!((both_stages.cpu.mean - (0.002 + 5.0 * 0.05 / 3_600.0)).abs() < 1e-9);
        assert!(with_second_stage(light, &alone, &alone).is_none());
    }

    #[test]
    fn a_mean_knows_how_far_it_may_be_off() {
        let values: Vec<f64> = (0..24).map(|index| f64::from(index % 2)).collect();
        let Mean { mean, reach } = Mean::of(&values);
        assert!((mean - 0.5).abs() < 1e-9 && (reach - 0.2157).abs() < 1e-3, "{mean} {reach}");
    }
}
