//! Form bodies and queries, read strictly: each parameter once (RFC 6749 §3.1 and §3.2), an empty
//! one counts as left out.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};

use super::OAuthError;

/// Parameters by name.
#[derive(Default)]
pub struct Form(BTreeMap<String, String>);

/// A parameter was there twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatedParameterError;

impl Form {
    /// Reads a query or an urlencoded body.
    ///
    /// # Errors
    /// A parameter was there twice.
    pub fn parse(text: &[u8]) -> Result<Self, RepeatedParameterError> {
        let mut found = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(text) {
            if found.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(RepeatedParameterError);
            }
        }
        Ok(Self(found))
    }

    /// The body of a POST.
    ///
    /// # Errors
    /// It is not a form, or a parameter was there twice.
    pub fn from_body(headers: &HeaderMap, body: &Bytes) -> Result<Self, OAuthError> {
        let kind =
            headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
        let kind = kind.split(';').next().unwrap_or("").trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(OAuthError::invalid_request(
                "the body must be application/x-www-form-urlencoded",
            ));
        }
        Self::parse(body)
            .map_err(|_| OAuthError::invalid_request("a parameter is there more than once"))
    }

    /// The value, if there is one.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether the parameter is there at all, as the name of a pressed button.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The same, to keep.
    pub fn owned(&self, name: &str) -> Option<String> {
        self.value(name).map(str::to_owned)
    }

    /// The value of a parameter that must be there.
    ///
    /// # Errors
    /// It is not.
    pub fn required(&self, name: &str) -> Result<&str, OAuthError> {
        self.value(name).ok_or(OAuthError::invalid_request("a required parameter is missing"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_may_come_once_and_an_empty_one_is_none() {
        let form = Form::parse(b"a=1&b=&c=%20x").unwrap();
        assert_eq!(
            (form.value("a"), form.value("b"), form.value("c")),
            (Some("1"), None, Some(" x"))
        );
        assert!(form.has("b") && !form.has("d"));
        assert_eq!(Form::parse(b"a=1&a=1").err(), Some(RepeatedParameterError));
        assert_eq!(Form::parse(b"a=&a=1").err(), Some(RepeatedParameterError));
    }
}
