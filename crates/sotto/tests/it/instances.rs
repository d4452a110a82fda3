//! Two instances on one machine, and another program beside them: each browser's cookies reach the one they are for.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::browser::Browser;
use crate::home::{Home, Up};

fn text<'a>(up: &'a Up, key: &str) -> &'a str {
    up.told[key].as_str().expect("text")
}

#[test]
fn two_instances_in_one_browser_both_stay_signed_in_and_another_program_is_sent_no_cookie() {
    let homes = [Home::new(), Home::new()];
    let ups = [homes[0].up(), homes[1].up()];
    let mut browser = Browser::new();
    // By the old link, as people have it in their bookmarks: it leads on.
    for up in &ups {
        let app = text(up, "app");
        let port = app.rsplit_once(':').expect("a port").1;
        let led = browser.get(&format!("http://localhost:{port}/activity?before=x"));
        assert_eq!(led.status, 307);
        assert_eq!(led.location.as_deref(), Some(format!("{app}/activity?before=x").as_str()));
        let form = format!("account={}&password={}", text(up, "account"), text(up, "password"));
        let led = browser.post(&format!("http://localhost:{port}/sign-in"), &form);
        assert_eq!((led.status, led.location.as_deref()), (307, Some(format!("{app}/sign-in").as_str())));
        assert_eq!(browser.post(&format!("{app}/sign-in"), &form).status, 303);
    }
    for up in &ups {
        assert_eq!(browser.get(&format!("{}/activity", text(up, "app"))).status, 200, "signed in to both");
    }
    let other = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = other.local_addr().expect("an address").port();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = other.accept().expect("a browser");
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("reads") == 1 {
            request.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").expect("answers");
        String::from_utf8(request).expect("text")
    });
    assert_eq!(browser.get(&format!("http://localhost:{port}/")).status, 204);
    assert!(!heard.join().expect("no panic").contains("sotto_"));
    assert_eq!(browser.post(&format!("{}/sign-out", text(&ups[0], "app")), "").status, 303);
    assert_eq!(browser.get(&format!("{}/activity", text(&ups[1], "app"))).status, 200, "the other is not signed out");
}

#[test]
fn an_instance_keeps_its_host_name_and_no_two_have_the_same() {
    let (one, two) = (Home::new(), Home::new());
    let name = |home: &Home| text(&home.up(), "app").rsplit_once(':').expect("a port").0.to_owned();
    let first = name(&one);
    assert_eq!(name(&one), first, "from start to start");
    assert_ne!(name(&two), first);
}
