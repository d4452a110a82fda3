//! Where a decoder that does not find the end begins again.

/// A phrase of this many tokens is taken for a repetition when it comes a second time at once, a shorter one when it
/// comes a third time ("no, no" is said, "no, no, no" is said too, and means the same).
const LONG_PHRASE: usize = 5;

/// Where tokens end in a repetition: how many to keep, with the phrase once.
pub(crate) fn before_repetition(tokens: &[u32]) -> Option<usize> {
    let n = tokens.len();
    let ends_with = |phrase: usize, times: usize| {
        phrase * times <= n
            && (1..times).all(|i| tokens[n - (i + 1) * phrase..n - i * phrase] == tokens[n - phrase..])
    };
    let long = (LONG_PHRASE..=n / 2).find(|phrase| ends_with(*phrase, 2)).map(|phrase| n - phrase);
    long.or_else(|| (1..LONG_PHRASE).find(|phrase| ends_with(*phrase, 3)).map(|phrase| n - 2 * phrase))
}

/// The text without a last clause that begins the text again ("Never mind, never", "Resume. Resume."). What is lost where
/// somebody did say it twice means the same once.
pub(crate) fn without_echo(text: &str) -> &str {
    let is_stop = |c: char| matches!(c, ',' | '.' | '?' | '!' | ';');
    let mut kept = text;
    // A number's comma is no end of a clause: a space must follow.
    while let Some((at, _)) = kept.rmatch_indices(' ').find(|(at, _)| kept[..*at].ends_with(is_stop)) {
        let (before, last) = (&kept[..at], &kept[at..]);
        let mut first_words = words(before);
        if words(last).count() == 0 || !words(last).all(|word| first_words.next().as_ref() == Some(&word)) {
            break;
        }
        kept = before;
    }
    kept
}

/// The words as they sound alike.
fn words(text: &str) -> impl Iterator<Item = String> {
    let bare = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    text.split_whitespace().map(bare).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repetition_is_kept_once() {
        assert_eq!(before_repetition(&[9, 1, 2, 1, 2]), None);
        assert_eq!(before_repetition(&[9, 1, 2, 1, 2, 1, 2]), Some(3));
        assert_eq!(before_repetition(&[4, 4]), None);
        assert_eq!(before_repetition(&[4, 4, 4]), Some(1));
        assert_eq!(before_repetition(&[7, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5]), Some(6));
        assert_eq!(before_repetition(&[1, 2, 3, 4, 1, 2, 3, 4]), None);
        assert_eq!(before_repetition(&[]), None);
    }

    #[test]
    fn a_last_clause_that_begins_again_goes() {
        for (text, kept) in [
            ("Never mind, never", "Never mind,"),
            ("Resume. Resume. Resume.", "Resume."),
            ("Turn on the lights. Turn on", "Turn on the lights."),
            ("Stop the music, please stop", "Stop the music, please stop"),
            ("Play hello, hello", "Play hello, hello"),
            ("Set 1,000 lights", "Set 1,000 lights"),
            ("So, kitchen lights to green.", "So, kitchen lights to green."),
            ("Stop, ...", "Stop, ..."),
            ("", ""),
        ] {
            assert_eq!(without_echo(text), kept);
        }
    }
}
