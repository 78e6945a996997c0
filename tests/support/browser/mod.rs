//! A browser without a screen: a cookie jar that follows redirects by hand, reads pages and submits
//! their forms, for the many tests that need a browser's rules but not a browser. It never leaves
//! loopback. NOT a JavaScript engine and no judge of CSP: those claims are made with a real
//! Chromium (`desktop`).

mod page;
mod person;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use reqwest::header::{COOKIE, HeaderMap, HeaderName, LOCATION, SET_COOKIE};
use reqwest::{Method, RequestBuilder};
use url::{Host, Url};

pub use page::{Form, Page};
pub use person::Person;

const MOST_REDIRECTS: usize = 12;

/// One browser profile.
pub struct Jar {
    http: reqwest::Client,
    /// By host and name: cookies ignore ports (RFC 6265 §8.5).
    cookies: BTreeMap<(String, String), String>,
    stops: Vec<String>,
    visited: Vec<String>,
    /// `Sec-Fetch-Site` of the next request.
    site: &'static str,
}

impl Jar {
    /// A browser that has never been anywhere.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new() -> Result<Self> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // A companion that was started again must not be met through a connection to its
            // predecessor.
            .pool_max_idle_per_host(0)
            .user_agent("Mozilla/5.0 (X11; Linux x86_64) a browser of the tests")
            .timeout(crate::wait::WAIT_TIMEOUT)
            .build()?;
        Ok(Self {
            http,
            cookies: BTreeMap::new(),
            stops: Vec::new(),
            visited: Vec::new(),
            site: "none",
        })
    }

    /// Redirects to an address with this beginning are answered, not followed (a callback that the
    /// test wants to hold in its hands).
    #[must_use]
    pub fn stopping_at(mut self, beginning: &str) -> Self {
        self.stops.push(beginning.to_owned());
        self
    }

    /// Follows every redirect again.
    #[must_use]
    pub fn without_stops(mut self) -> Self {
        self.stops.clear();
        self
    }

    /// Every address that was asked for, in order.
    #[must_use]
    pub fn visited(&self) -> &[String] {
        &self.visited
    }

    /// The value of a cookie on 127.0.0.1.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let key = ("127.0.0.1".to_owned(), name.to_owned());
        self.cookies.get(&key).map(String::as_str)
    }

    /// All cookies that go to a host, as one header.
    #[must_use]
    pub fn cookie_header(&self, url: &Url) -> String {
        let of_host = |host: &str| Some(host) == url.host_str();
        let cookies = self.cookies.iter().filter(|((host, _), _)| of_host(host));
        let pairs: Vec<String> =
            cookies.map(|((_, name), value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Opens an address as a person who clicked a link does, and follows redirects.
    ///
    /// # Errors
    /// When a host does not answer or is not on loopback, or redirects go on for too long.
    pub async fn open(&mut self, address: &str) -> Result<Page> {
        let url = address.parse().context("an address to open")?;
        self.site = "none";
        self.travel(Method::GET, url, None).await
    }

    /// Submits the only form of the page, or the one that has the button `button`, with `fields`
    /// filled in.
    ///
    /// # Errors
    /// When there is no such form, or as [`Jar::open`].
    pub async fn submit(
        &mut self,
        page: &Page,
        button: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Result<Page> {
        let form = page.form(button)?;
        self.send(&form.filled(fields)?).await
    }

    /// Sends a form as it is.
    ///
    /// # Errors
    /// As [`Jar::open`].
    pub async fn send(&mut self, form: &Form) -> Result<Page> {
        let page = self.visited.last().and_then(|page| Url::parse(page).ok());
        let same = page.is_some_and(|page| page.origin() == form.action.origin());
        self.site = if same { "same-origin" } else { "same-site" };
        if form.method == Method::GET {
            let mut url = form.action.clone();
            url.query_pairs_mut().clear().extend_pairs(&form.fields);
            return self.travel(Method::GET, url, None).await;
        }
        let fields = Some(form.fields.as_slice());
        self.travel(form.method.clone(), form.action.clone(), fields).await
    }

    async fn travel(
        &mut self,
        mut method: Method,
        mut url: Url,
        mut fields: Option<&[(String, String)]>,
    ) -> Result<Page> {
        for _ in 0..MOST_REDIRECTS {
            let page = self.visit(&method, &url, fields).await?;
            let Some(next) = page.redirect() else {
                return Ok(page);
            };
            let next = next?;
            let held = self.stops.iter().any(|stop| next.starts_with(stop));
            match Url::parse(&next) {
                Ok(next) if !held && is_loopback(&next) => {
                    if self.site == "same-origin" && next.origin() != url.origin() {
                        self.site = "same-site";
                    }
                    url = next;
                }
                _ => return Ok(page.leaving_to(next)),
            }
            // RFC 9110 §15.4: 307 and 308 keep method and body, the others become a GET.
            if !matches!(page.status.as_u16(), 307 | 308) {
                method = Method::GET;
                fields = None;
            }
        }
        bail!("more than {MOST_REDIRECTS} redirects, the last to {url}")
    }

    async fn visit(
        &mut self,
        method: &Method,
        url: &Url,
        fields: Option<&[(String, String)]>,
    ) -> Result<Page> {
        if !is_loopback(url) {
            bail!("the browser of the tests stays on loopback, refused {url}");
        }
        self.visited.push(url.to_string());
        let mut request = self.navigation(method.clone(), url);
        if let Some(fields) = fields {
            let origin = url.origin().ascii_serialization();
            request = request.form(fields).header("origin", origin);
        }
        let answer = request.send().await.with_context(|| format!("{method} {url}"))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        self.keep_cookies(url, &headers);
        let body = answer.text().await?;
        Ok(Page::new(url.clone(), status, headers, body))
    }

    /// The headers of a top-level navigation as Chromium sends them.
    fn navigation(&self, method: Method, url: &Url) -> RequestBuilder {
        let mut request = self
            .http
            .request(method, url.clone())
            .header("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
        for (name, value) in [
            ("sec-fetch-site", self.site),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
            ("sec-fetch-user", "?1"),
            ("upgrade-insecure-requests", "1"),
        ] {
            request = request.header(HeaderName::from_static(name), value);
        }
        let cookies = self.cookie_header(url);
        if cookies.is_empty() { request } else { request.header(COOKIE, cookies) }
    }

    fn keep_cookies(&mut self, url: &Url, headers: &HeaderMap) {
        let host = url.host_str().unwrap_or_default();
        for cookie in headers.get_all(SET_COOKIE) {
            let Ok(cookie) = cookie.to_str() else {
                continue;
            };
            let mut parts = cookie.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            let key = (host.to_owned(), name.to_owned());
            if parts.any(|attribute| attribute.eq_ignore_ascii_case("max-age=0")) {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
    }
}

/// Where a redirect answer leads, as an absolute address; `None` when it is no redirect.
fn redirect_of(page: &Page) -> Option<Result<String>> {
    if !matches!(page.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = page.header(&LOCATION)?;
    Some(page.absolute(location))
}

fn is_loopback(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    here && url.scheme() == "http"
}
