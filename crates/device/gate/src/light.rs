//! The panel's half: the light's lease, and the microphones' state.

use base::TurnId;

/// What a person sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// Dark.
    Idle,
    /// Blue: audio is leaving the device.
    Listening,
    /// White, turning: nothing leaves, an answer is on its way.
    Thinking,
    /// Red: the microphones are off.
    MicOff,
}

impl Light {
    /// As events call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Listening => "listening",
            Self::Thinking => "thinking",
            Self::MicOff => "mic_off",
        }
    }
}

/// A change of the microphones that the panel must ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MicChange {
    /// The ear must wipe its ring, the launcher end the microphone's process.
    Off,
    /// The ear must listen again, the launcher start it.
    On,
}

/// Which light is on. Never one that is not true: red waits until the microphone's process is gone and the ring is
/// wiped, and blue stays as long as a permit lives, whatever button was pressed.
#[derive(Debug)]
pub struct Lamp {
    turn: Turn,
    mics: Mics,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    None,
    Listening(TurnId),
    Thinking(TurnId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mics {
    On,
    Off { is_ended: bool, is_wiped: bool },
}

impl Lamp {
    /// The lamp at start. Microphones that are off are so already: nobody has started them, nothing was heard.
    #[must_use]
    pub const fn new(are_mics_on: bool) -> Self {
        let mics = if are_mics_on { Mics::On } else { Mics::Off { is_ended: true, is_wiped: true } };
        Self { turn: Turn::None, mics }
    }

    /// The ear asks for a permit. `true`: show [`Self::light`], then say that it is lit. `false`: the microphones are
    /// off, and there is none.
    pub fn ask(&mut self, turn: TurnId) -> bool {
        if self.mics != Mics::On {
            return false;
        }
        self.turn = Turn::Listening(turn);
        true
    }

    /// The permit is over.
    pub fn listening_over(&mut self, turn: TurnId) {
        if self.turn == Turn::Listening(turn) {
            self.turn = Turn::Thinking(turn);
        }
    }

    /// The turn is over.
    pub fn turn_over(&mut self, turn: TurnId) {
        if self.turn == Turn::Thinking(turn) {
            self.turn = Turn::None;
        }
    }

    /// The microphones' button, or a command that says which way. What is to be done, if anything.
    pub fn press_mic(&mut self, wants_on: Option<bool>) -> Option<MicChange> {
        let is_on = self.are_mics_on();
        let wants_on = wants_on.unwrap_or(!is_on);
        match (is_on, wants_on) {
            (true, false) => {
                self.mics = Mics::Off { is_ended: false, is_wiped: false };
                Some(MicChange::Off)
            }
            (false, true) => {
                self.mics = Mics::On;
                Some(MicChange::On)
            }
            _ => None,
        }
    }

    /// The launcher says that the microphone's process has ended.
    pub fn mic_ended(&mut self) {
        if let Mics::Off { is_ended, .. } = &mut self.mics {
            *is_ended = true;
        }
    }

    /// The ear says that its ring is wiped.
    pub fn ring_wiped(&mut self) {
        if let Mics::Off { is_wiped, .. } = &mut self.mics {
            *is_wiped = true;
        }
    }

    /// Whether the microphones are meant to be on.
    #[must_use]
    pub const fn are_mics_on(&self) -> bool {
        matches!(self.mics, Mics::On)
    }

    /// Whether the microphones are off in fact: the process ended, the ring wiped.
    #[must_use]
    pub const fn are_mics_gone(&self) -> bool {
        matches!(self.mics, Mics::Off { is_ended: true, is_wiped: true })
    }

    /// Whether a permit may live.
    #[must_use]
    pub const fn is_listening(&self) -> bool {
        matches!(self.turn, Turn::Listening(_))
    }

    /// What is to be shown.
    #[must_use]
    pub const fn light(&self) -> Light {
        match (self.turn, self.mics) {
            (Turn::Listening(_), _) => Light::Listening,
            (_, _) if self.are_mics_gone() => Light::MicOff,
            (Turn::Thinking(_), _) => Light::Thinking,
            (Turn::None, _) => Light::Idle,
        }
    }
}
