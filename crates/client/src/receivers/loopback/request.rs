//! What a request header says, judged: a callback that a browser may have brought, or a refusal.
//! Pure: bytes in, verdict out. It is not a general HTTP parser; that is `httparse` (RFC 9112).
//!
//! The Fetch Metadata rules follow what Chromium and Firefox were seen to send on every legitimate
//! arrival: `navigate` to a `document`, from any site, with or without `Sec-Fetch-User`.

use httparse::{Error, Header, Request, Status};
use keyport_core::secret::{AuthorizationUrl, RawCallback};

use super::ShortLink;

/// The path of the redirect URI.
pub(super) const CALLBACK: &str = "/callback";
/// Where an accepted callback goes that has no page of the companion to go back to.
pub(super) const FINISHED: &str = "/done";

const MOST_HEADERS: usize = 64;

/// What to do with a request.
#[derive(Debug)]
pub(super) enum Verdict {
    Callback(RawCallback),
    /// The listener's short link, and where it leads.
    ShortLink(AuthorizationUrl),
    Finished,
    Refused(RequestError),
}

/// Why a request is not a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestError {
    NotHttp,
    HeaderTooLarge,
    WrongVersion,
    WrongHost,
    WrongMethod,
    HasBody,
    WrongPath,
    Speculative,
    NotANavigation,
}

impl RequestError {
    pub(super) fn status(self) -> &'static str {
        match self {
            Self::NotHttp | Self::HasBody => "400 Bad Request",
            Self::HeaderTooLarge => "431 Request Header Fields Too Large",
            Self::WrongVersion => "505 HTTP Version Not Supported",
            Self::WrongHost => "421 Misdirected Request",
            Self::WrongMethod => "405 Method Not Allowed",
            Self::WrongPath => "404 Not Found",
            Self::Speculative | Self::NotANavigation => "403 Forbidden",
        }
    }
}

/// Judges the bytes received so far; `None` while the header is incomplete.
pub(super) fn judge(received: &[u8], host: &str, link: Option<&ShortLink>) -> Option<Verdict> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = Request::new(&mut headers);
    match request.parse(received) {
        Ok(Status::Partial) => None,
        Ok(Status::Complete(_)) => Some(judge_request(&request, host, link)),
        Err(Error::TooManyHeaders) => Some(Verdict::Refused(RequestError::HeaderTooLarge)),
        Err(_) => Some(Verdict::Refused(RequestError::NotHttp)),
    }
}

fn judge_request(request: &Request<'_, '_>, host: &str, link: Option<&ShortLink>) -> Verdict {
    let target = request.path.unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let leads_to = link.filter(|link| link.is_asked_for(target)).and_then(ShortLink::target);
    let error = if request.version != Some(1) {
        RequestError::WrongVersion
    } else if sole(request.headers, "host") != Field::Once(host.as_bytes()) {
        RequestError::WrongHost
    } else if request.method != Some("GET") {
        RequestError::WrongMethod
    } else if has_body(request.headers) {
        RequestError::HasBody
    } else if path != CALLBACK && target != FINISHED && leads_to.is_none() {
        RequestError::WrongPath
    } else if is_speculative(request.headers) {
        RequestError::Speculative
    } else if !may_be_navigation(request.headers) {
        RequestError::NotANavigation
    } else if let Some(url) = leads_to {
        return Verdict::ShortLink(url);
    } else if path == CALLBACK {
        return Verdict::Callback(RawCallback::new(target));
    } else {
        return Verdict::Finished;
    };
    Verdict::Refused(error)
}

#[derive(Debug, PartialEq, Eq)]
enum Field<'a> {
    Absent,
    Once(&'a [u8]),
    Repeated,
}

fn sole<'a>(headers: &[Header<'a>], name: &str) -> Field<'a> {
    let mut values = headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    match (values.next(), values.next()) {
        (None, _) => Field::Absent,
        (Some(header), None) => Field::Once(header.value),
        (Some(_), Some(_)) => Field::Repeated,
    }
}

