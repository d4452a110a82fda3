//! Times as people say them.

use base::Timestamp;
use jiff::ZonedDateTime;
use jiff::tz::TimeZone;

/// A moment in the owner's zone. A time outside the calendar's range (a clock that was far off) shows as 1970.
pub(crate) fn local(at: Timestamp, zone: &TimeZone) -> ZonedDateTime {
    jiff::Timestamp::from_millisecond(at.unix_ms())
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned_datetime(zone.clone())
}

/// "8:14 PM", as replies say it.
pub(crate) fn time(at: &ZonedDateTime) -> String {
    at.strftime("%-I:%M %p").to_string()
}

/// "Today", "Yesterday", "Monday, November 23", with the year where it is another.
pub(crate) fn day(at: &ZonedDateTime, now: &ZonedDateTime) -> String {
    let (date, today) = (at.date(), now.date());
    if date == today {
        "Today".into()
    } else if today.yesterday().is_ok_and(|yesterday| date == yesterday) {
        "Yesterday".into()
    } else if date.year() == today.year() {
        at.strftime("%A, %B %-d").to_string()
    } else {
        at.strftime("%A, %B %-d, %Y").to_string()
    }
}

/// The same in the middle of a sentence: "today", "yesterday", "Monday, November 23".
pub(crate) fn day_amid(at: &ZonedDateTime, now: &ZonedDateTime) -> String {
    let day = day(at, now);
    if matches!(day.as_str(), "Today" | "Yesterday") { day.to_lowercase() } else { day }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_in_the_owners_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(-8));
        // 2026-11-24 01:30 UTC is still the evening of the 23rd there.
        let now = local(Timestamp::from_unix_ms(1_795_483_800_000), &zone);
        assert_eq!(time(&now), "5:30 PM");
        assert_eq!(day(&now, &now), "Today");
        let before = |hours: i64| local(Timestamp::from_unix_ms(1_795_483_800_000 - hours * 3_600_000), &zone);
        assert_eq!(day(&before(18), &now), "Yesterday");
        assert_eq!((day_amid(&now, &now), day_amid(&before(18), &now)), ("today".into(), "yesterday".into()));
        assert_eq!(day(&before(24 * 7), &now), "Monday, November 16");
        assert_eq!(day_amid(&before(24 * 7), &now), "Monday, November 16");
        assert_eq!(day(&before(24 * 400), &now), "Sunday, October 19, 2025");
    }

    #[test]
    fn a_clock_that_was_far_off_does_no_harm() {
        assert_eq!(time(&local(Timestamp::from_unix_ms(i64::MAX), &TimeZone::UTC)), "12:00 AM");
    }
}
