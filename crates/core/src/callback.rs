//! The callback: the redirect as received, RFC 6749 §4.1.2 with `iss` (RFC 9207).
//!
//! Reads a raw string and believes nothing: exact prefix, ASCII, at most 2 KiB, each parameter
//! once. It does *not* know whether an attempt waits for it; the machine decides that by `state`.
//! Whatever does not fit is [`CallbackError`], never an error.

use std::collections::BTreeMap;

use thiserror::Error;
use url::form_urlencoded;

use crate::attempt::CallbackReceiver;
use crate::secret::{AuthorizationCode, RawCallback, State};

/// Longest callback that is looked at, in bytes.
pub const LONGEST: usize = 2048;

/// What the authorization server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationResponse {
    /// RFC 6749 §4.1.2.
    Code(AuthorizationCode),
    /// RFC 6749 §4.1.2.1: the error code alone. Its description is never read.
    Error(String),
}

/// A well-formed callback. Nothing says yet that it is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// The receiver it came through.
    pub receiver: CallbackReceiver,
    /// To be compared with the receivers that are open.
    pub state: State,
    /// RFC 9207; compared when our companion promises it, which it does.
    pub issuer: Option<String>,
    /// Code or error.
    pub response: AuthorizationResponse,
    /// The companion's page to send a loopback browser back to: an opaque id of `[A-Za-z0-9_-]`,
    /// never a URL.
    pub handoff: Option<String>,
}

/// Why a string is not a callback. Counted and logged, never fatal, never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CallbackError {
    /// Over [`LONGEST`].
    #[error("too long")]
    TooLong,
    /// A byte outside printable ASCII, as it is or behind an escape.
    #[error("not printable ASCII")]
    NotAscii,
    /// Another scheme, host or path.
    #[error("another address")]
    OtherAddress,
    /// A broken percent escape or a fragment.
    #[error("malformed query")]
    Malformed,
    /// A parameter stands there twice (RFC 6749 §3.1).
    #[error("a parameter twice")]
    Repeated,
    /// No `state`, or an empty one.
    #[error("no state")]
    NoState,
    /// Neither code nor error, or both.
    #[error("neither code nor error")]
    NoResponse,
}

impl Callback {
    /// Reads `raw` as it arrived at `receiver`: for the deep link the whole argument, for the
    /// loopback listener the request target. `address` is what must stand before the `?`, compared
    /// byte by byte.
    ///
    /// # Errors
    /// [`CallbackError`] if it is not exactly a callback.
    pub fn parse(
        receiver: CallbackReceiver,
        address: &str,
        raw: &RawCallback,
    ) -> Result<Self, CallbackError> {
        let raw = raw.expose();
        if raw.len() > LONGEST {
            return Err(CallbackError::TooLong);
        }
        if !raw.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CallbackError::NotAscii);
        }
        let query = raw
            .strip_prefix(address)
            .and_then(|rest| rest.strip_prefix('?'))
            .ok_or(CallbackError::OtherAddress)?;
        let mut parameters = parameters(query)?;
        let state =
            parameters.remove("state").filter(|s| !s.is_empty()).ok_or(CallbackError::NoState)?;
        let code = parameters.remove("code").filter(|c| !c.is_empty());
        let response = match (code, parameters.remove("error")) {
            (Some(code), None) => AuthorizationResponse::Code(AuthorizationCode::new(code)),
            (None, Some(error)) => AuthorizationResponse::Error(error),
            (Some(_), Some(_)) | (None, None) => return Err(CallbackError::NoResponse),
        };
        Ok(Self {
            receiver,
            state: State::new(state),
            issuer: parameters.remove("iss"),
            response,
            handoff: parameters.remove("handoff").filter(|id| is_opaque_id(id)),
        })
    }
}

fn parameters(query: &str) -> Result<BTreeMap<String, String>, CallbackError> {
    if query.contains('#') || !escapes_are_whole(query) {
        return Err(CallbackError::Malformed);
    }
    let mut found = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if !name.chars().chain(value.chars()).all(|c| c == ' ' || c.is_ascii_graphic()) {
            return Err(CallbackError::NotAscii);
        }
        if found.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(CallbackError::Repeated);
        }
    }
    Ok(found)
}

/// `form_urlencoded` keeps a broken escape as it is; two readers could then differ, so it is
/// refused.
fn escapes_are_whole(query: &str) -> bool {
    query.split('%').skip(1).all(|rest| {
        let mut digits = rest.bytes();
        digits.next().is_some_and(|b| b.is_ascii_hexdigit())
            && digits.next().is_some_and(|b| b.is_ascii_hexdigit())
    })
}

