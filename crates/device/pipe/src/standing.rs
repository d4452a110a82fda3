//! How things stand with the cloud: a fixed list, so that whoever may tell it can say nothing else.

/// What link knows of its cloud, on its way through the ear to the face. No word and no number of the network's is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A connection is being made.
    Connecting,
    /// The cloud can be asked.
    Online,
    /// No cloud knows this device.
    Unpaired,
    /// A code was typed and is being tried.
    Pairing,
    /// The cloud cannot be reached, or has fallen silent.
    Offline,
    /// The cloud knows this device no longer: its owner has removed it.
    Removed,
    /// Cloud and device speak different versions.
    OtherVersion,
    /// Who answers shows another key than the cloud that this device was paired with.
    OtherCloud,
    /// The cloud takes no more devices, is being ended, or did not understand.
    Refused,
    /// No pairing: no code is open.
    NoCode,
    /// No pairing: it was another code.
    WrongCode,
    /// No pairing: the code is void.
    CodeVoid,
    /// No pairing: the cloud could not store the device.
    NotStored,
    /// No pairing: the device's name is none.
    BadName,
    /// No pairing: the cloud did not answer, or not to the end.
    PairingCutOff,
    /// No pairing: the cloud did not prove that it knows the code.
    Unproven,
    /// No pairing: cloud and device speak different versions.
    PairingOtherVersion,
}

impl Standing {
    /// Every one there is; each has its place in this list as its number in a pipe.
    pub const ALL: [Self; 17] = [
        Self::Connecting,
        Self::Online,
        Self::Unpaired,
        Self::Pairing,
        Self::Offline,
        Self::Removed,
        Self::OtherVersion,
        Self::OtherCloud,
        Self::Refused,
        Self::NoCode,
        Self::WrongCode,
        Self::CodeVoid,
        Self::NotStored,
        Self::BadName,
        Self::PairingCutOff,
        Self::Unproven,
        Self::PairingOtherVersion,
    ];

    /// As events call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Online => "online",
            Self::Unpaired => "unpaired",
            Self::Pairing => "pairing",
            Self::Offline => "offline",
            Self::Removed => "removed",
            Self::OtherVersion => "other_version",
            Self::OtherCloud => "other_cloud",
            Self::Refused => "refused",
            Self::NoCode => "no_code",
            Self::WrongCode => "wrong_code",
            Self::CodeVoid => "code_void",
            Self::NotStored => "not_stored",
            Self::BadName => "bad_name",
            Self::PairingCutOff => "pairing_cut_off",
            Self::Unproven => "unproven",
            Self::PairingOtherVersion => "pairing_other_version",
        }
    }

    /// Whether it is the end of a pairing that came to nothing: news, which the next state must not cover at once.
    #[must_use]
    pub const fn is_pairing_failure(self) -> bool {
        matches!(
            self,
            Self::NoCode
                | Self::WrongCode
                | Self::CodeVoid
                | Self::NotStored
                | Self::BadName
                | Self::PairingCutOff
                | Self::Unproven
                | Self::PairingOtherVersion
        )
    }

    pub(crate) fn number(self) -> u8 {
        let place = Self::ALL.iter().position(|standing| *standing == self).unwrap_or(0);
        u8::try_from(place).unwrap_or(0)
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}
