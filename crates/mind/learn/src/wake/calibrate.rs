//! Thresholds and weights of both stages, from what they made of recordings that their networks never met.

use ear::Verify;

use super::looks::Look;

/// Triggers of the first stage an hour of the inner part's hard speech, where the second follows. What the first stage does
/// not trigger on is lost. A hundred in an hour of speech without a pause, nearly all refused by a window of 20 ms at each of
/// two looks, are a thousandth of a core. Silence and noise trigger nothing.
pub const TRIGGERS_PER_HOUR: f64 = 100.0;
/// The false accepts an hour that thresholds are set for: below what is promised, since few hours tell little.
pub const ACCEPTS_PER_HOUR: f64 = 0.06;
/// Weights of the first stage's logit that are tried; the recogniser's is 1.
const LOGIT_WEIGHTS: [f32; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0];
/// How many of the highest scores of other speech their tail is told from.
const TAIL: usize = 12;
/// The slope of the fused score: how much of a logit one unit of log-probability is.
const SLOPE: f32 = 1.0;
/// How far below the threshold a first look may end it at once: farther than any word has risen since.
const HOPELESS: f32 = 12.0;

/// What the recognised looks are weighed with, and the sum at which the word counts as said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Of the first stage's logit.
    pub logit_weight: f32,
    /// The sum that wakes.
    pub threshold: f32,
}

impl Fit {
    /// Chooses the weight that loses fewest of `words` (for each, the looks at it) where other speech, `others` looks
    /// in `hours`, wakes [`ACCEPTS_PER_HOUR`]; `caution` is that of [`threshold_at`].
    #[must_use]
    pub fn new(words: &[Vec<Look>], others: &[Look], hours: f64, caution: f64) -> Self {
        let mut best = (f64::MAX, Self { logit_weight: LOGIT_WEIGHTS[2], threshold: 0.0 });
        for logit_weight in LOGIT_WEIGHTS {
            let scores: Vec<f32> = others.iter().map(|look| look.fused(logit_weight)).collect();
            let fit = Self { logit_weight, threshold: threshold_at(&scores, hours, ACCEPTS_PER_HOUR, caution) };
            // A soft count, so that a word just above the threshold counts as half lost.
            let lost: f64 = words.iter().map(|looks| f64::from(sigmoid(-2.0 * fit.margin(looks)))).sum();
            if lost < best.0 {
                best = (lost, fit);
            }
        }
        best.1
    }

    /// How far above the threshold the best of `looks` is.
    #[must_use]
    pub fn margin(&self, looks: &[Look]) -> f32 {
        looks.iter().map(|look| look.fused(self.logit_weight)).fold(-99.0, f32::max) - self.threshold
    }

    /// The same as values of the weights' file; the threshold becomes a fused score of one half.
    #[must_use]
    pub fn verify(&self, spellings: Vec<String>, trigger: f32) -> Verify {
        Verify {
            spellings,
            trigger,
            logit_weight: SLOPE * self.logit_weight,
            word_weight: SLOPE,
            bias: -SLOPE * self.threshold,
            accept_at_once: 0.5,
            refuse_at_once: sigmoid(-HOPELESS),
            accept: 0.5,
        }
    }
}

/// The score that other speech reaches `per_hour` times an hour. Its highest scores are taken to fall off as an
/// exponential does, which tells rates that are too low to be counted; their mean excess, told from a dozen, is taken for
/// `caution` of its standard errors more than it is.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a dozen")]
pub fn threshold_at(scores: &[f32], hours: f64, per_hour: f64, caution: f64) -> f32 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let allowed = per_hour * hours;
    if allowed >= 2.0 {
        // Enough to count them.
        let index = allowed as usize;
        return sorted.get(index).copied().unwrap_or(sorted.last().copied().unwrap_or(0.0));
    }
    let tail = sorted.len().min(TAIL + 1);
    let Some(base) = tail.checked_sub(1).and_then(|last| sorted.get(last)).copied() else { return 0.0 };
    let count = (tail - 1).max(1) as f64;
    let excess = sorted[..tail].iter().map(|score| f64::from(score - base)).sum::<f64>() / count;
    // The standard error of an exponential's mean is the mean over the root of the count.
    let excess = excess.max(0.05) * (1.0 + caution / count.sqrt());
    let by_tail = f64::from(base) + excess * (count / allowed).max(1.0).ln();
    by_tail as f32
}

fn sigmoid(value: f32) -> f32 {
    ear::net::sigmoid(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(peak: f32, word: f32) -> Look {
        Look { peaks: [peak; 2], words: [word; 2], top: peak, at: 0 }
    }

    #[test]
    fn a_rate_that_can_be_counted_is_counted() {
        let scores: Vec<f32> = (0..100).map(|index| index as f32).collect();
        // Ten an hour in one hour: ten scores lie above.
        let threshold = threshold_at(&scores, 1.0, 10.0, 0.0);
        assert_eq!(scores.iter().filter(|score| **score > threshold).count(), 10);
    }

    #[test]
    fn a_rarer_score_is_told_from_the_tail() {
        // An exponential's quantiles, one unit a factor of e.
        let scores: Vec<f32> = (1..=200).map(|rank| (200.0 / rank as f32).ln()).collect();
        let threshold = threshold_at(&scores, 10.0, 0.1, 0.0);
        assert!((threshold - 200.0_f32.ln()).abs() < 1.0, "{threshold}");
        assert!(threshold_at(&scores, 10.0, 0.01, 0.0) > threshold + 1.5);
        // One of the twelve excesses, about a unit in the mean, is allowed: ln 12 units above them, and the standard error of
        // each unit is the root of a twelfth.
        let cautious = threshold_at(&scores, 10.0, 0.1, 1.0) - threshold;
        assert!((0.5..0.9).contains(&cautious), "{cautious}");
    }

    #[test]
    fn the_weight_that_loses_fewest_words_is_chosen() {
        // Other speech reaches as far by the first stage as the words do: only the recogniser tells them apart.
        let others: Vec<Look> = (0..60).map(|index| look(index as f32 / 6.0, -10.0 - index as f32 / 20.0)).collect();
        let words: Vec<Vec<Look>> = (0..50).map(|index| vec![look(index as f32 / 12.0, -0.5)]).collect();
        let fit = Fit::new(&words, &others, 8.0, 0.0);
        assert!(fit.logit_weight < 0.5, "{fit:?}");
        assert!(words.iter().all(|looks| fit.margin(looks) > 0.0));
        assert!(others.iter().all(|other| fit.margin(&[*other]) < 0.0));
        let verify = fit.verify(vec![" Word".into()], 0.2);
        assert!(verify.fuse(0.5, -0.5) > 0.5 && verify.fuse(0.5, -12.0) < 0.5);
    }
}
