//! The owner at the app: signed in, with answers that can be read piece by piece.

use std::time::Duration;

use crate::browser::reach;
use crate::home::Up;

/// Signed in, once.
pub(crate) struct Owner {
    agent: ureq::Agent,
    pub(crate) app: String,
    pub(crate) cookie: String,
}

impl Owner {
    /// Signs in with what `sotto up` printed.
    pub(crate) fn of(up: &Up) -> Self {
        let text = |key: &str| up.told[key].as_str().expect("text");
        Self::sign_in(text("app"), text("account"), text("password"))
    }

    pub(crate) fn sign_in(app: &str, account: &str, password: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(60)))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .into();
        let mut owner = Self { agent, app: app.to_owned(), cookie: String::new() };
        let answer = owner.post("/sign-in", &format!("account={account}&password={password}"));
        let cookie = answer.headers().get("set-cookie").and_then(|value| value.to_str().ok()).expect("signed in");
        owner.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        owner
    }

    pub(crate) fn post(&self, path: &str, form: &str) -> ureq::http::Response<ureq::Body> {
        let (host, reach) = reach(&format!("{}{path}", self.app));
        let request = self.agent.post(reach).header("Host", host).header("Cookie", &self.cookie);
        request.header("Content-Type", "application/x-www-form-urlencoded").send(form).expect("the app answers")
    }

    pub(crate) fn get(&self, path: &str) -> ureq::http::Response<ureq::Body> {
        let (host, reach) = reach(&format!("{}{path}", self.app));
        let request = self.agent.get(reach).header("Host", host).header("Cookie", &self.cookie);
        request.call().expect("the app answers")
    }

    pub(crate) fn page(&self, path: &str) -> String {
        self.get(path).body_mut().read_to_string().expect("text")
    }
}
