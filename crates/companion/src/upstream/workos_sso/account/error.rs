//! What the error answers of WorkOS mean to an operator.

use serde_json::Value;

use crate::upstream::{FieldFault, ProviderAccountError};

/// Longest code or field that is shown, in characters.
const LONGEST: usize = 64;

/// Keeps the kind and the codes of fields, and drops the words.
pub fn account_error(error: &workos::Error) -> ProviderAccountError {
    let Some(api) = error.api() else {
        return match error {
            workos::Error::Network(_) => ProviderAccountError::Unreachable,
            _ => ProviderAccountError::Nonsense,
        };
    };
    let body: Value = serde_json::from_slice(&api.raw_body).unwrap_or(Value::Null);
    match api.status {
        // A proxy's page is no answer of the provider.
        400..=499 if api.status != 429 && !body.is_object() => ProviderAccountError::Unreachable,
        401 => ProviderAccountError::WrongKey,
        403 => ProviderAccountError::Forbidden,
        404 => ProviderAccountError::NotFound,
        409 => ProviderAccountError::Conflict,
        400 | 422 => ProviderAccountError::Invalid(field_faults(&body)),
        429 => ProviderAccountError::TooMany {
            retry_after: api.retry_after.map(|wait| wait.as_secs().max(1)),
        },
        500.. => ProviderAccountError::Failed(api.status),
        _ => ProviderAccountError::Nonsense,
    }
}

/// `errors` of texts, or of objects with `code` and mostly `field`; else the one `code`.
fn field_faults(body: &Value) -> Vec<FieldFault> {
    let listed = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let faults: Vec<FieldFault> = listed
        .iter()
        .filter_map(|fault| {
            let code = code(&fault["code"]).or_else(|| code(fault))?;
            Some(FieldFault { field: self::code(&fault["field"]), code })
        })
        .collect();
    if !faults.is_empty() {
        return faults;
    }
    let alone = code(&body["code"]).or_else(|| code(&body["error"]));
    alone.into_iter().map(|code| FieldFault { field: None, code }).collect()
}

/// A code is a word; anything else is prose.
fn code(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']');
    let is_code = !text.is_empty() && text.len() <= LONGEST && text.chars().all(is_word);
    is_code.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_named_by_codes_and_prose_is_dropped() {
        let fault = |field: Option<&str>, code: &str| FieldFault {
            field: field.map(str::to_owned),
            code: code.to_owned(),
        };
        for (body, faults) in [
            (
                json!({ "message": "m", "errors": [{ "field": "domain", "code": "in_use" }] }),
                vec![fault(Some("domain"), "in_use")],
            ),
            (json!({ "errors": [{ "code": "a" }, "b"] }), vec![fault(None, "a"), fault(None, "b")]),
            (json!({ "errors": [{ "field": "a b", "code": "c" }] }), vec![fault(None, "c")]),
            (json!({ "code": "x", "errors": ["It is wrong."] }), vec![fault(None, "x")]),
            (json!({ "error": "invalid_request" }), vec![fault(None, "invalid_request")]),
            (json!({ "code": "\u{1b}[31m", "message": "m" }), vec![]),
            (json!([]), vec![]),
        ] {
            assert_eq!(field_faults(&body), faults, "{body}");
        }
    }
}
