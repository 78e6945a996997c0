//! The answer of `/user_management/authenticate`: what of it is read, and as what.

use workos::models::AuthenticateResponse;

use super::NAME;
use crate::domain::{ProviderAttributes, ProviderProfile, UpstreamIdentity};
use crate::upstream::UpstreamError;
use crate::upstream::workos_sso::{full_name, validated};

/// The person, and the session that WorkOS has begun. Users of AuthKit are keyed on their id.
///
/// # Errors
/// It cannot be the identity of a person.
pub(super) fn identity(
    issuer: &str,
    answer: AuthenticateResponse,
    session: String,
) -> Result<UpstreamIdentity, UpstreamError> {
    let user = answer.user;
    let method = answer.authentication_method;
    let attributes = ProviderAttributes {
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        ..ProviderAttributes::default()
    };
    validated(ProviderProfile {
        issuer: issuer.to_owned(),
        upstream: NAME.to_owned(),
        profile_id: user.id.clone(),
        connection_id: None,
        method: method.map_or_else(|| "unknown".to_owned(), |method| method.as_str().to_owned()),
        idp_id: user.id,
        email: user.email,
        name: full_name(user.name, user.first_name, user.last_name),
        organization_id: answer.organization_id,
        attributes,
        session: Some(session),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::upstream::workos_sso::readable_user;

    fn answer(user: &Value) -> Value {
        json!({
            "user": user, "organization_id": "org_1", "access_token": "jwt",
            "refresh_token": "planted", "authentication_method": "GoogleOAuth",
            "oauth_tokens": {"access_token": "planted"}, "impersonator": null,
        })
    }

    fn read_identity(sent: &Value) -> Result<UpstreamIdentity, UpstreamError> {
        let body = readable_user(&serde_json::to_vec(sent).unwrap()).unwrap();
        assert!(!String::from_utf8(body.clone()).unwrap().contains("planted"));
        let answer = serde_json::from_slice(&body).unwrap();
        identity("https://api.workos.com", answer, "session_1".into())
    }

    #[test]
    fn a_user_is_keyed_on_its_id_and_has_no_connection() {
        let read = read_identity(&answer(&json!({
            "id": "user_1", "email": "ada@acme.test", "first_name": "Ada", "last_name": null,
            "metadata": {"planted": [7]}, "locale": 3,
        })))
        .unwrap();
        assert_eq!((read.upstream(), read.idp_id(), read.connection()), (NAME, "user_1", None));
        assert_eq!((read.method(), read.session()), ("GoogleOAuth", Some("session_1")));
        assert_eq!(read.name(), Some("Ada"));
        assert_eq!(read.organization().map(|found| &*found.id), Some("org_1"));
    }

    #[test]
    fn what_cannot_be_held_refuses_no_sign_in_and_an_empty_id_does() {
        let odd = json!({ "id": "user_1", "email": "ada@acme.test", "name": [1], "object": {} });
        assert_eq!(read_identity(&answer(&odd)).unwrap().name(), None);
        let empty = read_identity(&answer(&json!({ "id": "", "email": "ada@acme.test" })));
        assert!(matches!(empty, Err(UpstreamError::Identity(_))), "{empty:?}");
        assert_eq!(readable_user(b"nonsense"), None);
    }
}
