//! The scores of clips and speech that weights never met, as a table that can be kept: from it all figures are told.
//!
//! Lines of cells with tabs between; the first says what a line is: `fold` (its thresholds), `word` (a clip in a
//! condition), `other` (a trigger on speech without the word), `#` (a remark).

use std::fmt::Write;

use ear::logit;

use super::calibrate::Fit;
use super::folds::{Judged, OtherRow, WordRow};
use super::judge::Condition;
use super::looks::{LOOKS, Look};
use super::material::Material;

/// The thresholds of one fold's weights, and how much speech judged them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FoldLine {
    /// The first stage's threshold where the second follows.
    pub trigger: f32,
    /// The first stage's threshold where it stands alone.
    pub light: f32,
    /// How the second stage decides.
    pub fit: Fit,
    /// Hours of speech without the word.
    pub hours: f64,
}

/// A clip of the word.
#[derive(Clone, Debug, PartialEq)]
pub struct WordLine {
    /// Its fold.
    pub fold: usize,
    /// What it was heard in.
    pub condition: Condition,
    /// The clip.
    pub clip: String,
    /// The logit of the first stage's highest score within the word's time.
    pub peak: f32,
    /// The best look at it, where there was one.
    pub look: Option<Look>,
}

/// A trigger on speech without the word.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherLine {
    /// Its fold.
    pub fold: usize,
    /// The recording.
    pub recording: String,
    /// Where in it the first stage triggered, in seconds.
    pub at_s: f64,
    /// What the stages made of it.
    pub look: Look,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// By fold.
    pub folds: Vec<FoldLine>,
    /// Clips in conditions.
    pub words: Vec<WordLine>,
    /// Triggers on other speech.
    pub others: Vec<OtherLine>,
}

/// Which stages decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// The first alone.
    Light,
    /// Both.
    Both,
}

impl Scores {
    /// Adds a fold's; folds are added in order.
    pub fn add(&mut self, judged: &Judged, material: &Material) {
        let fold = self.folds.len();
        let Judged { trigger, light, fit, hours, .. } = *judged;
        self.folds.push(FoldLine { trigger, light, fit, hours });
        let best =
            |looks: &[Look]| looks.iter().copied().max_by(|a, b| fit.margin(&[*a]).total_cmp(&fit.margin(&[*b])));
        self.words.extend(judged.words.iter().map(|WordRow { clip, condition, peak, looks }| WordLine {
            fold,
            condition: *condition,
            clip: material.clips[*clip].word.name.clone(),
            peak: *peak,
            look: best(looks),
        }));
        self.others.extend(judged.others.iter().map(|OtherRow { stretch, look }| OtherLine {
            fold,
            recording: material.stretches[*stretch].name.clone(),
            at_s: (material.stretches[*stretch].start + look.at) as f64 / f64::from(base::SAMPLE_RATE_HZ),
            look: *look,
        }));
    }

    /// Clips of people or voices in each condition.
    #[must_use]
    pub fn clips(&self) -> usize {
        self.words.iter().filter(|word| word.condition == Condition::Clean).count()
    }

    /// Hours of speech without the word.
    #[must_use]
    pub fn hours(&self) -> f64 {
        self.folds.iter().map(|fold| fold.hours).sum()
    }

    /// The clips missed in `condition` where every threshold is raised by `raised` (in logits or log-probability).
    pub fn missed(&self, tier: Tier, condition: Condition, raised: f32) -> impl Iterator<Item = &WordLine> {
        let own = self.words.iter().filter(move |word| word.condition == condition);
        own.filter(move |word| {
            let fold = self.folds[word.fold];
            match tier {
                Tier::Light => word.peak < logit(fold.light) + raised,
                Tier::Both => word.look.is_none_or(|look| fold.fit.margin(&[look]) < raised),
            }
        })
    }

    /// The false accepts where every threshold is raised by `raised`.
    pub fn accepted(&self, tier: Tier, raised: f32) -> impl Iterator<Item = &OtherLine> {
        self.others.iter().filter(move |other| {
            let fold = self.folds[other.fold];
            match tier {
                Tier::Light => other.look.top >= logit(fold.light) + raised,
                Tier::Both => fold.fit.margin(&[other.look]) >= raised,
            }
        })
    }

