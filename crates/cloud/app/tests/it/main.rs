//! The pages over a real store: signing in, the list, the recording, deleting.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use app::{AppParts, PairingCodes};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use base::{AccountId, Marketplace, Redacted, SampleCount, SampleIndex, SetClock, Timestamp, UtteranceId};
use history::{Cause, Details, History, Intent, NewUtterance};
use tower::ServiceExt;

/// 2026-11-23T20:14:00Z.
const NOW: Timestamp = Timestamp::from_unix_ms(1_795_464_840_000);
const HOST: &str = "sotto-0123abcd.localhost:7380";
const PASSWORD: &str = "a long enough password";

struct OneCode;

impl PairingCodes for OneCode {
    fn issue(&self, _account: AccountId) -> Option<String> {
        Some("428 519".into())
    }
}

struct Site {
    _dir: tempfile::TempDir,
    router: Router,
    history: Arc<History>,
    account: AccountId,
    clock: Arc<SetClock>,
}

impl Site {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(SetClock::new(NOW));
        let history = History::open(dir.path(), clock.clone()).await.expect("opens").history;
        let account = history.create_account("owner", Redacted::new(PASSWORD.into())).await.expect("an account");
        let history = Arc::new(history);
        let parts = AppParts {
            history: Arc::clone(&history),
            codes: Arc::new(OneCode),
            clock: clock.clone(),
            zone: Arc::new(|| jiff::tz::TimeZone::UTC),
            host: HOST.split(':').next().expect("a name").into(),
        };
        Self { _dir: dir, router: app::router(parts), history, account, clock }
    }

    async fn heard(&self, transcript: &str, samples: Vec<i16>) -> UtteranceId {
        let device = self.history.add_device(self.account, "Kitchen", [7; 32]).await.expect("a device");
        let details = Details {
            cause: Cause::Wake { word: "alexa".into(), score: 0.97, onset: SampleIndex(8_000) },
            start: SampleIndex(0),
            preroll: SampleCount(8_000),
            length: SampleCount(samples.len() as u64),
            transcript: Redacted::new(transcript.into()),
            intent: Some(Intent { name: Redacted::new("HassGetCurrentTime".into()), slots: BTreeMap::new() }),
            reply: Redacted::new("It's 8:14 PM.".into()),
            timings_ms: BTreeMap::new(),
        };
        let new = NewUtterance {
            account: self.account,
            device,
            marketplace: Marketplace::US,
            at: NOW,
            pcm: Redacted::new(samples),
            details,
        };
        self.history.seal(new).await.expect("seals")
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.expect("answers")
    }

    async fn get(&self, path: &str, cookie: &str) -> Response<Body> {
        let request = Request::get(path).header(header::HOST, HOST).header(header::COOKIE, cookie);
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    async fn post(&self, path: &str, cookie: &str, form: &str) -> Response<Body> {
        let request = Request::post(path)
            .header(header::HOST, HOST)
            .header(header::ORIGIN, format!("http://{HOST}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookie);
        self.send(request.body(Body::from(form.to_owned())).expect("a request")).await
    }

    async fn sign_in(&self) -> String {
        let form = format!("account=owner&password={}", PASSWORD.replace(' ', "+"));
        let answer = self.post("/sign-in", "", &form).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        cookie.split(';').next().expect("a pair").to_owned()
    }
}

async fn text(answer: Response<Body>) -> String {
    let bytes = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[tokio::test]
async fn without_a_session_every_page_leads_to_signing_in() {
    let site = Site::new().await;
    let id = site.heard("what time is it", vec![1; 16_000]).await;
    for path in
        ["/", "/activity", "/devices", &format!("/activity/{id}/audio.wav"), &format!("/activity/{id}/delete")]
    {
        for cookie in ["", "sotto_session=0000"] {
            let answer = site.get(path, cookie).await;
            assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
            assert_eq!(answer.headers()[header::LOCATION], "/sign-in");
        }
    }
    let answer = site.post(&format!("/activity/{id}/delete"), "", "").await;
    assert_eq!(answer.headers()[header::LOCATION], "/sign-in");
    assert!(site.history.audio(site.account, id).await.is_ok(), "still there");
}

#[tokio::test]
async fn a_flood_of_wrong_passwords_keeps_the_right_one_out_for_seconds_and_a_known_browser_not_at_all() {
    let site = Site::new().await;
    let right = format!("account=owner&password={}", PASSWORD.replace(' ', "+"));
    let signed_in = site.post("/sign-in", "", &right).await;
    let cookies = signed_in.headers().get_all(header::SET_COOKIE).iter().map(|value| value.to_str().expect("text"));
    let browser =
        cookies.filter_map(|cookie| cookie.split(';').next()).find(|pair| pair.starts_with("sotto_browser="));
    let browser = browser.expect("known from now on").to_owned();
    let wrong = || site.post("/sign-in", "", "account=owner&password=wrong+wrong");
    // As many as are free, at a clock that stands still: each is looked at.
    for _ in 0..20 {
        assert_eq!(wrong().await.status(), StatusCode::UNAUTHORIZED);
    }
    // From here on each waits for its turn, the right one too ...
    let mut waiting = Box::pin(site.post("/sign-in", "", &right));
    let early = tokio::time::timeout(Duration::from_millis(300), &mut waiting).await;
    assert!(early.is_err(), "it is not looked at before its turn");
    // ... but not the one of a browser from which somebody has signed in, unless it guesses.
    assert_eq!(site.post("/sign-in", &browser, &right).await.status(), StatusCode::SEE_OTHER);
    site.clock.advance(Duration::from_millis(100));
    assert_eq!(waiting.await.status(), StatusCode::SEE_OTHER, "a tenth of a second later it is let in");
}

#[tokio::test]
async fn a_request_is_listed_played_and_deleted() {
    let site = Site::new().await;
    let id = site.heard("What <b>time</b> is it?", (0..16_000).collect()).await;
    let cookie = site.sign_in().await;
    let page = site.get("/activity", &cookie).await;
    assert!(page.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text").contains("default-src 'none'"));
    assert_eq!(page.headers()[header::CACHE_CONTROL], "no-store");
    let page = text(page).await;
    for part in ["Today", ">8:14 PM<", "Kitchen", "8:14 PM.", "Get current time", "97\u{a0}%", "0.50 s"] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains("<b>time"), "what was said is text, not markup");
    let audio = format!("/activity/{id}/audio.wav");
    let whole = site.get(&audio, &cookie).await;
    assert_eq!(whole.headers()[header::CONTENT_TYPE], "audio/wav");
    assert_eq!(to_bytes(whole.into_body(), 1 << 20).await.expect("a body").len(), 44 + 32_000);
    let wave = site.get(&format!("/activity/{id}/wave.svg"), &cookie).await;
    assert_eq!(wave.headers()[header::CONTENT_TYPE], "image/svg+xml");
    assert!(text(site.get(&format!("/activity/{id}/delete"), &cookie).await).await.contains("Delete for good"));
    let answer = site.post(&format!("/activity/{id}/delete"), &cookie, "").await;
    let place = answer.headers()[header::LOCATION].to_str().expect("text").to_owned();
    let page = text(site.get(&place, &cookie).await).await;
    assert!(page.contains("Deleted. Receipt ") && !page.contains("8:14 PM."), "{page}");
    for part in ["audio.wav", "wave.svg", "delete"] {
        let gone = site.get(&format!("/activity/{id}/{part}"), &cookie).await;
        assert_eq!(gone.status(), StatusCode::NOT_FOUND, "{part}");
    }
    // Deleting it twice is no error: it is gone.
    assert_eq!(site.post(&format!("/activity/{id}/delete"), &cookie, "").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_foreign_form_deletes_nothing() {
    let site = Site::new().await;
    let id = site.heard("what time is it", vec![1; 16_000]).await;
    let cookie = site.sign_in().await;
    let request = Request::post(format!("/activity/{id}/delete"))
        .header(header::HOST, HOST)
        .header(header::ORIGIN, "http://evil.example")
        .header(header::COOKIE, &cookie);
    assert_eq!(site.send(request.body(Body::empty()).expect("a request")).await.status(), StatusCode::FORBIDDEN);
    assert!(site.history.audio(site.account, id).await.is_ok());
}

#[tokio::test]
async fn what_is_not_there_is_a_page_that_says_so() {
    let site = Site::new().await;
    let cookie = site.sign_in().await;
    let nobody = UtteranceId::from_bytes([9; 16]);
    for path in [&format!("/activity/{nobody}/audio.wav"), "/activity/zz/delete", "/activity?before=x", "/nowhere"] {
        let answer = site.get(path, &cookie).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(text(answer).await.contains("Nothing here"));
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_in_the_store() {
    let site = Site::new().await;
    let cookie = site.sign_in().await;
    assert_eq!(site.get("/activity", &cookie).await.status(), StatusCode::OK);
    site.post("/sign-out", &cookie, "").await;
    assert_eq!(site.get("/activity", &cookie).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_device_is_added_by_a_code_and_removed() {
    let site = Site::new().await;
    site.heard("x", vec![1; 100]).await;
    let cookie = site.sign_in().await;
    let code = text(site.post("/devices/add", &cookie, "").await).await;
    assert!(code.contains("428 519") && code.contains("--pair 428519<"), "to be read, and to be copied: {code}");
    let device = site.history.devices(site.account).await.expect("devices").remove(0);
    assert!(text(site.get("/devices", &cookie).await).await.contains("Kitchen"));
    let answer = site.post(&format!("/devices/{}/remove", device.id), &cookie, "").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert!(text(site.get("/devices", &cookie).await).await.contains("removed"));
}

#[tokio::test]
async fn this_machines_names_lead_to_its_own_with_path_and_method_and_other_names_are_refused() {
    let site = Site::new().await;
    let id = site.heard("what time is it", vec![1; 16_000]).await;
    let cookie = site.sign_in().await;
    let ask = |request: axum::http::request::Builder, host: &'static str| {
        let request = request.header(header::HOST, host).header(header::COOKIE, &cookie);
        site.send(request.body(Body::empty()).expect("a request"))
    };
    for host in ["localhost:7380", "127.0.0.1:7380", "[::1]:7380"] {
        let answer = ask(Request::get("/activity?open=a%20b"), host).await;
        assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(answer.headers()[header::LOCATION], format!("http://{HOST}/activity?open=a%20b"));
        let gone = answer.headers()[header::SET_COOKIE].to_str().expect("text");
        assert!(gone.starts_with("sotto_session=;") && gone.contains("Max-Age=0"), "{gone}");
        assert!(text(answer).await.contains(HOST), "who cannot follow is told where it is");
        let answer = ask(Request::post(format!("/activity/{id}/delete")), host).await;
        assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT, "and nothing was done");
    }
    for host in ["evil.example", "sotto-00000000.localhost:7380", ""] {
        assert_eq!(ask(Request::get("/activity"), host).await.status(), StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
    assert!(site.history.audio(site.account, id).await.is_ok());
}
