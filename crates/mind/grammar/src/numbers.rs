//! Numbers as English words, as people say them and recognisers write them.

use crate::limits::RANGE_REACH_MAX;

const UNITS: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// Every usual way to say `number`: `105` is "one hundred five", "one hundred and five", "a hundred five" and
/// "a hundred and five". Nothing beyond [`RANGE_REACH_MAX`].
#[must_use]
pub fn words(number: i64) -> Vec<String> {
    if number.unsigned_abs() > RANGE_REACH_MAX.unsigned_abs() {
        return Vec::new();
    }
    let said = positive(number.unsigned_abs());
    if number >= 0 {
        return said;
    }
    said.iter().flat_map(|words| ["minus", "negative"].map(|sign| format!("{sign} {words}"))).collect()
}

fn positive(number: u64) -> Vec<String> {
    match number {
        0..20 => vec![UNITS[usize::try_from(number).unwrap_or(0)].to_owned()],
        20..100 => {
            let ten = TENS[usize::try_from(number / 10).unwrap_or(0)];
            match number % 10 {
                0 => vec![ten.to_owned()],
                unit => positive(unit).iter().map(|unit| format!("{ten} {unit}")).collect(),
            }
        }
        100..1_000 => scaled(number, 100, "hundred"),
        _ => scaled(number, 1_000, "thousand"),
    }
}

/// "two hundred", "two hundred five", "two hundred and five"; "a hundred" for "one hundred".
fn scaled(number: u64, scale: u64, name: &str) -> Vec<String> {
    let (many, rest) = (number / scale, number % scale);
    let mut heads: Vec<String> = positive(many).iter().map(|many| format!("{many} {name}")).collect();
    if many == 1 {
        heads.push(format!("a {name}"));
    }
    if rest == 0 {
        return heads;
    }
    // "and" is said before what is below a hundred: "two thousand and five", but not "two thousand and five hundred".
    let joints: &[&str] = if rest < 100 { &[" ", " and "] } else { &[" "] };
    let rests = positive(rest);
    let mut said = Vec::new();
    for head in &heads {
        for joint in joints {
            said.extend(rests.iter().map(|rest| format!("{head}{joint}{rest}")));
        }
    }
    said
}

/// Ways to say a number with tenths: `20.5` is "twenty point five" and, for halves, "twenty and a half".
#[must_use]
pub fn words_with_tenths(whole: i64, tenths: u8) -> Vec<String> {
    let Some(tenth) = UNITS.get(usize::from(tenths)).filter(|_| tenths < 10) else {
        return Vec::new();
    };
    let mut said = Vec::new();
    for words in words(whole) {
        said.push(format!("{words} point {tenth}"));
        if tenths == 5 {
            said.push(format!("{words} and a half"));
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_in_every_usual_way() {
        assert_eq!(words(0), ["zero"]);
        assert_eq!(words(14), ["fourteen"]);
        assert_eq!(words(42), ["forty two"]);
        assert_eq!(words(-7), ["minus seven", "negative seven"]);
        assert_eq!(words(100), ["one hundred", "a hundred"]);
        assert_eq!(words(205), ["two hundred five", "two hundred and five"]);
        assert!(words(1_500).contains(&"one thousand five hundred".to_owned()));
        assert!(
            words(999_999).contains(&"nine hundred and ninety nine thousand nine hundred and ninety nine".to_owned())
        );
        assert!(words(1_000_000).is_empty());
        assert!(words(i64::MIN).is_empty());
    }

    #[test]
    fn tenths_are_said_with_a_point_and_halves_as_such() {
        assert_eq!(words_with_tenths(20, 5), ["twenty point five", "twenty and a half"]);
        assert_eq!(words_with_tenths(3, 1), ["three point one"]);
        assert!(words_with_tenths(3, 10).is_empty());
    }
}
