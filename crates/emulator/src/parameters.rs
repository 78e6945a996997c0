//! Parameters of a query or a form (RFC 6749 §3.1): each at most once, an empty one counts as
//! omitted.

use url::form_urlencoded;

#[derive(Debug, Clone)]
pub struct Parameters(Vec<(String, String)>);

/// The name of a parameter that was sent more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatedParameterError(pub &'static str);

impl Parameters {
    #[must_use]
    pub fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// # Errors
    /// When the parameter is there twice, be the values equal or not.
    pub fn one(&self, name: &'static str) -> Result<Option<&str>, RepeatedParameterError> {
        let mut values =
            self.0.iter().filter(|(it, _)| it == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(RepeatedParameterError(name)),
            (value, None) => Ok(value.filter(|text| !text.is_empty())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Parameters, RepeatedParameterError};

    #[test]
    fn a_repeated_parameter_is_refused_and_an_empty_one_omitted() {
        let parameters = Parameters::parse(b"state=1&state=1&code=&email=ada%40acme.test");
        assert_eq!(parameters.one("state"), Err(RepeatedParameterError("state")));
        assert_eq!(parameters.one("code"), Ok(None));
        assert_eq!(parameters.one("email"), Ok(Some("ada@acme.test")));
    }
}
