//! The plain life of an utterance.

use super::common::*;
use crate::*;

#[tokio::test]
async fn an_utterance_is_sealed_shown_played_deleted_and_all_of_it_holds_after_a_restart() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let opened = open(dir.path()).await;
    assert!(opened.first_start);
    let history = opened.history;
    let (account, device) = owner(&history).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(history.seal(utterance(account, device, n)).await.expect("sealed"));
    }
    history.close().await;
    let opened = open(dir.path()).await;
    assert!(!opened.first_start);
    assert_eq!(opened.recovered, Recovery::default());
    let history = opened.history;
    let page = history.page(account, None, 3).await.expect("a page");
    assert_eq!(page.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [ids[4], ids[3], ids[2]]);
    let rest = history.page(account, page.next, 3).await.expect("the next");
    assert_eq!(rest.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [ids[1], ids[0]]);
    assert_eq!(rest.next, None);
    let mut expected = utterance(account, device, 2).details;
    expected.length = base::SampleCount(8_000);
    assert_eq!(page.rows[2].state, RowState::Sealed { device, details: Box::new(expected) });
    assert_eq!(*history.audio(account, ids[2]).await.expect("sound").expose(), sound(2));

    let receipt = history.delete(account, ids[2]).await.expect("deleted");
    assert_eq!(history.delete(account, ids[2]).await.expect("the same again"), receipt);
    assert!(matches!(history.audio(account, ids[2]).await, Err(HistoryError::Deleted(found)) if found == receipt));
    history.close().await;
    let history = open(dir.path()).await.history;
    let page = history.page(account, None, 10).await.expect("a page");
    assert_eq!(page.rows[2].state, RowState::Deleted(receipt));
    assert!(matches!(page.rows[1].state, RowState::Sealed { .. }));
    assert!(matches!(page.rows[3].state, RowState::Sealed { .. }));
}
