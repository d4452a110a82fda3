//! What every [`Store`] must do, whatever database it is on. A new one calls [`conforms`] with an empty store that has
//! the device [`DEVICE`] of [`OWNER`].

use super::*;

const OWNER: AccountId = AccountId::from_bytes([1; 16]);
const OTHER: AccountId = AccountId::from_bytes([2; 16]);
const DEVICE: DeviceId = DeviceId::from_bytes([3; 16]);

fn id(n: u8) -> UtteranceId {
    UtteranceId::from_bytes([n; 16])
}

fn row(n: u8, at_ms: i64) -> NewRow {
    NewRow {
        id: id(n),
        account: OWNER,
        device: DEVICE,
        at: Timestamp::from_unix_ms(at_ms),
        slot: SlotNumber(u32::from(n)),
        details: Sealed::from_bytes(vec![n; 40]),
    }
}

async fn conforms(store: &impl Store) {
    assert_eq!(store.key_store().await.expect("read"), None);
    store.set_key_store([9; 16]).await.expect("set");
    assert_eq!(store.key_store().await.expect("read"), Some([9; 16]));
    assert!(store.set_key_store([8; 16]).await.is_err(), "once");
    assert_eq!(store.last_slot().await.expect("read"), None);
    inserting(store).await;
    paging(store).await;
    deleting(store).await;
}

async fn inserting(store: &impl Store) {
    for (n, at_ms) in [(1, 50), (2, 70), (3, 70), (4, -10)] {
        store.insert(row(n, at_ms)).await.expect("kept");
    }
    assert!(store.insert(row(1, 50)).await.is_err(), "a repetition is an error");
    assert!(store.insert(NewRow { id: id(5), ..row(1, 50) }).await.is_err(), "a slot holds one");
    let nobodys = NewRow { device: DeviceId::from_bytes([9; 16]), ..row(5, 0) };
    assert!(matches!(store.insert(nobodys).await, Err(HistoryError::NoSuchDevice)));
    let found = store.row(OWNER, id(1)).await.expect("read").expect("kept");
    assert_eq!((found.id, found.at.unix_ms()), (id(1), 50));
    let StoredState::Sealed { slot, device, details } = found.state else { panic!("sealed") };
    assert_eq!((slot, device, details.as_bytes()), (SlotNumber(1), DEVICE, [1; 40].as_slice()));
    assert!(store.row(OTHER, id(1)).await.expect("read").is_none());
    store.insert(row(6, 0)).await.expect("kept");
    store.take_back(id(6)).await.expect("taken back");
    store.take_back(id(6)).await.expect("once more is harmless");
    assert!(!store.is_kept(id(6)).await.expect("read"));
    assert_eq!(store.last_slot().await.expect("read"), Some(SlotNumber(4)));
    let kept = store.kept_in(SlotNumber(2), SlotNumber(3)).await.expect("listed");
    assert_eq!(kept, [(SlotNumber(2), id(2)), (SlotNumber(3), id(3))]);
    assert_eq!(store.accounts().await.expect("listed"), [OWNER]);
}

async fn paging(store: &impl Store) {
    let ids = |rows: Vec<StoredRow>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(store.page(OWNER, None, 9).await.expect("read")), [id(3), id(2), id(1), id(4)]);
    assert_eq!(ids(store.page(OWNER, None, 1).await.expect("read")), [id(3)]);
    let after = Some(Cursor { at: Timestamp::from_unix_ms(70), id: id(3) });
    assert_eq!(ids(store.page(OWNER, after, 2).await.expect("read")), [id(2), id(1)]);
    assert_eq!(ids(store.page(OTHER, None, 9).await.expect("read")), []);
}

async fn deleting(store: &impl Store) {
    let (at, first) = (Timestamp::from_unix_ms(900), ReceiptNumber([1; 16]));
    store.begin_deletion(id(2), at, first).await.expect("noted");
    store.begin_deletion(id(2), Timestamp::from_unix_ms(901), ReceiptNumber([2; 16])).await.expect("noted already");
    store.begin_deletion(id(7), at, first).await.expect("nothing to note");
    let pending = Pending { receipt: Receipt { id: id(2), at, number: first }, slot: SlotNumber(2) };
    assert_eq!(store.all_pending(9).await.expect("listed"), [pending]);
    assert_eq!(store.pending(id(2)).await.expect("read"), Some(pending));
    assert!(store.is_kept(id(2)).await.expect("read"), "until it is finished");
    store.finish_deletion(id(1)).await.expect("nothing was noted");
    assert!(store.is_kept(id(1)).await.expect("read"));
    for _ in 0..2 {
        store.finish_deletion(id(2)).await.expect("finished");
        store.scrub().await.expect("scrubbed");
        let found = store.row(OWNER, id(2)).await.expect("read").expect("its receipt");
        assert!(matches!(found.state, StoredState::Deleted(receipt) if receipt == pending.receipt));
        assert_eq!(store.pending(id(2)).await.expect("read"), None);
        assert!(!store.is_kept(id(2)).await.expect("read"));
        assert!(store.is_deleted(id(2)).await.expect("read") && !store.is_deleted(id(1)).await.expect("read"));
        store.begin_deletion(id(2), at, first).await.expect("deleted already");
        store.take_back(id(2)).await.expect("a receipt is not taken back");
    }
    store.insert(NewRow { slot: SlotNumber(2), ..row(8, 0) }).await.expect("the slot is free");
}

#[tokio::test]
async fn sqlite_conforms() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("history.db");
    let store = sqlite::SqliteStore::open(&path, std::sync::Arc::new(vault::NoSteps)).await.expect("opens");
    let (at, name) = (Timestamp::from_unix_ms(0), String::from("Kitchen").into());
    let device = devices::NewDevice { id: DEVICE, account: OWNER, name, key_sha256: [0; 32], at };
    store.add_device(device, base::Marketplace::US).await.expect("added");
    conforms(&store).await;
}
