//! Signing in, and devices.

use std::time::Duration;

use base::Redacted;

use super::common::*;
use super::watch::holders;
use crate::*;

fn password(text: &str) -> Redacted<String> {
    text.to_owned().into()
}

#[tokio::test]
async fn a_password_opens_its_account_and_no_number_of_wrong_ones_closes_it() {
    let dir = folder();
    let history = open(dir.path()).await.history;
    let account = history.create_account(" Ada ", password("correct horse")).await.expect("made");
    assert!(matches!(history.create_account("ADA", password("another one")).await, Err(HistoryError::NameTaken)));
    let try_one = async |name: &str, text: &str| history.check_password(name, password(text)).await.expect("checked");
    assert_eq!(try_one("ada", "correct horse").await, SignIn::Accepted(account));
    assert_eq!(try_one("nobody", "correct horse").await, SignIn::Refused);
    for _ in 0..12 {
        assert_eq!(try_one("ada", "wrong").await, SignIn::Refused);
    }
    assert_eq!(try_one("ada", "correct horse").await, SignIn::Accepted(account));
    assert_eq!(holders(dir.path(), b"correct horse"), Vec::<std::path::PathBuf>::new());
}

/// Number 11 of issue 17.
#[tokio::test]
async fn a_password_pasted_with_what_was_around_it_is_right_and_one_of_spaces_is_itself() {
    let dir = folder();
    let history = open(dir.path()).await.history;
    let account = history.create_account("ada", password("correct horse")).await.expect("made");
    let spaced = history.create_account("bob", password(" correct horse ")).await.expect("made");
    let try_one = async |name: &str, text: &str| history.check_password(name, password(text)).await.expect("checked");
    for text in ["correct horse", "correct horse ", "correct horse\n", "correct horse\r\n", "\t correct horse"] {
        assert_eq!(try_one("ada", text).await, SignIn::Accepted(account), "{text:?}");
    }
    assert_eq!(try_one("bob", " correct horse ").await, SignIn::Accepted(spaced));
    for (name, text) in [("ada", "correcthorse"), ("ada", "correct horse x"), ("bob", "correct horse"), ("eve", "x ")]
    {
        assert_eq!(try_one(name, text).await, SignIn::Refused, "{name} {text:?}");
    }
}

#[tokio::test]
async fn names_and_passwords_have_limits() {
    let dir = folder();
    let history = open(dir.path()).await.history;
    for name in ["", "  ", "a\nb", &"x".repeat(NAME_CHARS_MAX + 1)] {
        let refused = history.create_account(name, password("correct horse")).await;
        assert!(matches!(refused, Err(HistoryError::BadLength { .. })));
        assert_eq!(history.check_password(name, password("x")).await.expect("checked"), SignIn::Refused);
    }
    for text in ["", "seven77", &"x".repeat(PASSWORD_CHARS_MAX + 1)] {
        let refused = history.create_account("ada", password(text)).await;
        assert!(matches!(refused, Err(HistoryError::BadLength { .. })));
    }
    assert_eq!(history.accounts().await.expect("listed"), []);
}

#[tokio::test]
async fn a_session_ends_by_closing_by_time_and_by_a_new_password() {
    let dir = folder();
    let clock = clock();
    let history = History::open(dir.path(), clock.clone()).await.expect("opens").history;
    let (account, _) = owner(&history).await;
    let one = history.open_session(account).await.expect("open");
    let two = history.open_session(account).await.expect("open");
    assert_eq!(history.session(&one).await.expect("read"), Some(account));
    assert_eq!(history.session(&password("guessed")).await.expect("read"), None);
    assert_eq!(holders(dir.path(), one.expose().as_bytes()), Vec::<std::path::PathBuf>::new());
    history.close_session(&one).await.expect("closed");
    assert_eq!(history.session(&one).await.expect("read"), None);
    let new = history.reset_password("ada").await.expect("reset");
    assert_eq!(history.session(&two).await.expect("read"), None);
    assert_eq!(history.check_password("Ada", new).await.expect("checked"), SignIn::Accepted(account));
    let old = history.check_password("Ada", password("correct horse")).await.expect("checked");
    assert_eq!(old, SignIn::Refused);
    assert!(matches!(history.reset_password("nobody").await, Err(HistoryError::NoSuchAccount)));
    let three = history.open_session(account).await.expect("open");
    clock.advance(SESSION_LIFE - Duration::from_millis(1));
    assert_eq!(history.session(&three).await.expect("read"), Some(account));
    clock.advance(Duration::from_millis(1));
    assert_eq!(history.session(&three).await.expect("read"), None);
}

