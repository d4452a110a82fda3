//! The detection-error curve as a picture: misses over false accepts an hour, a panel a tier, a line a condition.
//!
//! The false accepts run on a logarithmic axis with a place of its own for none, the misses on one of square roots,
//! which leaves room for the few per cent that matter. The picture brings its own ground, light or dark as the reader's
//! machine is set.

use std::fmt::Write;

use learn::wake::Condition;
use learn::wake::scores::{CurvePoint, Scores, Tier};

use super::figures::kind;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 500.0;
/// A panel's left edges, its top, and its size.
const LEFTS: [f64; 2] = [66.0, 540.0];
const TOP: f64 = 104.0;
const SIZE: [f64; 2] = [390.0, 276.0];
/// The place for no false accept at all.
const NONE_WIDTH: f64 = 62.0;
/// False accepts an hour at both ends of the axis, and the marks between.
const RATES: [f64; 2] = [0.1, 30.0];
const RATE_MARKS: [f64; 6] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0];
/// Misses that are marked, in per cent; the axis ends at one of the last.
const MISS_MARKS: [f64; 8] = [0.0, 1.0, 5.0, 10.0, 20.0, 40.0, 60.0, 100.0];
/// The false accepts an hour that were asked for.
const ASKED: f64 = 0.15;
/// Hues that eyes of all kinds tell apart (Okabe and Ito 2008); noise of 5 dB is its 10 dB's, dashed.
const LOOKS: [(Condition, &str, &str); 6] = [
    (Condition::Clean, "#009e73", ""),
    (Condition::Kitchen(10), "#e08a00", ""),
    (Condition::Kitchen(5), "#e08a00", "5 4"),
    (Condition::Babble(10), "#d6498f", ""),
    (Condition::Babble(5), "#d6498f", "5 4"),
    (Condition::Far, "#3a86d4", ""),
];
const STYLE: &str = "text{font:12px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#57606a}\
.ground{fill:#fff}.frame{fill:none;stroke:#d0d7de}.grid{stroke:#eaeef2}.none{fill:#f6f8fa}\
.title{font-size:19px;font-weight:600;fill:#1f2328}.panel{font-size:13.5px;font-weight:600;fill:#1f2328}\
.asked{stroke:#8c959f;stroke-dasharray:2 3}.line{fill:none;stroke-width:2.2;stroke-linejoin:round}.dot{stroke:#fff;stroke-width:1.6}\
.mid{text-anchor:middle}.end{text-anchor:end}\
@media (prefers-color-scheme:dark){text{fill:#9198a1}.ground{fill:#0d1117}.frame{stroke:#3d444d}.grid{stroke:#21262d}\
.none{fill:#161b22}.title,.panel{fill:#f0f6fc}.asked{stroke:#7d8590}.dot{stroke:#0d1117}}";

/// The picture of a word's scores.
pub(super) fn svg(word: &str, scores: &Scores) -> String {
    let (clips, hours) = (scores.clips(), scores.hours());
    let highest = highest(scores);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" aria-labelledby=\"t d\">\n\
         <title id=\"t\">Detection errors of “{word}”</title>\n\
         <desc id=\"d\">Misses in per cent over false accepts an hour, out of fold, for both stages and for the first alone, a line for each of six conditions.</desc>\n\
         <style>{STYLE}</style>\n<rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\"/>\n\
         <text class=\"title\" x=\"24\" y=\"36\">“{}”</text>\n\
         <text x=\"24\" y=\"58\">misses of {clips} clips by {} over false accepts in {hours:.1} h of other speech, out of fold</text>\n",
        super::train::capitalised(word),
        kind(scores),
    );
    let tiers = [(Tier::Both, "Both stages"), (Tier::Light, "Light tier: the first stage alone")];
    for ((tier, name), left) in tiers.into_iter().zip(LEFTS) {
        let panel = Panel { left, highest, hours: hours.max(1e-9), clips: clips.max(1) };
        panel.frame(&mut svg, name);
        for (condition, colour, dashes) in LOOKS {
            panel.line(&mut svg, &scores.curve(tier, condition), condition.name(), (colour, dashes));
        }
        for (condition, colour, _) in LOOKS {
            let missed = scores.missed(tier, condition, 0.0).count();
            let point = CurvePoint { accepts: scores.accepted(tier, 0.0).count(), missed };
            let (x, y) = (panel.x(point.accepts), panel.y(point.missed));
            let _ = writeln!(svg, "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.6\" fill=\"{colour}\"/>");
        }
    }
    legend(&mut svg);
    svg.push_str("</svg>\n");
    svg
}

