//! Numbers as a voice reads them out well.

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
const ORDINALS: [&str; 20] = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];

/// A number below a hundred in words; in digits where it is not.
pub(crate) fn number(number: i8) -> String {
    let (ten, unit) = (usize::try_from(number / 10).ok(), usize::try_from(number % 10).ok());
    let small = usize::try_from(number).ok().and_then(|number| UNITS.get(number));
    match (small, ten.and_then(|ten| TENS.get(ten)), unit.and_then(|unit| UNITS.get(unit))) {
        (Some(small), _, _) => (*small).to_owned(),
        (None, Some(ten), Some(_)) if number % 10 == 0 => (*ten).to_owned(),
        (None, Some(ten), Some(unit)) => format!("{ten}-{unit}"),
        _ => number.to_string(),
    }
}

/// A day of the month in words: "twenty-third".
pub(crate) fn day(day: i8) -> String {
    let small = usize::try_from(day).ok().and_then(|day| ORDINALS.get(day));
    match (small, day) {
        (Some(small), _) => (*small).to_owned(),
        (None, 20) => "twentieth".to_owned(),
        (None, 21..30) => format!("twenty-{}", self::day(day - 20)),
        (None, 30) => "thirtieth".to_owned(),
        (None, 31) => "thirty-first".to_owned(),
        _ => day.to_string(),
    }
}

/// A day of the month as it is written: "23rd".
pub(crate) fn written_day(day: i8) -> String {
    let ending = match day {
        11..=13 => "th",
        _ if day % 10 == 1 => "st",
        _ if day % 10 == 2 => "nd",
        _ if day % 10 == 3 => "rd",
        _ => "th",
    };
    format!("{day}{ending}")
}

/// A year as it is said: "twenty twenty-six", "two thousand five", "nineteen oh four".
pub(crate) fn year(year: i16) -> String {
    let part = |part: i16| number(i8::try_from(part).unwrap_or_default());
    match (year / 100, year % 100) {
        (century, 0) if (10..100).contains(&century) && century % 10 == 0 => {
            format!("{} thousand", part(century / 10))
        }
        (20, rest @ 1..10) => format!("two thousand {}", part(rest)),
        (century @ 10..100, 0) => format!("{} hundred", part(century)),
        (century @ 10..100, rest @ 1..10) => format!("{} oh {}", part(century), part(rest)),
        (century @ 10..100, rest) => format!("{} {}", part(century), part(rest)),
        _ => year.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_years_are_said_as_people_say_them() {
        let days = [1, 2, 3, 11, 12, 13, 20, 21, 22, 23, 30, 31].map(|n| format!("{} {}", written_day(n), day(n)));
        assert_eq!(
            days.join(", "),
            "1st first, 2nd second, 3rd third, 11th eleventh, 12th twelfth, 13th thirteenth, \
            20th twentieth, 21st twenty-first, 22nd twenty-second, 23rd twenty-third, 30th thirtieth, 31st thirty-first"
        );
        let years = [2026, 2000, 2005, 1999, 1904, 1900, 2100, 9999].map(year);
        assert_eq!(
            years.join(", "),
            "twenty twenty-six, two thousand, two thousand five, nineteen ninety-nine, \
            nineteen oh four, nineteen hundred, twenty-one hundred, ninety-nine ninety-nine"
        );
        assert_eq!([0, 9, 20, 59, 99].map(number).join(" "), "zero nine twenty fifty-nine ninety-nine");
        assert_eq!(number(-3), "-3");
    }
}