    /// As a table.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for FoldLine { trigger, light, fit, hours } in &self.folds {
            let Fit { logit_weight, threshold } = fit;
            let _ = writeln!(text, "fold\t{trigger}\t{light}\t{logit_weight}\t{threshold:.3}\t{hours:.4}");
        }
        for WordLine { fold, condition, clip, peak, look } in &self.words {
            let look = look.as_ref().map_or(String::new(), cells);
            let _ = writeln!(text, "word\t{fold}\t{}\t{clip}\t{peak:.2}{look}", condition.name());
        }
        for OtherLine { fold, recording, at_s, look } in &self.others {
            let _ = writeln!(text, "other\t{fold}\t{recording}\t{at_s:.2}{}", cells(look));
        }
        text
    }

    /// Reads what [`Scores::to_text`] wrote; none where a line is not of its kind.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut scores = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('\t').collect();
            let number = |index: usize| cells.get(index)?.parse::<f32>().ok();
            let fold = || cells.get(1)?.parse::<usize>().ok();
            match *cells.first()? {
                "fold" => scores.folds.push(FoldLine {
                    trigger: number(1)?,
                    light: number(2)?,
                    fit: Fit { logit_weight: number(3)?, threshold: number(4)? },
                    hours: cells.get(5)?.parse().ok()?,
                }),
                "word" => scores.words.push(WordLine {
                    fold: fold().filter(|fold| *fold < scores.folds.len())?,
                    condition: Condition::from_name(cells.get(2)?)?,
                    clip: (*cells.get(3)?).to_owned(),
                    peak: number(4)?,
                    look: look(&cells[5..]),
                }),
                "other" => scores.others.push(OtherLine {
                    fold: fold().filter(|fold| *fold < scores.folds.len())?,
                    recording: (*cells.get(2)?).to_owned(),
                    at_s: cells.get(3)?.parse().ok()?,
                    look: look(&cells[4..])?,
                }),
                _ => return None,
            }
        }
        Some(scores)
    }
}

fn cells(look: &Look) -> String {
    let mut text = format!("\t{:.2}", look.top);
    for (peak, word) in look.peaks.iter().zip(&look.words) {
        let _ = write!(text, "\t{peak:.2}\t{word:.2}");
    }
    text
}

fn look(cells: &[&str]) -> Option<Look> {
    let numbers: Vec<f32> = cells.iter().map(|cell| cell.parse().ok()).collect::<Option<_>>()?;
    let [top, rest @ ..] = &numbers[..] else { return None };
    let mut look = Look { at: 0, top: *top, ..Look::default() };
    if rest.len() != 2 * LOOKS {
        return None;
    }
    for (index, pair) in rest.chunks_exact(2).enumerate() {
        (look.peaks[index], look.words[index]) = (pair[0], pair[1]);
    }
    Some(look)
}

/// The 95 % interval of a share by Wilson's score (1927), in per cent.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
pub fn wilson(part: usize, of: usize) -> [f64; 2] {
    const Z: f64 = 1.959_964;
    let (n, p) = (of.max(1) as f64, part as f64 / of.max(1) as f64);
    let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let reach = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    [100.0 * (middle - reach).max(0.0), 100.0 * (middle + reach).min(1.0)]
}

/// The mean that a Poisson count of at most `count` has only in 2.5 % of cases: the upper end of the exact 95 %
/// interval (Garwood 1936).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
pub fn poisson_upper(count: usize) -> f64 {
    let below = |mean: f64| {
        let (mut term, mut sum) = ((-mean).exp(), 0.0);
        for k in 0..=count {
            sum += term;
            term *= mean / (k + 1) as f64;
        }
        sum
    };
    let (mut low, mut high) = (0.0, 10.0 + 3.0 * count as f64);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if below(middle) > 0.025 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intervals_are_those_of_the_tables() {
        // Newcombe 1998: 81 of 263 gives 0.2553 to 0.3662.
        let [low, high] = wilson(81, 263);
        assert!((low - 25.53).abs() < 0.01 && (high - 36.62).abs() < 0.01, "{low} {high}");
        // Garwood's table: 0 gives 3.689, 1 gives 5.572, 10 gives 18.39.
        for (count, upper) in [(0, 3.689), (1, 5.572), (10, 18.39)] {
            assert!((poisson_upper(count) - upper).abs() < 0.005, "{count}");
        }
    }

    #[test]
    fn a_table_is_read_back() {
        let look = Look { at: 0, top: 3.25, peaks: [1.5, 3.25], words: [-4.0, -0.25] };
        let fit = Fit { logit_weight: 0.5, threshold: -2.0 };
        let word = |peak, look| WordLine { fold: 0, condition: Condition::Far, clip: "a b.flac".into(), peak, look };
        let scores = Scores {
            folds: vec![FoldLine { trigger: 0.1, light: 0.9, fit, hours: 1.5 }],
            words: vec![word(3.25, Some(look)), word(-5.0, None)],
            others: vec![OtherLine { fold: 0, recording: "x.opus".into(), at_s: 12.5, look }],
        };
        assert_eq!(Scores::from_text(&scores.to_text()).as_ref(), Some(&scores));
        assert_eq!(Scores::from_text("word\t0\tclean\tx\t1.0"), None, "of no fold");
        let missed = |tier, raised| scores.missed(tier, Condition::Far, raised).count();
        assert_eq!((missed(Tier::Both, 0.0), missed(Tier::Both, 4.0)), (1, 2));
        assert_eq!((missed(Tier::Light, 0.0), missed(Tier::Light, 3.0)), (1, 2));
        assert_eq!((scores.accepted(Tier::Both, 0.0).count(), scores.accepted(Tier::Both, 4.0).count()), (1, 0));
    }
}
