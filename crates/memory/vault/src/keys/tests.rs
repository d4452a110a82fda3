use proptest::prelude::*;

use super::*;
use crate::steps::NoSteps;

const US: Marketplace = Marketplace::US;
const ONE: UtteranceId = UtteranceId::from_bytes([1; 16]);
const TWO: UtteranceId = UtteranceId::from_bytes([2; 16]);

struct Vault {
    dir: tempfile::TempDir,
    root: RootKey,
}

impl Vault {
    fn new() -> (Self, KeyStore) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let root = RootKey::create(&dir.path().join("root.key")).expect("made");
        let vault = Self { dir, root };
        let keys = KeyStore::make(&vault.path(), &vault.root, US, Arc::new(NoSteps)).expect("made");
        (vault, keys)
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("keys.store")
    }

    fn open(&self) -> Result<KeyStore, VaultError> {
        KeyStore::open(&self.path(), &self.root, US, Arc::new(NoSteps))
    }
}

fn place(slot: SlotNumber, id: UtteranceId) -> Place {
    Place { slot, id, column: "table.column" }
}

#[test]
fn sealed_bytes_open_in_their_place_and_nowhere_else() {
    let (vault, keys) = Vault::new();
    let (one, two) = (keys.create(ONE).expect("created"), keys.create(TWO).expect("created"));
    let sealed = keys.seal::<Text>(&place(one, ONE), b"words").expect("sealed");
    drop(keys);
    let keys = vault.open().expect("opens again");
    assert_eq!(*keys.open_sealed(&place(one, ONE), &sealed).expect("opens"), b"words");
    let elsewhere = Place { column: "table.other", ..place(one, ONE) };
    assert!(matches!(keys.open_sealed(&elsewhere, &sealed), Err(VaultError::Tampered)));
    assert!(matches!(keys.open_sealed(&place(two, TWO), &sealed), Err(VaultError::Tampered)));
    assert!(matches!(keys.open_sealed(&place(one, TWO), &sealed), Err(VaultError::Destroyed)));
    assert!(matches!(keys.open_sealed(&place(SlotNumber(99), ONE), &sealed), Err(VaultError::Destroyed)));
    assert!(matches!(keys.open_sealed(&place(SlotNumber(0), ONE), &sealed), Err(VaultError::Destroyed)));
    let as_audio = Sealed::<Audio>::from_bytes(sealed.as_bytes().to_vec());
    assert!(matches!(keys.open_sealed(&place(one, ONE), &as_audio), Err(VaultError::Tampered)));
    let mut newer = sealed.into_bytes();
    newer[0] = 9;
    let newer = Sealed::<Text>::from_bytes(newer);
    assert!(matches!(keys.open_sealed(&place(one, ONE), &newer), Err(VaultError::Version(9))));
    assert!(matches!(
        keys.open_sealed(&place(one, ONE), &Sealed::<Text>::from_bytes(vec![])),
        Err(VaultError::Tampered)
    ));
}

#[test]
fn i7_a_kinds_key_can_be_destroyed_alone_and_the_parent_takes_all() {
    let (vault, keys) = Vault::new();
    let slot = keys.create(ONE).expect("created");
    let here = place(slot, ONE);
    let sound = keys.seal::<Audio>(&here, b"sound").expect("sealed");
    let text = keys.seal::<Text>(&here, b"words").expect("sealed");
    let before = std::fs::read(vault.path()).expect("read");
    keys.destroy_kind::<Audio>(slot, ONE).expect("destroyed");
    for _ in 0..2 {
        assert!(matches!(keys.open_sealed(&here, &sound), Err(VaultError::Destroyed)));
        assert_eq!(*keys.open_sealed(&here, &text).expect("opens"), b"words");
        keys.destroy_kind::<Audio>(slot, ONE).expect("once more is harmless");
    }
    let _erased = keys.destroy(slot, ONE).expect("destroyed");
    drop(keys);
    let keys = vault.open().expect("opens again");
    assert!(matches!(keys.open_sealed(&here, &text), Err(VaultError::Destroyed)));
    assert_eq!(keys.scan(SlotNumber(1), 9).expect("scanned"), [(slot, SlotState::Destroyed(ONE))]);
    let after = std::fs::read(vault.path()).expect("read");
    for section in 0..4 {
        let at = SLOT_LEN + section_range(section).start + 8;
        let key = &before[at..at + WRAPPED_LEN];
        assert!(!after.windows(WRAPPED_LEN / 2).any(|window| key.starts_with(window) || key.ends_with(window)));
    }
}

