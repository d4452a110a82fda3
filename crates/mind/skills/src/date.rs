//! "What's the date?", "What day is it?", "What's tomorrow's date?"

use base::UtteranceId;
use jiff::civil::Date as Day;
use jiff::{ToSpan, ZonedDateTime};
use sense::Understanding;

use crate::skill::{Capability, Granted, Reply, Skill};
use crate::spoken;

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Tells the date, or the part of it that was asked for.
pub(crate) struct Date;

impl Skill for Date {
    fn intents(&self) -> &'static [&'static str] {
        &["HassGetCurrentDate"]
    }

    fn capability(&self) -> Capability {
        Capability::LocalTime
    }

    fn answer(&self, request: &Understanding, granted: &Granted) -> Option<Reply> {
        let slot = |name: &str| request.slots.get(name).map(String::as_str);
        reply(granted.now.as_ref()?, slot("ask"), slot("day"))
    }

    // Keeps nothing.
    fn forget(&self, _: UtteranceId) {}
}

fn reply(now: &ZonedDateTime, ask: Option<&str>, day: Option<&str>) -> Option<Reply> {
    let (days, opening) = match day {
        None => (0, "It's"),
        Some("tomorrow") => (1, "Tomorrow is"),
        Some("yesterday") => (-1, "Yesterday was"),
        Some("day after tomorrow") => (2, "The day after tomorrow is"),
        Some("day before yesterday") => (-2, "The day before yesterday was"),
        Some(_) => return None,
    };
    let date = now.date().checked_add(days.days()).ok()?;
    match ask {
        Some("year") => Some(Reply::say_as(
            format!("{opening} {}.", date.year()),
            format!("{opening} {}.", spoken::year(date.year())),
        )),
        Some("month") => Some(Reply::say(&format!("{opening} {}.", month(date)?))),
        _ => {
            let head = format!("{opening} {}, {}", weekday(date)?, month(date)?);
            let text = format!("{head} {}.", spoken::written_day(date.day()));
            Some(Reply::say_as(text, format!("{head} {}.", spoken::day(date.day()))))
        }
    }
}

fn weekday(date: Day) -> Option<&'static str> {
    WEEKDAYS.get(usize::try_from(date.weekday().to_monday_zero_offset()).ok()?).copied()
}

fn month(date: Day) -> Option<&'static str> {
    MONTHS.get(usize::try_from(date.month() - 1).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn check(ask: &str, day: Option<&str>, text: &str, spoken: &str) {
        let now =
            jiff::civil::date(2026, 11, 23).at(23, 59, 0, 0).to_zoned_datetime(TimeZone::UTC).expect("a time of UTC");
        let reply = reply(&now, Some(ask), day).expect("a reply");
        assert_eq!((reply.text.expose().as_str(), reply.spoken.expose().as_str()), (text, spoken));
    }

    #[test]
    fn the_date_is_told_as_people_tell_it() {
        check("date", None, "It's Monday, November 23rd.", "It's Monday, November twenty-third.");
        check(
            "day",
            Some("tomorrow"),
            "Tomorrow is Tuesday, November 24th.",
            "Tomorrow is Tuesday, November twenty-fourth.",
        );
        check(
            "date",
            Some("day before yesterday"),
            "The day before yesterday was Saturday, November 21st.",
            "The day before yesterday was Saturday, November twenty-first.",
        );
        check("month", None, "It's November.", "It's November.");
        check("year", None, "It's 2026.", "It's twenty twenty-six.");
    }

    #[test]
    fn a_day_that_is_not_known_is_not_guessed() {
        let now = jiff::civil::date(2026, 11, 23).to_zoned_datetime(TimeZone::UTC).expect("a day of UTC");
        assert_eq!(reply(&now, Some("date"), Some("next week")), None);
    }
}
