//! A browser of few needs: pages in, forms out, and a jar of cookies kept as browsers keep them, by host name and not by port.

use std::collections::BTreeMap;
use std::time::Duration;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Browser {
    agent: ureq::Agent,
    /// By host name, and by the cookie's name: its value and its path.
    jar: BTreeMap<(String, String), (String, String)>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) text: String,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .into();
        Self { agent, jar: BTreeMap::new() }
    }

    /// Signs in with what `sotto up` printed.
    pub(crate) fn sign_in(&mut self, app: &str, account: &str, password: &str) -> Answer {
        self.post(&format!("{app}/sign-in"), &format!("account={account}&password={password}"))
    }

    pub(crate) fn get(&mut self, url: &str) -> Answer {
        let (host, reach) = reach(url);
        let request = self.agent.get(reach).header("Host", &host).header("Cookie", self.cookies(url));
        self.take(url, request.call())
    }

    pub(crate) fn post(&mut self, url: &str, form: &str) -> Answer {
        let (host, reach) = reach(url);
        let request = self.agent.post(reach).header("Host", &host).header("Cookie", self.cookies(url));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        self.take(url, request.send(form))
    }

    fn cookies(&self, url: &str) -> String {
        let (name, path) = name_and_path(url);
        let ours =
            self.jar.iter().filter(|((host, _), (_, under))| *host == name && path.starts_with(under.as_str()));
        ours.map(|((_, cookie), (value, _))| format!("{cookie}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn take(&mut self, url: &str, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
        let mut answer = answer.unwrap_or_else(|why| panic!("{url}: {why}"));
        let (host, _) = name_and_path(url);
        for set in answer.headers().get_all("set-cookie") {
            let mut parts = set.to_str().expect("text").split("; ");
            let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a pair");
            let attributes: Vec<&str> = parts.collect();
            assert!(attributes.contains(&"HttpOnly") && attributes.contains(&"SameSite=Strict"), "{set:?}");
            assert!(
                !attributes.iter().any(|attribute| attribute.starts_with("Domain")),
                "for this host alone: {set:?}"
            );
            let path = attributes.iter().find_map(|attribute| attribute.strip_prefix("Path=")).expect("a path");
            let key = (host.clone(), name.to_owned());
            if attributes.contains(&"Max-Age=0") {
                self.jar.remove(&key);
            } else {
                self.jar.insert(key, (value.to_owned(), path.to_owned()));
            }
        }
        let location = answer.headers().get("location").map(|place| place.to_str().expect("text").to_owned());
        let text = answer.body_mut().read_to_string().expect("text");
        Answer { status: answer.status().as_u16(), location, text }
    }
}

/// The host and port of an address, and how it is reached: names under `localhost` are this machine's, which browsers know
/// and not every machine's resolver.
pub(crate) fn reach(url: &str) -> (String, String) {
    let rest = url.strip_prefix("http://").expect("plain HTTP");
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let port = host.rsplit_once(':').expect("a port").1;
    (host.to_owned(), format!("http://127.0.0.1:{port}{path}"))
}

fn name_and_path(url: &str) -> (String, String) {
    let (host, reach) = reach(url);
    let name = host.rsplit_once(':').expect("a port").0.to_owned();
    let path = reach.splitn(4, '/').nth(3).unwrap_or_default();
    (name, format!("/{path}"))
}