/// Where the axis of misses ends: above all that the thresholds as they are set miss.
fn highest(scores: &Scores) -> f64 {
    let tiers = [Tier::Both, Tier::Light];
    let missed =
        tiers.iter().flat_map(|tier| LOOKS.map(|(condition, ..)| scores.missed(*tier, condition, 0.0).count()));
    let most = 100.0 * missed.max().unwrap_or(0) as f64 / scores.clips().max(1) as f64;
    MISS_MARKS.into_iter().find(|mark| *mark >= most.max(10.0)).unwrap_or(100.0)
}

struct Panel {
    left: f64,
    highest: f64,
    hours: f64,
    clips: usize,
}

impl Panel {
    fn x(&self, accepts: usize) -> f64 {
        if accepts == 0 { self.left + NONE_WIDTH / 2.0 } else { self.rate_x(accepts as f64 / self.hours) }
    }

    fn rate_x(&self, rate: f64) -> f64 {
        let part = (rate.clamp(RATES[0], RATES[1]) / RATES[0]).ln() / (RATES[1] / RATES[0]).ln();
        self.left + NONE_WIDTH + part * (SIZE[0] - NONE_WIDTH)
    }

    fn y(&self, missed: usize) -> f64 {
        self.miss_y(100.0 * missed as f64 / self.clips as f64)
    }

    fn miss_y(&self, per_cent: f64) -> f64 {
        TOP + SIZE[1] * (1.0 - (per_cent.min(self.highest) / self.highest).sqrt())
    }

    fn frame(&self, svg: &mut String, name: &str) {
        let Self { left, highest, .. } = *self;
        let ([width, height], bottom) = (SIZE, TOP + SIZE[1]);
        let _ = writeln!(svg, "<text class=\"panel\" x=\"{left}\" y=\"{}\">{name}</text>", TOP - 14.0);
        let _ = writeln!(
            svg,
            "<rect class=\"none\" x=\"{left}\" y=\"{TOP}\" width=\"{NONE_WIDTH}\" height=\"{height}\"/>"
        );
        for mark in MISS_MARKS.into_iter().filter(|mark| *mark <= highest) {
            let y = self.miss_y(mark);
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{left} {y:.1}h{width}\"/>");
            let _ = writeln!(svg, "<text class=\"end\" x=\"{}\" y=\"{:.1}\">{mark} %</text>", left - 8.0, y + 4.0);
        }
        for mark in RATE_MARKS {
            let x = self.rate_x(mark);
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{x:.1} {TOP}v{height}\"/>");
            let _ = writeln!(svg, "<text class=\"mid\" x=\"{x:.1}\" y=\"{}\">{mark}</text>", bottom + 18.0);
        }
        let (asked, middle) = (self.rate_x(ASKED), left + width / 2.0);
        let _ = writeln!(svg, "<path class=\"asked\" d=\"M{asked:.1} {TOP}v{height}\"/>");
        let _ = writeln!(svg, "<text class=\"mid\" x=\"{}\" y=\"{}\">none</text>", self.x(0), bottom + 18.0);
        let _ =
            writeln!(svg, "<text class=\"mid\" x=\"{middle}\" y=\"{}\">false accepts an hour</text>", bottom + 36.0);
        let _ =
            writeln!(svg, "<rect class=\"frame\" x=\"{left}\" y=\"{TOP}\" width=\"{width}\" height=\"{height}\"/>");
    }

    /// A stair: the misses hold until more false accepts leave fewer.
    fn line(&self, svg: &mut String, points: &[CurvePoint], name: &str, (colour, dashes): (&str, &str)) {
        let inside: Vec<&CurvePoint> =
            points.iter().filter(|point| point.accepts as f64 / self.hours <= RATES[1]).collect();
        let mut path = String::new();
        for step in inside.chunk_by(|one, next| one.missed == next.missed) {
            let (x, y) = (self.x(step[0].accepts), self.y(step[0].missed));
            let _ = if path.is_empty() { write!(path, "M{x:.1} {y:.1}") } else { write!(path, "H{x:.1}V{y:.1}") };
        }
        if let Some(last) = inside.last() {
            let _ = write!(path, "H{:.1}", self.x(last.accepts));
        }
        let _ = writeln!(
            svg,
            "<path class=\"line\" stroke=\"{colour}\" stroke-dasharray=\"{}\" d=\"{path}\"><title>{name}</title></path>",
            if dashes.is_empty() { "none" } else { dashes }
        );
    }
}