#[tokio::test]
async fn sessions_are_bounded_and_the_oldest_ends_first() {
    let dir = folder();
    let clock = clock();
    let history = History::open(dir.path(), clock.clone()).await.expect("opens").history;
    let (account, _) = owner(&history).await;
    let mut tokens = Vec::new();
    for _ in 0..=SESSIONS_MAX {
        clock.advance(Duration::from_secs(1));
        tokens.push(history.open_session(account).await.expect("open"));
    }
    assert_eq!(history.session(&tokens[0]).await.expect("read"), None);
    assert_eq!(history.session(&tokens[1]).await.expect("read"), Some(account));
    assert_eq!(history.session(&tokens[SESSIONS_MAX as usize]).await.expect("read"), Some(account));
    let nobody = history.open_session(base::AccountId::from_bytes([1; 16])).await;
    assert!(matches!(nobody, Err(HistoryError::NoSuchAccount)));
}

#[tokio::test]
async fn a_device_is_known_by_its_key_until_it_is_revoked() {
    let dir = folder();
    let history = open(dir.path()).await.history;
    let (account, kitchen) = owner(&history).await;
    let eve = history.create_account("Eve", password("battery staple")).await.expect("made");
    assert_eq!(history.device_by_key([1; 32]).await.expect("read"), None);
    let again = history.add_device(account, "Study", [7; 32]).await.expect("the same device");
    assert_eq!(again, kitchen);
    let device = history.device_by_key([7; 32]).await.expect("read").expect("known");
    assert_eq!((device.id, device.name.expose().as_str(), device.seen), (kitchen, "Study", None));
    history.device_seen(&device).await.expect("noted");
    assert!(matches!(history.revoke_device(eve, kitchen).await, Err(HistoryError::NoSuchDevice)));
    history.revoke_device(account, kitchen).await.expect("revoked");
    history.revoke_device(account, kitchen).await.expect("revoked already");
    let device = history.device_by_key([7; 32]).await.expect("read").expect("known still");
    assert!(device.revoked.is_some() && device.seen.is_some());
    let anew = history.add_device(account, "Study", [7; 32]).await.expect("paired anew");
    assert_ne!(anew, kitchen);
    let eves = history.add_device(eve, "Hers", [7; 32]).await.expect("paired elsewhere");
    let device = history.device_by_key([7; 32]).await.expect("read").expect("known");
    assert_eq!((device.id, device.account), (eves, eve));
    let revoked: Vec<bool> =
        history.devices(account).await.expect("listed").iter().map(|device| device.revoked.is_some()).collect();
    assert_eq!(revoked, [true, true]);
    let nobody = base::AccountId::from_bytes([1; 16]);
    assert!(matches!(history.add_device(nobody, "x", [1; 32]).await, Err(HistoryError::NoSuchAccount)));
}

#[tokio::test]
async fn what_is_kept_belongs_to_an_account_and_a_device_that_exist() {
    let dir = folder();
    let history = open(dir.path()).await.history;
    let (account, device) = owner(&history).await;
    let stranger = base::AccountId::from_bytes([1; 16]);
    let refused = history.seal(utterance(stranger, device, 0)).await;
    assert!(matches!(refused, Err(HistoryError::NoSuchAccount)));
    let refused = history.seal(utterance(account, base::DeviceId::from_bytes([1; 16]), 0)).await;
    assert!(matches!(refused, Err(HistoryError::NoSuchDevice)), "{refused:?}");
    let mut long = utterance(account, device, 0);
    long.pcm = vec![0; SAMPLES_MAX + 1].into();
    assert!(matches!(history.seal(long).await, Err(HistoryError::TooMany { .. })));
    assert_eq!(consistent(&history, dir.path()).await, 0, "nothing is left of what was refused");
}
