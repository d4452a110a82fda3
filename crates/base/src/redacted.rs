//! Values that must never be printed: speech, transcripts, names, addresses, secrets (invariant I9).

use std::fmt;

use zeroize::Zeroize;

/// Holds something private. `Debug` and `Display` show a placeholder, so that no log line, error or panic message
/// can carry it by accident; the memory is wiped when the value goes.
///
/// Reading it takes [`Redacted::expose`], a word that a reviewer can search for.
pub struct Redacted<T: Zeroize>(T);

impl<T: Zeroize> Redacted<T> {
    /// Wraps a private value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for the few places that must have it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Redacted<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize + Clone> Clone for Redacted<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Zeroize + PartialEq> PartialEq for Redacted<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: Zeroize + Eq> Eq for Redacted<T> {}

impl<T: Zeroize> From<T> for Redacted<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Zeroize> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T: Zeroize> fmt::Display for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i9_a_redacted_value_prints_nothing_of_itself() {
        let said = Redacted::new(String::from("canary sentence"));
        assert_eq!(format!("{said} {said:?} {:?}", Some(&said)), "[redacted] [redacted] Some([redacted])");
        assert_eq!(said.expose(), "canary sentence");
    }
}
