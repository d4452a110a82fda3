//! `up`, `status`, `stop`, `account reset`: a service as people expect one.

use std::os::unix::fs::PermissionsExt;

use crate::home::Home;

#[test]
fn it_comes_up_says_where_and_stops_when_told() {
    let home = Home::new();
    home.sotto(&["status"]).refuses(1, "not running");
    home.sotto(&["stop"]).refuses(1, "not running");
    let mut up = home.up();
    let app = up.told["app"].as_str().expect("text").to_owned();
    assert!(app.starts_with("http://sotto-") && app.contains(".localhost:"), "{app}");
    let status = home.sotto(&["status", "--json"]);
    assert_eq!((&status.line()["pid"], &status.line()["app"]), (&up.pid().into(), &app.as_str().into()));
    home.sotto(&["--port", "0", "up"]).refuses(1, "already running");
    assert_eq!(home.sotto(&["stop"]).code, Some(0));
    assert_eq!(up.wait(), Some(0));
    home.sotto(&["status"]).refuses(1, "not running");
}

#[test]
fn the_password_is_printed_once_and_can_be_reset() {
    let home = Home::new();
    let first = home.up();
    let password = first.told["password"].as_str().expect("printed at the first start").to_owned();
    assert!(password.len() >= 16 && !home.files().is_empty());
    assert!(home.files_holding(password.as_bytes()).is_empty(), "the password lies on no disk");
    let reset = home.sotto(&["account", "reset", "--json"]);
    assert_eq!(reset.line()["account"], first.told["account"]);
    assert_ne!(reset.line()["password"].as_str(), Some(password.as_str()));
    drop(first);
    let second = home.up();
    assert!(second.told.get("password").is_none(), "printed once");
    drop(second);
    assert_eq!(home.sotto(&["account", "reset", "--json"]).code, Some(0), "also while nothing runs");
}

#[test]
fn the_data_directory_is_its_owners_alone() {
    let home = Home::new();
    drop(home.up());
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("exists").permissions().mode() & 0o777;
    assert_eq!(mode(&home.data()), 0o700);
    assert_eq!(mode(&home.data().join("root.key")), 0o600);
}

#[test]
fn an_empty_folder_is_taken_and_somebody_elses_is_left_alone() {
    let home = Home::new();
    let set_mode = |mode: u32| {
        std::fs::set_permissions(home.data(), std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    // As `mkdir` makes one.
    std::fs::create_dir(home.data()).expect("a folder");
    set_mode(0o755);
    let letter = home.data().join("letter.txt");
    std::fs::write(&letter, "x").expect("a file");
    home.sotto(&["up"]).refuses(1, "is not a data directory of sotto");
    assert_eq!(std::fs::read_dir(home.data()).expect("a folder").count(), 1, "nothing was begun");
    std::fs::remove_file(&letter).expect("removed");
    let up = home.up();
    assert!(up.told["app"].is_string());
    assert_eq!(std::fs::metadata(home.data()).expect("there").permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let home = Home::new();
    home.sotto(&["--port", &port, "up"]).refuses(1, &format!("port {port} is in use"));
}

#[test]
fn a_killed_cloud_leaves_nothing_in_the_way() {
    let home = Home::new();
    let asked = {
        let _up = home.up();
        home.sotto(&["ask", "--fast", "--json", "--say", "Alexa, what time is it"])
        // Dropping it kills it: no farewell, a run file left behind.
    };
    assert_eq!(asked.code, Some(0), "{asked:?}");
    home.sotto(&["status"]).refuses(1, "not running");
    let again = home.up();
    assert!(again.told["app"].is_string());
}
