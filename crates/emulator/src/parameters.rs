//! Parameters of a query or a form (RFC 6749 §3.1): each at most once, an empty one counts as
//! omitted.

use serde_json::{Map, Value};
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

    /// The members of a JSON object; `null` counts as omitted. None if a value is no text, number
    /// or truth value.
    #[must_use]
    pub fn of_json(object: &Map<String, Value>) -> Option<Self> {
        let pairs = object.iter().filter(|(_, value)| !value.is_null());
        let pairs = pairs.map(|(name, value)| match value {
            Value::String(text) => Some((name.clone(), text.clone())),
            Value::Number(_) | Value::Bool(_) => Some((name.clone(), value.to_string())),
            _ => None,
        });
        pairs.collect::<Option<Vec<_>>>().map(Self)
    }

    /// Every value of a parameter that may be repeated or have several, separated by commas.
    pub fn several(&self, name: &str) -> Vec<&str> {
        let bracketed = format!("{name}[]");
        let values = self.0.iter().filter(|(it, _)| it == name || *it == bracketed);
        values.flat_map(|(_, value)| value.split(',')).filter(|it| !it.is_empty()).collect()
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
