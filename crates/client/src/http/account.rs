//! The account as the companion tells it, with a code or at userinfo. Its facts are for showing, so
//! one that is absent, null, empty or of another kind is left out: a session is never given up for
//! one. The subject alone must be there: without it nothing says whose session it is. Not here:
//! tokens, which are read strictly (`token`).

use keyport_core::account::{AccountId, Connection, Organization};
use keyport_core::{Account, Moment};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::discovery::Issuer;

/// Reads the `keyport_account` of a token answer; `None` when it names no subject.
pub(super) fn of_token_answer(account: &Value, issuer: &Issuer, now: Moment) -> Option<Account> {
    let (organization, connection) = (&account["organization"], &account["connection"]);
    Some(Account {
        organization: organization_of(&organization["id"], &organization["name"]),
        connection: connection_of(&connection["id"], &connection["type"]),
        ..of_claims(account, issuer, now)?
    })
}

/// Reads an answer of the userinfo endpoint; `None` when it names no subject.
pub(super) fn of_userinfo(claims: &Value, issuer: &Issuer, now: Moment) -> Option<Account> {
    Some(Account {
        organization: organization_of(&claims["org_id"], &claims["organization_name"]),
        connection: connection_of(&claims["connection_id"], &claims["connection_type"]),
        ..of_claims(claims, issuer, now)?
    })
}

/// What both say in the same words.
fn of_claims(claims: &Value, issuer: &Issuer, now: Moment) -> Option<Account> {
    let subject = text(&claims["sub"])?;
    Some(Account {
        id: account_id(issuer.as_str(), &subject),
        issuer: issuer.as_str().to_owned(),
        subject,
        email: text(&claims["email"]),
        name: text(&claims["name"]),
        organization: None,
        connection: None,
        signed_in_at: now,
    })
}

/// A text that says something.
fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

fn organization_of(id: &Value, name: &Value) -> Option<Organization> {
    Some(Organization { id: text(id)?, name: text(name) })
}

fn connection_of(id: &Value, kind: &Value) -> Option<Connection> {
    Some(Connection { id: text(id)?, kind: text(kind).unwrap_or_default() })
}

/// The first 16 hex digits of SHA-256 over issuer, NUL, subject: the same account has the same name
/// on this device whatever its email becomes, and no keychain tool shows who it is.
fn account_id(issuer: &str, subject: &str) -> AccountId {
    let digest =
        Sha256::new().chain_update(issuer).chain_update([0]).chain_update(subject).finalize();
    AccountId(base16ct::lower::encode_string(&digest[..8]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn issuer() -> Issuer {
        Issuer::of(&"https://a.test".parse().unwrap())
    }

    /// What a companion may send where a text is meant, with what it means.
    fn texts() -> [(Option<Value>, Option<&'static str>); 8] {
        [
            (None, None),
            (Some(json!(null)), None),
            (Some(json!("")), None),
            (Some(json!(" \n")), None),
            (Some(json!(7)), None),
            (Some(json!(["Ada"])), None),
            (Some(json!({"first": "Ada"})), None),
            (Some(json!("Ada")), Some("Ada")),
        ]
    }

    fn set(object: &mut Value, name: &str, value: Option<Value>) {
        let members = object.as_object_mut().unwrap();
        members.remove(name);
        members.extend(value.map(|value| (name.to_owned(), value)));
    }

    #[test]
    fn each_fact_of_a_token_answer_may_be_absent_or_malformed() {
        let whole = json!({
            "sub": "user_1", "email": "ada@acme.test", "name": "Ada Lovelace",
            "organization": {"id": "org_1", "name": "Acme"},
            "connection": {"id": "conn_1", "type": "OktaSAML"},
        });
        let read = |answer: &Value| of_token_answer(answer, &issuer(), Moment(7));
        for (sent, wanted) in texts() {
            let changed = |parent: &str, name: &str| {
                let mut answer = whole.clone();
                set(answer.pointer_mut(parent).unwrap(), name, sent.clone());
                read(&answer)
            };
            let wanted = wanted.map(str::to_owned);
            let label = format!("{sent:?}");
            assert_eq!(changed("", "email").unwrap().email, wanted, "{label}");
            assert_eq!(changed("", "name").unwrap().name, wanted, "{label}");
            let organization = changed("/organization", "name").unwrap().organization;
            assert_eq!(organization.unwrap().name, wanted, "{label}");
            let organization = changed("/organization", "id").unwrap().organization;
            assert_eq!(organization.map(|o| o.id), wanted, "{label}");
            let connection = changed("/connection", "id").unwrap().connection;
            assert_eq!(connection.map(|c| c.id), wanted, "{label}");
            let connection = changed("/connection", "type").unwrap().connection;
            assert_eq!(connection.unwrap().kind, wanted.clone().unwrap_or_default(), "{label}");
            assert_eq!(changed("", "organization").unwrap().organization, None, "{label}");
            assert_eq!(changed("", "connection").unwrap().connection, None, "{label}");
            assert_eq!(changed("", "sub").map(|account| account.subject), wanted, "{label}");
        }
        for nonsense in [json!(null), json!("user_1"), json!([]), json!({}), json!(1)] {
            assert_eq!(read(&nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn each_fact_of_userinfo_may_be_absent_or_malformed() {
        let whole = json!({
            "sub": "user_1", "email": "ada@acme.test", "name": "Ada Lovelace",
            "org_id": "org_1", "organization_name": "Acme",
            "connection_id": "conn_1", "connection_type": "OktaSAML",
        });
        for (sent, wanted) in texts() {
            let changed = |name: &str| {
                let mut claims = whole.clone();
                set(&mut claims, name, sent.clone());
                of_userinfo(&claims, &issuer(), Moment(7))
            };
            let (wanted, label) = (wanted.map(str::to_owned), format!("{sent:?}"));
            let organization = |name| changed(name).unwrap().organization;
            let connection = |name| changed(name).unwrap().connection;
            assert_eq!(changed("email").unwrap().email, wanted, "{label}");
            assert_eq!(changed("name").unwrap().name, wanted, "{label}");
            assert_eq!(organization("org_id").map(|o| o.id), wanted, "{label}");
            assert_eq!(organization("organization_name").unwrap().name, wanted, "{label}");
            assert_eq!(connection("connection_id").map(|c| c.id), wanted, "{label}");
            let kind = connection("connection_type").unwrap().kind;
            assert_eq!(kind, wanted.clone().unwrap_or_default(), "{label}");
            assert_eq!(changed("sub").map(|account| account.subject), wanted, "{label}");
        }
    }

    #[test]
    fn an_account_is_named_after_issuer_and_subject_alone() {
        let id = account_id("https://a.test", "user_1");
        assert_eq!(id.0.len(), 16);
        assert_ne!(id, account_id("https://a.test", "user_2"));
        assert_ne!(id, account_id("https://b.test", "user_1"));
        assert_ne!(account_id("https://a.test", "/x"), account_id("https://a.test/", "x"));
    }
}
