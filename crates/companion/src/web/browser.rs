//! What a browser is asked for: the cookie that ties a sign-in to it, and signs that a page is only
//! fetched ahead. On loopback http other local ports can read and set cookies (RFC 6265 §8.5), so
//! the cookie is one of several ties and never a secret that opens something alone.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::domain::{BrowserHash, Random, SecretText};
use crate::issuer::Issuer;

/// How long a browser keeps its cookie, in seconds: longer than any sign-in takes.
const LIFETIME: u32 = 24 * 60 * 60;

/// The random id of one browser.
#[derive(Debug)]
pub struct BrowserId(SecretText);

impl BrowserId {
    /// The id in the request's cookie, if it is one of ours.
    pub fn of_request(headers: &HeaderMap, issuer: &Issuer) -> Option<Self> {
        let id = cookie(headers, name(issuer))?;
        let drawn = URL_SAFE_NO_PAD.decode(id).is_ok_and(|bytes| bytes.len() == 32);
        drawn.then(|| Self(SecretText::new(id)))
    }

    /// A new one.
    pub fn draw(random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self(SecretText::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// What is sealed and stored in its place.
    pub fn hash(&self) -> BrowserHash {
        BrowserHash::from_bytes(Sha256::digest(self.0.expose()).into())
    }

    /// `Set-Cookie`: only this service gets it, and not with other sites' posts.
    pub fn set_cookie(&self, issuer: &Issuer) -> Option<HeaderValue> {
        let (name, value) = (name(issuer), self.0.expose());
        let secure = if issuer.is_https() { "; Secure" } else { "" };
        let cookie =
            format!("{name}={value}; Path=/; Max-Age={LIFETIME}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&cookie).ok()
    }
}

fn name(issuer: &Issuer) -> &'static str {
    if issuer.is_https() { "__Host-keyport-browser" } else { "keyport-browser" }
}

/// The value of a cookie that is there once; two of one name are none.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = cookies(headers).filter_map(|(key, value)| (key == name).then_some(value));
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// Names and values of all cookies of a request.
pub(super) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

/// Whether the browser only fetches ahead (`Sec-Purpose: prefetch`, `prefetch;prerender`).
pub fn is_speculative(headers: &HeaderMap) -> bool {
    headers.contains_key("sec-purpose")
        || headers.contains_key("purpose")
        || headers.contains_key("x-moz")
}

/// Whether a form post can come from a page of ours. Our pages send `Origin: null` because of
/// `no-referrer` (Fetch §3.2), so `null` says nothing and the fetch metadata decides where it is
/// sent. An origin that is spelled out must be ours, with or without fetch metadata.
pub fn is_same_origin_post(headers: &HeaderMap, issuer: &Issuer) -> bool {
    let origins_are_ours = headers
        .get_all(header::ORIGIN)
        .into_iter()
        .all(|origin| origin == "null" || origin == issuer.as_str());
    let site_is_ours = headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin");
    origins_are_ours && site_is_ours
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&'static str]) -> HeaderMap {
        cookies.iter().map(|line| (header::COOKIE, HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn a_cookie_that_is_there_twice_is_not_believed() {
        assert_eq!(cookie(&headers(&["a=1; b=2"]), "b"), Some("2"));
        assert_eq!(cookie(&headers(&["b=1; b=2"]), "b"), None);
        assert_eq!(cookie(&headers(&["b=1", "b=2"]), "b"), None);
        assert_eq!(cookie(&headers(&["ab=1"]), "b"), None);
    }

    #[test]
    fn a_post_from_a_foreign_origin_is_refused() {
        let issuer = Issuer::new("https://sign-in.example.com").unwrap();
        for (origin, site, ours) in [
            (None, None, true),
            (Some("null"), None, true),
            (Some("null"), Some("same-origin"), true),
            (Some("null"), Some("cross-site"), false),
            (Some("https://sign-in.example.com"), None, true),
            (Some("https://evil.test"), None, false),
            (Some("https://evil.test"), Some("same-origin"), false),
            (Some("http://sign-in.example.com"), None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            if let Some(site) = site {
                headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            assert_eq!(is_same_origin_post(&headers, &issuer), ours, "{origin:?} {site:?}");
        }
    }

    #[test]
    fn over_tls_the_cookie_is_held_to_this_host() {
        let id = BrowserId::draw(&crate::domain::SystemRandom);
        let https = Issuer::new("https://sign-in.example.com").unwrap();
        let set = id.set_cookie(&https).unwrap();
        let set = set.to_str().unwrap();
        assert!(set.starts_with("__Host-keyport-browser="), "{set}");
        assert!(set.ends_with("; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure"), "{set}");
        let http = Issuer::new("http://127.0.0.1:8788").unwrap();
        let set = id.set_cookie(&http).unwrap();
        assert!(set.to_str().unwrap().starts_with("keyport-browser="));
        assert!(!set.to_str().unwrap().contains("Secure"));
    }
}
