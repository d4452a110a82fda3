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

/// Every usual way to say or write a whole number without its sign: 105 is "105", "one hundred five", "a hundred and five"
/// and others. Nothing beyond [`RANGE_REACH_MAX`].
#[must_use]
pub fn whole(number: u64) -> Vec<String> {
    if number > RANGE_REACH_MAX.unsigned_abs() {
        return Vec::new();
    }
    let mut said = positive(number);
    said.push(number.to_string());
    said
}

/// What follows a whole number to add tenths to it: 5 is ".5", " point five", " and a half" and others; 0 is ".0".
#[must_use]
pub fn tenths_after_whole(tenths: u8) -> Vec<String> {
    let Some(spoken) = tenth(tenths) else { return vec![".0".to_owned()] };
    let mut said =
        vec![format!(".{tenths}"), format!(".{tenths}0"), format!(" point {spoken}"), format!(" point {tenths}")];
    if tenths == 5 {
        said.extend([" and a half", " and one half", " ½", "½"].map(str::to_owned));
    }
    said
}

/// How tenths are said that no whole number stands before: ".5", "point five", "half". Nothing for 0.
#[must_use]
pub fn tenths_alone(tenths: u8) -> Vec<String> {
    let Some(spoken) = tenth(tenths) else { return Vec::new() };
    let mut said =
        vec![format!(".{tenths}"), format!(".{tenths}0"), format!("point {spoken}"), format!("point {tenths}")];
    if tenths == 5 {
        said.extend(["half", "a half", "one half", "½"].map(str::to_owned));
    }
    said
}

/// The name of 1 to 9 tenths.
fn tenth(tenths: u8) -> Option<&'static str> {
    UNITS.get(usize::from(tenths)).copied().filter(|_| (1..10).contains(&tenths))
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
        // "fifteen hundred" and "one thousand five hundred".
        1_100..10_000 if !(number / 100).is_multiple_of(10) => {
            [scaled(number, 1_000, "thousand"), scaled(number, 100, "hundred")].concat()
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn words(number: u64) -> Vec<String> {
        whole(number).into_iter().filter(|way| !way.contains(|letter: char| letter.is_ascii_digit())).collect()
    }

    #[test]
    fn numbers_are_said_in_every_usual_way() {
        assert_eq!(words(0), ["zero"]);
        assert_eq!(words(14), ["fourteen"]);
        assert_eq!(words(42), ["forty two"]);
        assert_eq!(words(100), ["one hundred", "a hundred"]);
        assert_eq!(words(205), ["two hundred five", "two hundred and five"]);
        assert_eq!(words(1_500), ["one thousand five hundred", "a thousand five hundred", "fifteen hundred"]);
        assert!(words(2_005).contains(&"two thousand and five".to_owned()));
        assert!(
            words(999_999).contains(&"nine hundred and ninety nine thousand nine hundred and ninety nine".to_owned())
        );
        assert_eq!(whole(7), ["seven", "7"]);
        assert!(whole(1_000_000).is_empty());
        assert!(whole(u64::MAX).is_empty());
    }

    #[test]
    fn tenths_are_said_with_a_point_and_halves_as_such() {
        assert_eq!(tenths_after_whole(1), [".1", ".10", " point one", " point 1"]);
        assert!(tenths_after_whole(5).contains(&" and a half".to_owned()));
        assert_eq!(tenths_after_whole(0), [".0"]);
        assert_eq!(tenths_after_whole(10), [".0"]);
        assert_eq!(tenths_alone(3), [".3", ".30", "point three", "point 3"]);
        assert!(tenths_alone(5).contains(&"half".to_owned()));
        assert!(tenths_alone(0).is_empty());
    }
}