#[test]
fn i7_a_slot_is_used_again_only_after_its_release_and_old_bytes_do_not_open_then() {
    let (vault, keys) = Vault::new();
    let slot = keys.create(ONE).expect("created");
    let sealed = keys.seal::<Text>(&place(slot, ONE), b"words").expect("sealed");
    let erased = keys.destroy(slot, ONE).expect("destroyed");
    let next = keys.create(TWO).expect("created");
    assert_ne!(next, slot, "not released yet");
    drop(keys.destroy(next, TWO).expect("destroyed"));
    drop(keys);
    let keys = vault.open().expect("opens again");
    let third = UtteranceId::from_bytes([3; 16]);
    let other = keys.create(third).expect("created");
    assert!(other != slot && other != next, "a tombstone is not free, after a start neither");
    keys.release(erased).expect("released");
    keys.release(keys.destroy(slot, ONE).expect("gone already")).expect("released already");
    assert_eq!(keys.create(TWO).expect("created"), slot);
    assert_ne!(keys.create(TWO).expect("created"), slot, "it was free once and not twice");
    assert!(matches!(keys.open_sealed(&place(slot, ONE), &sealed), Err(VaultError::Destroyed)));
    assert!(matches!(keys.open_sealed(&place(slot, TWO), &sealed), Err(VaultError::Tampered)));
    // Destroying what is no longer there harms nobody who came after.
    let late = keys.destroy(slot, ONE).expect("gone long ago");
    keys.release(late).expect("nothing to release");
    keys.seal::<Text>(&place(slot, TWO), b"words").expect("the new one lives");
}

#[test]
fn a_slot_that_was_being_added_when_the_machine_stopped_is_overwritten() {
    let (vault, keys) = Vault::new();
    keys.create(ONE).expect("created");
    drop(keys);
    let whole = std::fs::read(vault.path()).expect("read");
    for cut in [SLOT_LEN, SLOT_LEN + 1, 2 * SLOT_LEN - 1] {
        std::fs::write(vault.path(), &whole[..cut]).expect("cut");
        let keys = vault.open().expect("opens");
        assert_eq!(keys.slots(), 0);
        assert_eq!(keys.create(TWO).expect("created"), SlotNumber(1));
        assert_eq!(keys.scan(SlotNumber(0), 9).expect("scanned"), [(SlotNumber(1), SlotState::New(TWO))]);
    }
}

#[test]
fn keys_are_new_until_they_are_acknowledged() {
    let (vault, keys) = Vault::new();
    let slot = keys.create(ONE).expect("created");
    assert_eq!(keys.state(slot).expect("read"), Some(SlotState::New(ONE)));
    assert!(matches!(keys.acknowledge(slot, TWO), Err(VaultError::Destroyed)));
    for _ in 0..2 {
        keys.acknowledge(slot, ONE).expect("acknowledged");
    }
    drop(keys);
    let keys = vault.open().expect("opens again");
    assert_eq!(keys.state(slot).expect("read"), Some(SlotState::Live(ONE)));
    keys.release(keys.destroy(slot, ONE).expect("destroyed")).expect("released");
    assert_eq!(keys.state(slot).expect("read"), Some(SlotState::Freed(ONE)), "and says whose it was");
    keys.withhold(&[slot]);
    assert_ne!(keys.create(TWO).expect("created"), slot, "withheld");
}

#[test]
fn slots_that_changed_places_are_refused() {
    let (vault, keys) = Vault::new();
    for id in [ONE, TWO] {
        keys.create(id).expect("created");
    }
    keys.refuse_moved_slots().expect("all are at home");
    drop(keys);
    let whole = std::fs::read(vault.path()).expect("read");
    let slot = |number: usize| number * SLOT_LEN..(number + 1) * SLOT_LEN;
    for (to, from) in [(1, 2), (2, 1)] {
        let mut copied = whole.clone();
        copied[slot(to)].copy_from_slice(&whole[slot(from)]);
        std::fs::write(vault.path(), &copied).expect("written");
        let error = vault.open().expect("its header is whole").refuse_moved_slots().expect_err("copied");
        let VaultError::SlotMoved { slot, of, .. } = error else { panic!("{error}") };
        assert_eq!((slot.0 as usize, of.0 as usize), (to, from));
    }
}

