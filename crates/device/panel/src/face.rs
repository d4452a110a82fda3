//! The light, drawn in a terminal: one line with a ring in its colour.

use std::io::{IsTerminal, Write};

use gate::Light;

/// A ring, its colour and the words for each light; those of an idle device are given. The colours are the project's own: blue for
/// "audio is leaving now" and nothing else, red for "microphones off" and nothing else.
const fn look(light: Light, idle: &'static str) -> (&'static str, &'static str, &'static str) {
    match light {
        Light::Idle => ("◯", "\x1b[38;5;240m", idle),
        Light::Listening => ("◉", "\x1b[1;38;5;39m", "listening: audio is leaving the device"),
        Light::Thinking => ("◌", "\x1b[38;5;252m", "thinking: nothing leaves"),
        Light::MicOff => ("●", "\x1b[1;38;5;196m", "microphones off"),
    }
}

/// Where the light is drawn; nowhere, if standard error is no terminal.
#[derive(Debug)]
pub(crate) struct Face {
    is_drawn: bool,
    has_colour: bool,
    hint: &'static str,
}

impl Face {
    pub(crate) fn new(are_keys: bool) -> Self {
        Self {
            is_drawn: std::io::stderr().is_terminal(),
            has_colour: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            hint: if are_keys { "space: ask · m: microphones · q: quit" } else { "" },
        }
    }

    /// Shows a light; it is on when this returns. `idle` is what an idle device says.
    pub(crate) fn show(&self, light: Light, idle: &'static str) {
        if self.is_drawn {
            self.write(&format!("\r\x1b[2K{}", self.line(light, idle)));
        }
    }

    /// Puts the light out, and leaves the line.
    pub(crate) fn end(&self) {
        if self.is_drawn {
            self.write("\r\x1b[2K");
        }
    }

    fn line(&self, light: Light, idle: &'static str) -> String {
        let (ring, colour, words) = look(light, idle);
        let hint = self.hint;
        if self.has_colour {
            format!("{colour}{ring} {words}\x1b[0m   \x1b[2m{hint}\x1b[0m")
        } else {
            format!("{ring} {words}   {hint}")
        }
    }

    fn write(&self, text: &str) {
        let mut terminal = std::io::stderr().lock();
        // A terminal that went away shows nothing to anybody.
        let _ = terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i2_no_word_of_an_idle_device_is_seen_beside_a_light() {
        for has_colour in [false, true] {
            let face = Face { is_drawn: true, has_colour, hint: "" };
            for light in [Light::Listening, Light::Thinking, Light::MicOff] {
                assert!(!face.line(light, "a word from afar").contains("afar"), "{light:?}");
            }
            let idle = face.line(Light::Idle, "a word from afar");
            assert!(idle.contains("a word from afar") && !idle.contains("38;5;39m") && !idle.contains("38;5;196m"));
        }
    }
}
