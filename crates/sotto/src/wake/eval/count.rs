//! What playing a table of recordings came to, as figures with their intervals and as a curve.

use std::collections::{BTreeMap, BTreeSet};

use base::SAMPLE_RATE_HZ;
use learn::wake::Condition;
use learn::wake::scores::{poisson_upper, wilson};
use serde_json::{Value, json};

use super::cost::{Cost, told};
use crate::failure::Failure;
use crate::wake::figures::{CURVE, head};
use crate::wake::thousandths;

/// What is counted. A margin is how far a score's logit is above the threshold's; a clip's is the best since its onset, and
/// less than any where nothing came of it.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub(super) clips: usize,
    /// Who speaks, as far as the table says.
    pub(super) kinds: BTreeSet<String>,
    /// For each condition that was played: each clip's margin.
    pub(super) words: Vec<(Condition, f32)>,
    pub(super) missed: Vec<(Condition, String)>,
    pub(super) other_samples: usize,
    /// The margin of each candidate in other speech.
    pub(super) others: Vec<f32>,
    pub(super) false_accepts: Vec<String>,
    pub(super) samples: usize,
    pub(super) cpu_s: f64,
}

impl Count {
    /// The conditions that were played, in their order.
    fn conditions(&self) -> impl Iterator<Item = Condition> {
        Condition::ALL.into_iter().filter(|condition| self.words.iter().any(|(own, _)| own == condition))
    }

    /// How many are missed where the threshold is raised by so many logits.
    fn missed(&self, condition: Condition, raised: f32) -> usize {
        self.words.iter().filter(|(own, margin)| *own == condition && *margin < raised).count()
    }

    fn accepts(&self, raised: f32) -> usize {
        self.others.iter().filter(|margin| **margin >= raised).count()
    }

    fn hours(&self) -> f64 {
        self.other_samples as f64 / f64::from(SAMPLE_RATE_HZ) / 3_600.0
    }

    /// So many an hour, and the upper end of the interval.
    fn per_hour(&self, accepts: usize) -> [f64; 2] {
        let hours = self.hours();
        if hours > 0.0 { [accepts as f64 / hours, poisson_upper(accepts) / hours] } else { [0.0, f64::INFINITY] }
    }

    fn cpu(&self) -> f64 {
        self.cpu_s / (self.samples as f64 / f64::from(SAMPLE_RATE_HZ)).max(1e-9)
    }

    fn speech(&self) -> String {
        let kinds: Vec<&str> = self.kinds.iter().map(String::as_str).collect();
        if kinds.is_empty() { "unknown".to_owned() } else { kinds.join(", ") }
    }

    /// One object.
    pub(super) fn as_json(&self, word: &str, stage: u8, cost: &Result<Cost, Failure>) -> Value {
        let conditions: Vec<Value> = self
            .conditions()
            .map(|condition| {
                let missed = self.missed(condition, 0.0);
                let [low, high] = wilson(missed, self.clips).map(thousandths);
                let curve = CURVE.map(|raised| json!([raised, self.missed(condition, raised)]));
                json!({ "condition": condition.name(), "missed": missed, "low": low, "high": high, "curve": curve })
            })
            .collect();
        let missed: BTreeMap<&str, usize> =
            self.conditions().map(|condition| (condition.name(), self.missed(condition, 0.0))).collect();
        let [per_hour, at_most] = self.per_hour(self.false_accepts.len());
        json!({
            "word": word, "stage": stage, "speech": self.speech(), "clips": self.clips, "missed": missed,
            "conditions": conditions,
            "hours": thousandths(self.hours()), "false_accepts": self.false_accepts,
            "false_accepts_per_hour": thousandths(per_hour), "at_most_per_hour": thousandths(at_most),
            "false_accepts_curve": CURVE.map(|raised| json!([raised, self.accepts(raised)])),
            "cpu_per_stream": thousandths(self.cpu()), "cost": cost.as_ref().map_or(Value::Null, Cost::as_json),
        })
    }

    /// Lines for people.
    pub(super) fn as_text(&self, cost: &Result<Cost, Failure>) -> String {
        let clips = self.clips;
        let mut lines: Vec<String> = Vec::new();
        lines.extend(self.missed.iter().map(|(condition, name)| format!("missed, {}: {name}", condition.name())));
        lines.extend(self.false_accepts.iter().map(|name| format!("false accept: {name}")));
        lines.push(format!("{clips} clips of the word, speech: {}", self.speech()));
        lines.extend(self.conditions().map(|condition| {
            let missed = self.missed(condition, 0.0);
            let [low, high] = wilson(missed, clips);
            format!("{}: {missed} of {clips} missed ({low:.1}–{high:.1} %)", condition.name())
        }));
        let (count, hours) = (self.false_accepts.len(), self.hours());
        let [per_hour, bound] = self.per_hour(count);
        lines.push(format!("{count} false accepts in {hours:.2} h: {per_hour:.2} an hour, below {bound:.2}"));
        lines.push(format!("{:.2} % of a core per stream\n", 100.0 * self.cpu()));
        lines.push(head("threshold raised by (logit)", self.conditions()).trim_end().to_owned());
        for raised in CURVE {
            let per_cent = |condition| 100.0 * self.missed(condition, raised) as f64 / clips.max(1) as f64;
            let cells: Vec<String> = self.conditions().map(|one| format!("{:.1}", per_cent(one))).collect();
            let accepts = self.accepts(raised);
            lines.push(format!(
                "| {raised} | {} | {:.2} ({accepts}) |",
                cells.join(" | "),
                self.per_hour(accepts)[0]
            ));
        }
        lines.push(String::new());
        lines.push(told(cost));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_was_not_played_has_no_figure() {
        let count = Count {
            clips: 3,
            words: [2.5, -1.0, f32::NEG_INFINITY].map(|margin| (Condition::Clean, margin)).into(),
            others: vec![-2.5, 0.5],
            false_accepts: vec!["there".to_owned()],
            other_samples: 3_600 * 16_000,
            ..Count::default()
        };
        let cost = Err(Failure::no("nobody measured"));
        let object = count.as_json("word", 2, &cost);
        let conditions = object["conditions"].as_array().expect("a list");
        assert_eq!(conditions.len(), 1, "{object}");
        assert_eq!((conditions[0]["condition"].as_str(), conditions[0]["missed"].as_u64()), (Some("clean"), Some(2)));
        let text = count.as_text(&cost);
        assert!(text.contains("| -3 | 33.3 | 2.00 (2) |") && text.contains("| 3 | 100.0 | 0.00 (0) |"), "{text}");
        assert!(!text.contains("kitchen"), "{text}");
    }
}
