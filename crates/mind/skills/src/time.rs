//! "What time is it?"

use base::UtteranceId;
use jiff::ZonedDateTime;
use sense::Understanding;

use crate::skill::{Capability, Granted, Reply, Skill};
use crate::spoken;

/// Tells the time.
pub(crate) struct Time;

impl Skill for Time {
    fn intents(&self) -> &'static [&'static str] {
        &["HassGetCurrentTime"]
    }

    fn capability(&self) -> Capability {
        Capability::LocalTime
    }

    fn answer(&self, _: &Understanding, granted: &Granted) -> Option<Reply> {
        granted.now.as_ref().map(reply)
    }

    // Keeps nothing.
    fn forget(&self, _: UtteranceId) {}
}

/// By the twelve-hour clock, with noon and midnight by their names.
fn reply(now: &ZonedDateTime) -> Reply {
    let half = if now.hour() < 12 { "AM" } else { "PM" };
    let hour = match now.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    match (now.hour(), now.minute()) {
        (0, 0) => return Reply::say("It's midnight."),
        (12, 0) => return Reply::say("It's noon."),
        _ => {}
    }
    let text = format!("It's {hour}:{:02} {half}.", now.minute());
    let minutes = match now.minute() {
        0 => String::new(),
        minute @ 1..10 => format!(" oh {}", spoken::number(minute)),
        minute => format!(" {}", spoken::number(minute)),
    };
    Reply::say_as(text, format!("It's {}{minutes} {half}.", spoken::number(hour)))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::*;

    fn check(hour: i8, minute: i8, text: &str, spoken: &str) {
        let now = date(2026, 11, 23).at(hour, minute, 59, 0).to_zoned_datetime(TimeZone::UTC).expect("a time of UTC");
        let reply = reply(&now);
        assert_eq!((reply.text.expose().as_str(), reply.spoken.expose().as_str()), (text, spoken));
    }

    #[test]
    fn the_time_is_told_as_people_tell_it() {
        check(20, 14, "It's 8:14 PM.", "It's eight fourteen PM.");
        check(9, 5, "It's 9:05 AM.", "It's nine oh five AM.");
        check(17, 0, "It's 5:00 PM.", "It's five PM.");
        check(0, 30, "It's 12:30 AM.", "It's twelve thirty AM.");
        check(12, 41, "It's 12:41 PM.", "It's twelve forty-one PM.");
        check(12, 0, "It's noon.", "It's noon.");
        check(0, 0, "It's midnight.", "It's midnight.");
    }
}