#[test]
fn what_is_no_key_store_of_ours_is_refused() {
    let (vault, keys) = Vault::new();
    drop(keys);
    let whole = std::fs::read(vault.path()).expect("read");
    let other = RootKey::create(&vault.dir.path().join("other.key")).expect("made");
    let wrong = KeyStore::open(&vault.path(), &other, US, Arc::new(NoSteps)).expect_err("another root key");
    assert!(matches!(wrong, VaultError::WrongRootKey(_)));
    for cut in [0, 1, SLOT_LEN - 1] {
        std::fs::write(vault.path(), &whole[..cut]).expect("cut");
        assert!(matches!(vault.open(), Err(VaultError::NotAKeyStore(_))));
    }
    for at in [0, 9, 11, 20, 40, 100, SLOT_LEN - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(vault.path(), &changed).expect("changed");
        assert!(matches!(vault.open(), Err(VaultError::NotAKeyStore(_))), "byte {at}");
    }
    let mut newer = whole;
    newer[8] = 2;
    let check = Sha256::digest(&newer[..SLOT_LEN - HEADER_CHECK]);
    newer[SLOT_LEN - HEADER_CHECK..].copy_from_slice(&check);
    std::fs::write(vault.path(), &newer).expect("written");
    assert!(matches!(vault.open(), Err(VaultError::Newer { found: 2, .. })));
    std::fs::remove_file(vault.path()).expect("removed");
    assert!(matches!(vault.open(), Err(VaultError::Io { .. })), "and none is made by opening");
    assert!(!vault.path().exists());
}

#[derive(Clone, Debug)]
enum Op {
    Create,
    Destroy(prop::sample::Index),
    Forget(prop::sample::Index),
    Release(prop::sample::Index),
    Reopen,
    Tear(prop::sample::Index, Vec<u8>),
}

fn op() -> impl Strategy<Value = Op> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => Just(Op::Create),
        2 => index().prop_map(Op::Destroy),
        1 => index().prop_map(Op::Forget),
        2 => index().prop_map(Op::Release),
        1 => Just(Op::Reopen),
        1 => (index(), proptest::collection::vec(any::<u8>(), 1..SLOT_LEN)).prop_map(|(at, bytes)| Op::Tear(at, bytes)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens to a store, a text opens with what was sealed or not at all, and only while it was not
    /// destroyed; a live one, whose slot was not torn, always does.
    #[test]
    fn i7_a_key_is_the_right_one_or_none(ops in proptest::collection::vec(op(), 1..40)) {
        let (vault, mut keys) = Vault::new();
        let mut made: Vec<(SlotNumber, UtteranceId, Sealed<Text>, bool, bool)> = Vec::new();
        for (n, op) in ops.into_iter().enumerate() {
            let len = made.len();
            match op {
                Op::Create => {
                    let id = UtteranceId::from_bytes([n as u8 + 1; 16]);
                    let slot = keys.create(id).expect("created");
                    let sealed = keys.seal(&place(slot, id), &[n as u8]).expect("sealed");
                    made.push((slot, id, sealed, true, false));
                }
                Op::Reopen => {
                    drop(keys);
                    keys = vault.open().expect("opens");
                }
                _ if len == 0 => {}
                Op::Destroy(at) => {
                    let entry = &mut made[at.index(len)];
                    let _taken = keys.destroy(entry.0, entry.1).expect("destroyed");
                    entry.3 = false;
                }
                Op::Forget(at) => {
                    let entry = &mut made[at.index(len)];
                    keys.destroy_kind::<Text>(entry.0, entry.1).expect("destroyed");
                    entry.3 = false;
                }
                Op::Release(at) => {
                    let entry = &made[at.index(len)];
                    if !entry.3 && !entry.4 {
                        keys.release(keys.destroy(entry.0, entry.1).expect("gone")).expect("released");
                    }
                }
                Op::Tear(at, bytes) => {
                    let slot = made[at.index(len)].0;
                    let file = private_file(&vault.path()).expect("opened");
                    file.write_all_at(&bytes, offset(slot)).expect("torn");
                    for entry in made.iter_mut().filter(|entry| entry.0 == slot) {
                        entry.4 = true;
                    }
                }
            }
            for (slot, id, sealed, alive, torn) in &made {
                match keys.open_sealed(&place(*slot, *id), sealed) {
                    Ok(text) => prop_assert!(*alive && text.len() == 1 && [text[0] + 1; 16] == *id.as_bytes()),
                    Err(VaultError::Destroyed) => prop_assert!(!alive || *torn),
                    Err(error) => prop_assert!(false, "{error}"),
                }
            }
        }
    }
}
