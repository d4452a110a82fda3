//! The figures of scores out of fold, for people and for programs, and how two sets of scores differ.

use learn::wake::Condition;
use learn::wake::scores::{Scores, Tier, WordLine, poisson_upper, wilson};
use serde_json::{Value, json};

use super::cost::{Cost, told};
use crate::failure::Failure;
use crate::wake::{figures, thousandths};

/// How scores made anew differ from others.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Differences {
    /// Clips in conditions that both have.
    common: usize,
    /// Rows that only one of both has.
    alone: usize,
    /// Those of `common` whose scores are others.
    changed: usize,
    /// The farthest that a clip's first stage lies off, in logits.
    farthest: f32,
    /// Those that are missed now and were not, and the other way.
    lost: usize,
    gained: usize,
    /// False accepts of both stages, before and now.
    accepts: [usize; 2],
}

/// Row by row.
pub(super) fn differences(before: &Scores, now: &Scores) -> Differences {
    let find =
        |word: &WordLine| before.words.iter().find(|old| old.condition == word.condition && old.clip == word.clip);
    let missed = |scores: &Scores, word: &WordLine| scores.word_margin(Tier::Both, word) < 0.0;
    let mut found = Differences {
        accepts: [before, now].map(|scores| scores.accepted(Tier::Both, 0.0).count()),
        ..Differences::default()
    };
    for word in &now.words {
        let Some(old) = find(word) else {
            found.alone += 1;
            continue;
        };
        found.common += 1;
        found.farthest = found.farthest.max((old.peak - word.peak).abs());
        found.changed += usize::from((old.peak, old.look) != (word.peak, word.look));
        match (missed(before, old), missed(now, word)) {
            (false, true) => found.lost += 1,
            (true, false) => found.gained += 1,
            _ => {}
        }
    }
    found.alone += before.words.len() - found.common;
    found
}

impl Differences {
    fn as_text(&self) -> String {
        let Self { common, alone, changed, farthest, lost, gained, accepts: [before, now] } = self;
        if *changed + *alone + *lost + *gained == 0 && before == now {
            return format!("Made anew, they are as they were: {common} clips in conditions, {now} false accepts.");
        }
        format!(
            "Made anew, {changed} of {common} clips in conditions score otherwise (the first stage by {farthest:.2} at \
             most, as a logit): {lost} that were heard are missed, {gained} that were missed are heard; {now} false \
             accepts, were {before}. {alone} stand in one of both alone."
        )
    }

    fn as_json(&self) -> Value {
        let Self { common, alone, changed, farthest, lost, gained, accepts: [before, now] } = self;
        json!({
            "common": common, "alone": alone, "changed": changed, "farthest_logit": thousandths(f64::from(*farthest)),
            "lost": lost, "gained": gained, "false_accepts_before": before, "false_accepts_now": now,
        })
    }
}

/// Prints all of it. What could not be measured is said in its place.
pub(super) fn print(
    is_json: bool,
    word: &str,
    scores: &Scores,
    cost: &Result<Cost, Failure>,
    differences: Option<&Differences>,
) -> Result<(), Failure> {
    let triggers = scores.others.len() as f64 / scores.hours().max(1e-9);
    if is_json {
        let line = json!({
            "word": word, "out_of_fold": true, "folds": scores.folds.len(), "speech": figures::speech(scores),
            "clips": scores.clips(), "hours": thousandths(scores.hours()), "triggers_per_hour": thousandths(triggers),
            "tiers": [tier(scores, Tier::Both, "both"), tier(scores, Tier::Light, "light")],
            "cost": cost.as_ref().map_or(Value::Null, Cost::as_json),
            "differences": differences.map(Differences::as_json),
        });
        return crate::print_line(&line.to_string());
    }
    crate::print_line(&format!(
        "\"{word}\", out of fold ({}): {} clips by {}, {:.2} h of other speech by people, {triggers:.1} triggers of the first stage an hour.\n\n{}\n{}\n{}\n{}",
        figures::folds(scores),
        scores.clips(),
        figures::kind(scores),
        scores.hours(),
        figures::table(scores),
        figures::curve(scores),
        told(cost),
        figures::failures(scores),
    ))?;
    if let Some(differences) = differences {
        crate::print_line(&differences.as_text())?;
    }
    Ok(())
}

fn tier(scores: &Scores, tier: Tier, name: &str) -> Value {
    let (clips, hours) = (scores.clips(), scores.hours().max(1e-9));
    let conditions = Condition::ALL.map(|condition| {
        let missed = scores.missed(tier, condition, 0.0).count();
        let [low, high] = wilson(missed, clips).map(thousandths);
        let curve = scores.curve(tier, condition);
        let curve: Vec<Value> = curve.iter().map(|point| json!([point.accepts, point.missed])).collect();
        json!({
            "condition": condition.name(), "clips": clips, "missed": missed,
            "missed_per_cent": thousandths(100.0 * missed as f64 / clips.max(1) as f64), "low": low, "high": high,
            "curve": curve,
        })
    });
    let accepts = scores.accepted(tier, 0.0).count();
    json!({
        "tier": name, "conditions": conditions, "false_accepts": accepts,
        "false_accepts_per_hour": thousandths(accepts as f64 / hours),
        "at_most_per_hour": thousandths(poisson_upper(accepts) / hours),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wake::shipped_scores;

    #[test]
    fn scores_differ_from_others_but_not_from_themselves() {
        let scores = Scores::from_text(shipped_scores("alexa").expect("ships")).expect("whole");
        let same = differences(&scores, &scores);
        assert!(same.as_text().starts_with("Made anew, they are as they were"), "{same:?}");
        let mut others = scores.clone();
        let heard = others.words.iter().position(|word| scores.word_margin(Tier::Both, word) >= 0.0);
        let heard = heard.expect("most are");
        (others.words[heard].peak, others.words[heard].look) = (-9.0, None);
        others.words.pop();
        let found = differences(&scores, &others);
        assert_eq!((found.lost, found.gained, found.changed, found.alone), (1, 0, 1, 1), "{found:?}");
        assert!(found.farthest > 1.0);
    }
}
