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

/// A point of the detection-error curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurvePoint {
    /// False accepts in [`Scores::hours`].
    pub accepts: usize,
    /// Clips missed of [`Scores::clips`].
    pub missed: usize,
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

    /// How far a clip is above its fold's threshold (in logits or log-probability); below any where it did not trigger.
    #[must_use]
    pub fn word_margin(&self, tier: Tier, word: &WordLine) -> f32 {
        let fold = self.folds[word.fold];
        match tier {
            Tier::Light => word.peak - logit(fold.light),
            Tier::Both => word.look.map_or(f32::NEG_INFINITY, |look| fold.fit.margin(&[look])),
        }
    }

    /// How far other speech is above its fold's threshold.
    #[must_use]
    pub fn other_margin(&self, tier: Tier, other: &OtherLine) -> f32 {
        let fold = self.folds[other.fold];
        match tier {
            Tier::Light => other.look.top - logit(fold.light),
            Tier::Both => fold.fit.margin(&[other.look]),
        }
    }

    /// The clips missed in `condition` where every threshold is raised by `raised` (in logits or log-probability).
    pub fn missed(&self, tier: Tier, condition: Condition, raised: f32) -> impl Iterator<Item = &WordLine> {
        let own = self.words.iter().filter(move |word| word.condition == condition);
        own.filter(move |word| self.word_margin(tier, word) < raised)
    }

    /// The false accepts where every threshold is raised by `raised`.
    pub fn accepted(&self, tier: Tier, raised: f32) -> impl Iterator<Item = &OtherLine> {
        self.others.iter().filter(move |other| self.other_margin(tier, other) >= raised)
    }

    /// The detection-error curve, all thresholds moved together: for each number of false accepts that some thresholds
    /// give, the fewest misses in `condition` that go with it; from none on. It ends where the scores do: below the
    /// triggers nothing was written down.
    #[must_use]
    pub fn curve(&self, tier: Tier, condition: Condition) -> Vec<CurvePoint> {
        let mut margins: Vec<f32> = self.others.iter().map(|other| self.other_margin(tier, other)).collect();
        margins.sort_by(|a, b| b.total_cmp(a));
        let lowest = match tier {
            Tier::Both => f32::MIN,
            Tier::Light => {
                self.folds.iter().map(|fold| logit(fold.trigger) - logit(fold.light)).fold(f32::MIN, f32::max)
            }
        };
        let ends = margins.iter().copied().filter(|margin| *margin >= lowest).map(f32::next_up);
        let mut points: Vec<CurvePoint> = Vec::new();
        for raised in ends.chain([lowest]) {
            let accepts = margins.partition_point(|margin| *margin >= raised);
            let missed = self.missed(tier, condition, raised).count();
            // Equal scores pass together.
            match points.last_mut() {
                Some(last) if last.accepts == accepts => last.missed = last.missed.min(missed),
                _ => points.push(CurvePoint { accepts, missed }),
            }
        }
        points
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

    #[test]
    fn the_curve_has_a_point_for_each_number_of_false_accepts() {
        let look = |word: f32| Look { at: 0, top: 1.0, peaks: [1.0; 2], words: [word; 2] };
        let fit = Fit { logit_weight: 0.0, threshold: -3.0 };
        let word = |own: Option<f32>| WordLine {
            fold: 0,
            condition: Condition::Clean,
            clip: String::new(),
            peak: 1.0,
            look: own.map(look),
        };
        let other = |own| OtherLine { fold: 0, recording: String::new(), at_s: 0.0, look: look(own) };
        let scores = Scores {
            folds: vec![FoldLine { trigger: 0.1, light: 0.9, fit, hours: 1.0 }],
            words: [Some(-1.0), Some(-4.0), Some(-6.0), None].map(word).into(),
            others: [-5.0, -3.5, -5.0].map(other).into(),
        };
        let points: Vec<(usize, usize)> =
            scores.curve(Tier::Both, Condition::Clean).iter().map(|point| (point.accepts, point.missed)).collect();
        // Above -3.5 the first word alone; above -5 the second too; the last never triggered.
        assert_eq!(points, [(0, 3), (1, 2), (3, 1)]);
    }
}
