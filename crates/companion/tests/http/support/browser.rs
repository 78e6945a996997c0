//! A browser profile of the tests: cookies, no scripts.

use std::collections::BTreeMap;

use url::Url;

use super::{Answer, Pushed, Service, random};

/// A browser profile: cookies, no scripts, follows nothing by itself.
pub struct Browser {
    pub http: reqwest::Client,
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn new() -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { http, cookies: BTreeMap::new() }
    }

    pub async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.header("cookie", self.cookie_header());
        let answer = Answer::of(request.send().await.unwrap()).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let mut parts = cookie.to_str().unwrap().split("; ");
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            if parts.any(|attribute| attribute == "Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// All cookies, as a browser sends them.
    pub fn cookie_header(&self) -> String {
        let pairs: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Opens an address and follows nothing.
    pub async fn get_without_redirect(&mut self, url: &str) -> Answer {
        self.send(self.http.get(url).header("accept", "text/html")).await
    }

    /// Opens an address. A problem page that moved to an address without secrets is opened there.
    pub async fn get(&mut self, url: &str) -> Answer {
        let answer = self.get_without_redirect(url).await;
        let location = answer.header("location").to_owned();
        if answer.status != 303 || !location.starts_with("/problem/") {
            return answer;
        }
        let origin = Url::parse(url).unwrap().origin().ascii_serialization();
        self.get_without_redirect(&format!("{origin}{location}")).await
    }

    /// Opens the pushed request; the provider's address that the browser is sent to.
    pub async fn authorize(&mut self, service: &Service, pushed: &Pushed) -> Url {
        let answer = self.get(&authorize_url(service, pushed)).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
        Url::parse(answer.header("location")).unwrap()
    }

    /// The provider's answer arrives with this code.
    pub async fn callback(&mut self, service: &Service, provider: &Url, code: &str) -> Answer {
        let state = parameter(provider.as_str(), "state");
        self.get(&format!("{}/callback?code={code}&state={state}", service.url)).await
    }

    /// Up to the hand-off page; its address.
    pub async fn arrive(&mut self, service: &Service, pushed: &Pushed, code: &str) -> String {
        let provider = self.authorize(service, pushed).await;
        let answer = self.callback(service, &provider, code).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        format!("{}{}", service.url, answer.header("location"))
    }

    pub async fn press(&mut self, page: &str, button: &str) -> Answer {
        let token = self.get(page).await.hidden("csrf_token").unwrap_or_default();
        self.press_with(page, button, &token).await
    }

    /// Presses a button of a page that was read before, with the value that it held.
    pub async fn press_with(&mut self, page: &str, button: &str, token: &str) -> Answer {
        let form = [(button, "1"), ("csrf_token", token)];
        let post = self.http.post(page).header("sec-fetch-site", "same-origin").form(&form);
        self.send(post).await
    }

    /// The whole way to the callback, confirmed where it is asked for.
    pub async fn come_back(&mut self, service: &Service, pushed: &Pushed) -> String {
        let page = self.arrive(service, pushed, &random()).await;
        self.come_back_from(&page).await
    }

    /// From the hand-off page to the callback.
    pub async fn come_back_from(&mut self, page: &str) -> String {
        if self.get(page).await.status == 200 {
            self.press(page, "continue").await;
        }
        let answer = self.get(&format!("{page}/go")).await;
        answer
            .header("refresh")
            .strip_prefix("0; url=")
            .unwrap_or_else(|| panic!("{}", answer.body))
            .to_owned()
    }
}

pub fn authorize_url(service: &Service, pushed: &Pushed) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", "keyport-desktop")
        .append_pair("request_uri", &pushed.request_uri)
        .finish();
    format!("{}/oauth/authorize?{query}", service.url)
}

pub fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(key, _)| key == name)
        .unwrap_or_else(|| panic!("no {name} in {url}"))
        .1
        .into_owned()
}