fn is_opaque_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "dev.keyport.desktop:/callback";

    fn link(raw: &str) -> Result<Callback, CallbackError> {
        Callback::parse(CallbackReceiver::Link, LINK, &RawCallback::new(raw))
    }

    #[test]
    fn only_the_exact_address_is_read() {
        for raw in [
            "dev.keyport.desktop://callback?code=c&state=s",
            "dev.keyport.desktop:///callback?code=c&state=s",
            "dev.keyport.desktop:callback?code=c&state=s",
            "DEV.keyport.desktop:/callback?code=c&state=s",
            "dev.keyport.desktop:/a/../callback?code=c&state=s",
            "dev.keyport.desktop:/callback/?code=c&state=s",
            "dev.keyport.desktop:/callback#code=c&state=s",
            "dev.keyport.desktop:/callback",
            "dev.keyport.desktop.evil:/callback?code=c&state=s",
            "https://evil.test/callback?code=c&state=s",
            " dev.keyport.desktop:/callback?code=c&state=s",
        ] {
            let error = link(raw).unwrap_err();
            assert!(
                matches!(error, CallbackError::OtherAddress | CallbackError::NotAscii),
                "{raw}: {error:?}"
            );
        }
    }

    #[test]
    fn refuses_a_parameter_that_stands_twice() {
        for twice in ["state=s&state=s", "state=s&code=d", "state=s&iss=a&iss=b", "state=s&x=1&x=2"]
        {
            assert_eq!(
                link(&format!("{LINK}?code=c&{twice}")),
                Err(CallbackError::Repeated),
                "{twice}"
            );
        }
    }

    #[test]
    fn refuses_what_is_missing_or_empty() {
        assert_eq!(link(&format!("{LINK}?code=c")), Err(CallbackError::NoState));
        assert_eq!(link(&format!("{LINK}?code=c&state=")), Err(CallbackError::NoState));
        assert_eq!(link(&format!("{LINK}?state=s")), Err(CallbackError::NoResponse));
        assert_eq!(link(&format!("{LINK}?state=s&code=")), Err(CallbackError::NoResponse));
        assert_eq!(link(&format!("{LINK}?state=s&code=c&error=e")), Err(CallbackError::NoResponse));
        assert_eq!(link(&format!("{LINK}?error=access_denied")), Err(CallbackError::NoState));
    }

    #[test]
    fn refuses_bytes_that_two_parsers_could_read_differently() {
        assert_eq!(link(&format!("{LINK}?code=%zz&state=s")), Err(CallbackError::Malformed));
        assert_eq!(link(&format!("{LINK}?code=c&state=%4")), Err(CallbackError::Malformed));
        assert_eq!(link(&format!("{LINK}?code=c&state=s#f")), Err(CallbackError::Malformed));
        assert_eq!(link(&format!("{LINK}?code=c%00&state=s")), Err(CallbackError::NotAscii));
        assert_eq!(link(&format!("{LINK}?code=%C3%A9&state=s")), Err(CallbackError::NotAscii));
        assert_eq!(link(&format!("{LINK}?code=é&state=s")), Err(CallbackError::NotAscii));
        assert_eq!(
            link(&format!("{LINK}?code=c&state={}", "s".repeat(LONGEST))),
            Err(CallbackError::TooLong)
        );
    }

    #[test]
    fn reads_the_longest_callback_and_refuses_one_byte_more() {
        let of_length = |length: usize| {
            let start = format!("{LINK}?state=s&code=");
            link(&format!("{start}{}", "c".repeat(length - start.len())))
        };
        assert!(of_length(LONGEST).is_ok());
        assert_eq!(of_length(LONGEST + 1), Err(CallbackError::TooLong));
    }

    #[test]
    fn reads_escapes_and_ignores_unknown_parameters() {
        let read =
            link(&format!("{LINK}?code=a%2Bb&state=x%20y&iss=http%3A%2F%2Fa&new=1")).unwrap();
        assert_eq!(read.state, State::new("x y"));
        assert_eq!(read.response, AuthorizationResponse::Code(AuthorizationCode::new("a+b")));
        assert_eq!(read.issuer.as_deref(), Some("http://a"));
    }

    #[test]
    fn the_page_to_go_back_to_is_an_id_and_never_an_address() {
        let page = |id: &str| link(&format!("{LINK}?code=c&state=s&handoff={id}")).unwrap().handoff;
        assert_eq!(page("abc-_9"), Some("abc-_9".to_owned()));
        assert_eq!(page("https:%2F%2Fevil.test"), None);
        assert_eq!(page("..%2F..%2Fx"), None);
    }
}
