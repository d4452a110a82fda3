//! A recording drawn: its loudness over time, with what was sent from before the wake word hatched.

use std::fmt::Write;

/// Bars across the picture.
const BARS: usize = 160;
/// Height of the picture, in its own units; a bar and its gap are 4 wide.
const HEIGHT: f64 = 56.0;
const STEP: f64 = 4.0;
/// A silent bar is still a dot.
const BAR_MIN: f64 = 1.5;
/// Readable on both the light and the dark paper.
const INK: &str = "#7d8696";

/// An SVG of the samples, of which the first `preroll` lie before the wake word.
pub(crate) fn svg(samples: &[i16], preroll: usize) -> String {
    let width = BARS as f64 * STEP;
    let share = if samples.is_empty() { 0.0 } else { preroll.min(samples.len()) as f64 / samples.len() as f64 };
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\">\
         <defs><pattern id=\"h\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <rect width=\"1.5\" height=\"6\" fill=\"{INK}\" opacity=\"0.45\"/></pattern></defs>\
         <rect width=\"{:.1}\" height=\"{HEIGHT}\" fill=\"url(#h)\"/><g fill=\"{INK}\">",
        width * share
    );
    let loudest = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0).max(1);
    for bar in 0..BARS {
        let piece = &samples[samples.len() * bar / BARS..samples.len() * (bar + 1) / BARS];
        let peak = piece.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        let height = (f64::from(peak) / f64::from(loudest) * HEIGHT).max(BAR_MIN);
        let (x, y) = (bar as f64 * STEP + 1.0, (HEIGHT - height) / 2.0);
        // Writing to a string does not fail.
        let _ = write!(picture, "<rect x=\"{x:.0}\" y=\"{y:.1}\" width=\"2\" height=\"{height:.1}\" rx=\"1\"/>");
    }
    picture + "</g></svg>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hatched_part_is_the_prerolls_share() {
        let picture = svg(&vec![100; 16_000], 8_000);
        assert!(picture.contains("<rect width=\"320.0\" height=\"56\" fill=\"url(#h)\"/>"), "{picture}");
        assert_eq!(picture.matches("width=\"2\"").count(), BARS);
    }

    #[test]
    fn nothing_and_the_loudest_are_drawn_too() {
        assert!(svg(&[], 8_000).ends_with("</svg>"));
        assert!(svg(&[i16::MIN, 0, i16::MAX], 99).ends_with("</svg>"));
    }
}