fn has_body(headers: &[Header<'_>]) -> bool {
    let no_length = matches!(sole(headers, "content-length"), Field::Absent | Field::Once(b"0"));
    !no_length || sole(headers, "transfer-encoding") != Field::Absent
}

/// A prefetch would use the callback up before the person went anywhere. Speculation rules look
/// like a navigation but for `Sec-Purpose`; the other names are what older browsers send.
fn is_speculative(headers: &[Header<'_>]) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"]
        .iter()
        .any(|name| sole(headers, name) != Field::Absent)
}

/// A browser that sends Fetch Metadata sends both of these; one that sends none may be anything.
fn may_be_navigation(headers: &[Header<'_>]) -> bool {
    let metadata = headers.iter().any(|header| {
        header.name.get(.."sec-fetch-".len()).is_some_and(|s| s.eq_ignore_ascii_case("sec-fetch-"))
    });
    !metadata
        || (sole(headers, "sec-fetch-mode") == Field::Once(b"navigate")
            && sole(headers, "sec-fetch-dest") == Field::Once(b"document"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "127.0.0.1:4711";

    fn error(request: &str) -> Option<RequestError> {
        match judge(request.as_bytes(), HOST, None) {
            Some(Verdict::Refused(error)) => Some(error),
            Some(_) => None,
            None => panic!("incomplete: {request:?}"),
        }
    }

    fn with(headers: &str) -> String {
        format!("GET /callback?code=c&state=s HTTP/1.1\r\nHost: {HOST}\r\n{headers}\r\n")
    }

    #[test]
    fn every_prefix_is_incomplete_and_the_whole_is_unchanged() {
        let request = with("Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n");
        for end in 0..request.len() {
            assert!(judge(&request.as_bytes()[..end], HOST, None).is_none(), "{end}");
        }
        let Some(Verdict::Callback(target)) = judge(request.as_bytes(), HOST, None) else {
            panic!()
        };
        assert_eq!(target.expose(), "/callback?code=c&state=s");
        assert!(!format!("{target:?}").contains("code"));
    }

    #[test]
    fn only_the_exact_path_is_the_callback() {
        for path in [
            "/",
            "/callback/",
            "/LoopbackCallback",
            "//callback",
            "/callback%3Fcode=c",
            "/./callback",
            "/callback;x",
            "/favicon.ico",
            "http://127.0.0.1:4711/callback?code=c",
            "*",
            "/done?x",
        ] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
            assert_eq!(error(&request), Some(RequestError::WrongPath), "{path}");
        }
    }

    #[test]
    fn a_missing_repeated_or_foreign_host_is_misdirected() {
        for host in ["", "Host: 127.0.0.1\r\n", "Host: localhost:4711\r\n", "Host: evil.test\r\n"] {
            let request = format!("GET /callback HTTP/1.1\r\n{host}\r\n");
            assert_eq!(error(&request), Some(RequestError::WrongHost), "{host}");
        }
        assert_eq!(error(&with("Host: 127.0.0.1:4711\r\n")), Some(RequestError::WrongHost));
    }

    #[test]
    fn fetch_metadata_must_say_navigation_to_a_document() {
        for headers in [
            "", // No metadata at all: an older browser.
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n\
             Sec-Fetch-Dest: document\r\n",
            "sec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\nsec-fetch-user: ?1\r\n",
        ] {
            assert_eq!(error(&with(headers)), None, "{headers}");
        }
        for headers in [
            "Sec-Fetch-Site: same-origin\r\n",
            "Sec-Fetch-Mode: navigate\r\n",
            "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n",
            "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: document\r\n",
            "Sec-Fetch-Mode: cors\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
        ] {
            assert_eq!(error(&with(headers)), Some(RequestError::NotANavigation), "{headers}");
        }
    }

    #[test]
    fn a_body_is_refused_and_a_length_of_nothing_is_not() {
        assert_eq!(error(&with("Content-Length: 0\r\n")), None);
        for headers in [
            "Content-Length: 1\r\n",
            "Content-Length: 00\r\n",
            "Content-Length: 0\r\nContent-Length: 0\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding: identity\r\n",
        ] {
            assert_eq!(error(&with(headers)), Some(RequestError::HasBody), "{headers}");
        }
    }
}
