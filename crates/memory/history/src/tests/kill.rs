//! A real kill: a child process seals and deletes as fast as it can and is killed at some moment.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use base::UtteranceId;

use super::common::*;
use super::watch::nothing_in_the_clear;

/// Where the child works; unset, it is no child.
const CHILD: &str = "HISTORY_TEST_CHILD";
/// How often the child is killed.
const KILLS: usize = 6;

/// Seals two, deletes one, and says so, until it is killed. In the tests' own run it does nothing.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "it is how the child tells what was acknowledged")]
async fn the_child_that_is_killed() {
    let Ok(data) = std::env::var(CHILD) else { return };
    let history = open(Path::new(&data)).await.history;
    let account = history.accounts().await.expect("listed")[0].id;
    let device = history.devices(account).await.expect("listed")[0].id;
    loop {
        let kept = history.seal(utterance(account, device, 1)).await.expect("sealed");
        println!("kept {kept}");
        let forgotten = history.seal(utterance(account, device, 2)).await.expect("sealed");
        history.delete(account, forgotten).await.expect("deleted");
        println!("deleted {forgotten}");
    }
}

#[tokio::test]
async fn i7_after_a_kill_what_was_acknowledged_is_there_and_what_was_deleted_stays_deleted() {
    let dir = folder();
    let data = dir.path().join("data");
    let history = open(&data).await.history;
    let (account, _) = owner(&history).await;
    history.close().await;
    drop(history);
    let (mut kept, mut deleted) = (Vec::<UtteranceId>::new(), Vec::<UtteranceId>::new());
    for round in 0..KILLS {
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "tests::kill::the_child_that_is_killed", "--nocapture"])
            .env(CHILD, &data)
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.expect("starts");
        // Killed after another number of lines each time; where within the next request is up to the machine.
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut said = 0;
        for line in lines {
            let line = line.expect("text");
            if let Some((_, id)) = line.split_once("kept ") {
                kept.push(id.parse().expect("an id"));
            } else if let Some((_, id)) = line.split_once("deleted ") {
                deleted.push(id.parse().expect("an id"));
            } else {
                continue;
            }
            said += 1;
            if said == 3 + round {
                child.kill().expect("killed");
            }
        }
        child.wait().expect("gone");
        nothing_in_the_clear(&data);
        let history = open(&data).await.history;
        for id in &kept {
            assert!(is_whole(&history, account, *id, 1).await);
        }
        for id in &deleted {
            assert!(!is_whole(&history, account, *id, 2).await);
        }
        consistent(&history, &data).await;
        history.close().await;
    }
    assert!(kept.len() >= KILLS && deleted.len() >= KILLS);
}
