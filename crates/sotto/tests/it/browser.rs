//! The app in a browser of few needs: forms out, pages in, one cookie.

use std::time::Duration;

use crate::home::Up;

pub(crate) struct Browser {
    agent: ureq::Agent,
    pub(crate) app: String,
    pub(crate) cookie: String,
}

impl Browser {
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
        let mut browser = Self { agent, app: app.to_owned(), cookie: String::new() };
        let answer = browser.post("/sign-in", &format!("account={account}&password={password}"));
        let cookie = answer.headers().get("set-cookie").and_then(|value| value.to_str().ok()).expect("signed in");
        browser.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        browser
    }

    pub(crate) fn post(&self, path: &str, form: &str) -> ureq::http::Response<ureq::Body> {
        let request = self.agent.post(format!("{}{path}", self.app)).header("Cookie", &self.cookie);
        request.header("Content-Type", "application/x-www-form-urlencoded").send(form).expect("the app answers")
    }

    pub(crate) fn get(&self, path: &str) -> ureq::http::Response<ureq::Body> {
        let request = self.agent.get(format!("{}{path}", self.app)).header("Cookie", &self.cookie);
        request.call().expect("the app answers")
    }

    pub(crate) fn page(&self, path: &str) -> String {
        self.get(path).body_mut().read_to_string().expect("text")
    }
}
