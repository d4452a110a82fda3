//! A start that is refused changes nothing, and a loss is told aloud.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::home::Home;
use crate::owner::Owner;

/// Every file of the data directory, with its bytes.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(snapshot(&path));
        } else {
            let bytes = std::fs::read(&path).expect("read");
            found.insert(path, bytes);
        }
    }
    // What the refusal itself writes is in the log.
    found.retain(|path, _| !path.starts_with(folder.join("logs")));
    found
}

#[test]
fn a_missing_or_damaged_file_refuses_the_start_and_nothing_is_changed() {
    let home = Home::new();
    let up = home.up();
    assert_eq!(home.sotto(&["ask", "--fast", "--json", "--say", "Alexa, what time is it"]).code, Some(0));
    drop(up);
    let data = home.data();
    for name in ["cloud.pem", "root.key", "directory.db", "us/history.db", "us/keys.store"] {
        let (path, away) = (data.join(name), home.dir.path().join("away"));
        for damage in ["missing", "emptied"] {
            std::fs::copy(&path, &away).expect("copied");
            match damage {
                "missing" => std::fs::remove_file(&path).expect("removed"),
                _ => std::fs::write(&path, b"").expect("emptied"),
            }
            let before = snapshot(&data);
            let said = home.sotto(&["--port", "0", "up", "--json"]);
            said.refuses(1, name);
            let after = snapshot(&data);
            assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{name} {damage}");
            for (file, bytes) in &before {
                assert!(after[file] == *bytes, "{name} {damage}: {} was changed", file.display());
            }
            std::fs::copy(&away, &path).expect("put back");
        }
    }
    drop(home.up());
}

#[test]
fn a_lost_request_is_told_in_the_log_and_in_the_app_and_gets_no_receipt() {
    let home = Home::new();
    let up = home.up();
    let password = up.told["password"].as_str().expect("text").to_owned();
    assert_eq!(home.sotto(&["ask", "--fast", "--json", "--say", "Alexa, what time is it"]).code, Some(0));
    drop(up);
    let keys = home.data().join("us/keys.store");
    let mut bytes = std::fs::read(&keys).expect("read");
    bytes[512..1_024].fill(0);
    std::fs::write(&keys, &bytes).expect("zeroed");
    for start in 0..2 {
        let up = home.up();
        let logged = home.files_holding(b"history.lost").len();
        assert!(logged > 0, "start {start}: the log does not say it");
        let owner = Owner::sign_in(up.told["app"].as_str().expect("text"), "owner", &password);
        let page = owner.page("/activity");
        assert!(page.contains("Lost: ") && page.contains("role=\"alert\""), "start {start}: {page}");
        assert!(!page.contains("receipt"), "start {start}: {page}");
    }
    assert!(std::fs::read(&keys).expect("read") == bytes, "nothing was overwritten");
    let up = home.up();
    let owner = Owner::sign_in(up.told["app"].as_str().expect("text"), "owner", &password);
    let page = owner.page("/activity");
    let id = page
        .split("/delete\"")
        .next()
        .and_then(|page| page.rsplit("/activity/").next())
        .expect("its link")
        .to_owned();
    let asked = owner.page(&format!("/activity/{id}/delete"));
    assert!(asked.contains("Clear this lost request?") && asked.contains("no receipt"), "{asked}");
    let cleared = owner.post(&format!("/activity/{id}/delete"), "");
    assert_eq!(cleared.headers()["location"].to_str().expect("text"), "/activity?cleared=1");
    let page = owner.page("/activity?cleared=1");
    assert!(page.contains("there is no receipt") && !page.contains(&id), "{page}");
}
