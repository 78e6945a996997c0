//! Who is signed in, and what a session is made of. Facts and secrets are kept apart: an
//! [`Account`] can be shown and logged, [`Tokens`] cannot.

use serde::{Deserialize, Deserializer, Serialize};

use crate::moment::Moment;
use crate::secret::{AccessToken, RefreshToken};

/// Names one account on this device: derived by the client from issuer and subject, never from the
/// email.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub String);

/// An organization as WorkOS knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// `org_…`
    pub id: String,
    /// The name to show, if it is known.
    #[serde(default, deserialize_with = "none_if_blank")]
    pub name: Option<String>,
}

/// The connection to the company's identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// `conn_…`
    pub id: String,
    /// The connection type as WorkOS spells it, an open list: `OktaSAML`, `GoogleOAuth` …
    pub kind: String,
}

/// The facts of one signed-in account. No secret is in here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Names it on this device.
    pub id: AccountId,
    /// The companion that signed it in, byte-equal to its metadata.
    pub issuer: String,
    /// The subject at that issuer.
    pub subject: String,
    /// For showing; never a key. None when the companion did not say it.
    #[serde(default, deserialize_with = "none_if_blank")]
    pub email: Option<String>,
    /// The person's name, if the provider gave one.
    #[serde(default, deserialize_with = "none_if_blank")]
    pub name: Option<String>,
    /// None when the connection belongs to no organization.
    pub organization: Option<Organization>,
    /// How they came in, if the companion said it.
    pub connection: Option<Connection>,
    /// When this session began.
    pub signed_in_at: Moment,
}

impl Account {
    /// The best that is known to show: the name, or else the email, or else the subject.
    #[must_use]
    pub fn shown_name(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| self.shown_email())
    }

    /// The email, or else the subject.
    #[must_use]
    pub fn shown_email(&self) -> &str {
        self.email.as_deref().unwrap_or(&self.subject)
    }
}

/// Reads an optional text: null and blank mean that there is none.
fn none_if_blank<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.trim().is_empty()))
}

/// Where a session is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stored {
    /// In the operating system's keychain: it outlives the process.
    Keychain,
    /// In this process's memory alone: gone when it ends.
    Memory,
}

/// The secrets of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Bound to the device key.
    pub refresh: RefreshToken,
    /// Short-lived.
    pub access: AccessToken,
    /// When the access token stops working.
    pub access_deadline: Moment,
    /// The companion's name of the session, if it says it; no secret.
    pub session: Option<String>,
}

/// A session as the code exchange gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// Who.
    pub account: Account,
    /// With what.
    pub tokens: Tokens,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn kept() -> Value {
        json!({
            "id": "a1", "issuer": "https://a.test", "subject": "user_1",
            "email": "ada@acme.test", "name": "Ada",
            "organization": {"id": "org_1", "name": "Acme"},
            "connection": {"id": "conn_1", "kind": "OktaSAML"}, "signed_in_at": 7,
        })
    }

    fn read(record: Value) -> Account {
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn absent_null_and_empty_are_the_same_for_each_optional_fact() {
        type Cleared = fn(&mut Account);
        let facts: [(&str, &str, Cleared); 5] = [
            ("", "email", |account| account.email = None),
            ("", "name", |account| account.name = None),
            ("", "organization", |account| account.organization = None),
            ("", "connection", |account| account.connection = None),
            ("/organization", "name", |account| {
                account.organization.as_mut().unwrap().name = None;
            }),
        ];
        for (parent, name, clear) in facts {
            let mut wanted = read(kept());
            clear(&mut wanted);
            let mut record = kept();
            record.pointer_mut(parent).unwrap()[name] = Value::Null;
            assert_eq!(read(record.clone()), wanted, "{name} is null");
            record.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            assert_eq!(read(record.clone()), wanted, "{name} is absent");
            if matches!(name, "email" | "name") {
                record.pointer_mut(parent).unwrap()[name] = json!(" ");
                assert_eq!(read(record), wanted, "{name} is blank");
            }
            let written = serde_json::to_value(&wanted).unwrap();
            assert_eq!(read(written), wanted, "{name} is written and read again");
        }
    }

    #[test]
    fn an_account_is_shown_by_the_best_that_is_known() {
        let mut account = read(kept());
        assert_eq!(account.shown_name(), "Ada");
        account.name = None;
        assert_eq!(account.shown_name(), "ada@acme.test");
        account.email = None;
        assert_eq!((account.shown_name(), account.shown_email()), ("user_1", "user_1"));
    }
}
