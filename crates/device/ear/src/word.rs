//! The wake words that ship with the program. Any other is a [`WordModel`] read from a file.

use crate::error::EarError;
use crate::weights::WordModel;

/// Makes [`Word`] from the list below it.
macro_rules! words {
    ($($(#[$doc:meta])* $word:ident is $name:literal;)*) => {
        /// A wake word that ships with its weights.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Word {
            $($(#[$doc])* $word,)*
        }

        impl Word {
            /// Every word, in the order they are listed.
            pub const ALL: &'static [Self] = &[$(Self::$word),*];

            /// The word in small letters, as it is written in options, events and on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$word => $name,)*
                }
            }

            /// The shipped weights. Their sources are in the model card beside them.
            #[must_use]
            pub const fn weights(self) -> &'static [u8] {
                match self {
                    $(Self::$word => include_bytes!(concat!("../weights/", $name, ".weights")),)*
                }
            }
        }
    };
}

// A word is added by its line here and its files in `weights/`.
words! {
    /// "Alexa".
    Alexa is "alexa";
    /// "Amazon".
    Amazon is "amazon";
    /// "Computer".
    Computer is "computer";
    /// "Echo".
    Echo is "echo";
}

impl Word {
    /// The word of that name, in small or large letters.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.name().eq_ignore_ascii_case(name))
    }

    /// The shipped weights, read.
    ///
    /// # Errors
    /// None for what ships; a test looks at each.
    pub fn model(self) -> Result<WordModel, EarError> {
        WordModel::from_bytes(self.weights())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a word's weights may take of the program (1 MB).
    const WEIGHTS_BYTES_MAX: usize = 1_000_000;

    #[test]
    fn the_shipped_weights_are_whole() {
        for word in Word::ALL {
            let model = word.model().expect("whole");
            assert_eq!(model.name, word.name());
            assert_eq!(model.to_bytes(), word.weights());
            assert!(word.weights().len() < WEIGHTS_BYTES_MAX, "{}", word.name());
        }
    }

    #[test]
    fn a_word_is_known_by_its_name() {
        assert_eq!(Word::from_name("Alexa"), Some(Word::Alexa));
        assert_eq!(Word::from_name("alex"), None);
    }
}