fn legend(svg: &mut String) {
    let (y, mut x) = (HEIGHT - 54.0, LEFTS[0]);
    for (condition, colour, dashes) in LOOKS {
        let (name, text_x) = (condition.name(), x + 36.0);
        let dashes = if dashes.is_empty() { "none" } else { dashes };
        let _ = writeln!(
            svg,
            "<path class=\"line\" stroke=\"{colour}\" stroke-dasharray=\"{dashes}\" d=\"M{x} {:.1}h28\"/><text x=\"{text_x}\" y=\"{y}\">{name}</text>",
            y - 4.0
        );
        x = text_x + 7.0 * name.len() as f64 + 26.0;
    }
    let (y, x) = (HEIGHT - 28.0, LEFTS[0]);
    let _ = writeln!(svg, "<circle cx=\"{}\" cy=\"{}\" r=\"4.6\" fill=\"#8c959f\"/>", x + 14.0, y - 4.0);
    let _ = writeln!(svg, "<text x=\"{}\" y=\"{y}\">as the thresholds were set</text>", x + 36.0);
    let dotted = x + 224.0;
    let _ = writeln!(svg, "<path class=\"asked\" d=\"M{} {}v16\"/>", dotted + 14.0, y - 12.0);
    let _ = writeln!(svg, "<text x=\"{}\" y=\"{y}\">what was asked for: {ASKED} an hour</text>", dotted + 26.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wake::shipped_scores;

    /// The names of the elements that are open after `svg`, and how many there were; none where one closes another.
    fn elements(svg: &str) -> Option<usize> {
        let (mut open, mut count) = (Vec::new(), 0);
        for tag in svg.split('<').skip(1).map(|rest| rest.split_once('>').map(|(tag, _)| tag)) {
            let tag = tag?;
            if let Some(name) = tag.strip_prefix('/') {
                (open.pop()? == name).then_some(())?;
            } else {
                count += 1;
                if !tag.ends_with('/') {
                    open.push(tag.split(' ').next()?);
                }
            }
            // Each value stands in two marks.
            (tag.matches('"').count() % 2 == 0).then_some(())?;
        }
        open.is_empty().then_some(count)
    }

    #[test]
    fn the_picture_is_well_formed_and_holds_every_condition_of_both_tiers() {
        for word in ["alexa", "amazon", "computer", "echo"] {
            let scores = Scores::from_text(shipped_scores(word).expect("ships")).expect("whole");
            let svg = svg(word, &scores);
            assert!(elements(&svg).is_some_and(|count| count > 60), "{svg}");
            assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains('&'));
            for condition in Condition::ALL {
                let name = condition.name();
                assert_eq!(svg.matches(&format!("<title>{name}</title>")).count(), 2, "a line a tier: {name}");
                assert_eq!(svg.matches(&format!(">{name}</text>")).count(), 1, "in the legend: {name}");
            }
        }
        assert_eq!(elements("<svg><g></svg></g>"), None);
    }
}
