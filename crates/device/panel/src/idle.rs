//! What is said while no light has anything to say: how things stand with the cloud and with the microphone.
//!
//! Architecture Invariant: all of it is in this file, word for word. What comes over the network picks one of these
//! lines at most, and only while nothing listens, nothing is being answered and the microphones are on.

use std::time::Duration;

use pipe::Standing;

/// How long the end of a pairing is shown before what holds from then on.
const NEWS_LAST: Duration = Duration::from_secs(10);

/// What the others have said so far.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    is_hearing: bool,
    standing: Option<Standing>,
    /// A pairing that came to nothing, and until when that is shown.
    news: Option<(Standing, Duration)>,
}

/// One line of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// As events call it.
    pub(crate) name: &'static str,
    /// As a person reads it.
    pub(crate) text: &'static str,
}

impl Idle {
    /// Link's latest word, by way of the ear.
    pub(crate) fn stand(&mut self, standing: Standing, now: Duration) {
        if standing.is_pairing_failure() {
            self.news = Some((standing, now.saturating_add(NEWS_LAST)));
        } else {
            self.standing = Some(standing);
            // A pairing that is tried again or has come about is newer news.
            if matches!(standing, Standing::Pairing) {
                self.news = None;
            }
        }
    }

    /// Whether the microphone gives samples.
    pub(crate) const fn hear(&mut self, is_hearing: bool) {
        self.is_hearing = is_hearing;
    }

    /// Until when the word is good that holds now, if time alone changes it.
    pub(crate) fn until(&self) -> Option<Duration> {
        self.news.map(|(_, until)| until)
    }

    /// The word that holds.
    pub(crate) fn word(&mut self, now: Duration) -> Word {
        self.news.take_if(|(_, until)| *until <= now);
        let standing = self.news.map(|(news, _)| news).or(self.standing);
        let (name, text) = match standing {
            None => ("starting", "starting"),
            Some(Standing::Online) if !self.is_hearing => ("no_microphone", "no microphone: nothing is heard"),
            Some(standing) => (standing.name(), text(standing)),
        };
        Word { name, text }
    }
}

const fn text(standing: Standing) -> &'static str {
    match standing {
        Standing::Connecting => "connecting to the cloud",
        Standing::Online => "ready",
        Standing::Unpaired => "not paired: the app shows a code under “Add a device”",
        Standing::Pairing => "pairing",
        Standing::Offline => "the cloud cannot be reached; it is tried again",
        Standing::Removed => "removed: the cloud knows this device no longer; pair it anew",
        Standing::OtherVersion => "the cloud speaks another version; update both",
        Standing::OtherCloud => {
            "this is not the cloud it was paired with: another key; pair it anew if you meant that"
        }
        Standing::Refused => "the cloud refuses; it is tried again",
        Standing::NoCode => "not paired: no code is open; ask the app for one",
        Standing::WrongCode => "not paired: that is not the code",
        Standing::CodeVoid => "not paired: the code is void; ask the app for a new one",
        Standing::NotStored => "not paired: the cloud could not store the device",
        Standing::BadName => "not paired: the device's name is none",
        Standing::PairingCutOff => "not paired: the cloud did not answer",
        Standing::Unproven => "not paired: the cloud did not prove the code; somebody may be in between",
        Standing::PairingOtherVersion => "not paired: the cloud speaks another version; update both",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(5);

    #[test]
    fn ready_is_said_of_a_device_that_hears_and_can_ask_and_of_no_other() {
        for standing in Standing::ALL {
            for is_hearing in [false, true] {
                let mut idle = Idle::default();
                idle.hear(is_hearing);
                assert_eq!(idle.word(NOW).name, "starting");
                idle.stand(standing, NOW);
                let is_ready = idle.word(NOW).text == "ready";
                assert_eq!(is_ready, standing == Standing::Online && is_hearing, "{standing:?} {is_hearing}");
            }
        }
    }

    #[test]
    fn a_pairing_that_failed_is_told_before_what_holds_from_then_on() {
        let mut idle = Idle::default();
        idle.hear(true);
        idle.stand(Standing::WrongCode, NOW);
        idle.stand(Standing::Online, NOW);
        assert_eq!(idle.word(NOW).name, "wrong_code");
        let until = idle.until().expect("it passes");
        assert_eq!(idle.word(until).name, "online");
        assert_eq!(idle.until(), None);
        idle.stand(Standing::CodeVoid, NOW);
        idle.stand(Standing::Pairing, NOW);
        assert_eq!(idle.word(NOW).name, "pairing");
    }

    #[test]
    fn every_line_is_one_line_of_plain_text() {
        for standing in Standing::ALL {
            let text = text(standing);
            assert!(!text.is_empty() && text.chars().all(|letter| !letter.is_control()), "{text:?}");
        }
    }
}
