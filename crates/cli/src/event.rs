//! What `--json` prints: one object a line, with an `event` field. Scripts rely on these names;
//! fields may be added, never renamed.

use keyport_core::{Account, Connection, DeviceSession, Organization, Stored};
use serde::Serialize;

/// One line for a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum OutputEvent<'a> {
    /// The link to open in a browser on this machine. Whoever has it can take part in this sign-in.
    AuthorizationUrl {
        /// The companion's address.
        url: &'a str,
    },
    /// The browser shows a number; it must be this one.
    Confirm {
        /// Two digits.
        number: &'a str,
    },
    /// An account is signed in.
    SignedIn(SignedIn<'a>),
    /// The account was signed out; without an account, none is signed in.
    SignedOut {
        /// Whether the service knows it too; absent when there was nothing to end.
        #[serde(skip_serializing_if = "Option::is_none")]
        revoked: Option<bool>,
        /// The account that was signed out.
        #[serde(skip_serializing_if = "Option::is_none")]
        account: Option<&'a str>,
        /// Its address.
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<&'a str>,
    },
    /// One of the sessions of an account, here or on another device.
    Session(SessionFacts<'a>),
    /// A session on another device was ended.
    SessionEnded {
        /// Its id.
        id: &'a str,
    },
    /// An access token.
    Token {
        /// The token: a secret for some minutes.
        access_token: &'a str,
        /// How it is sent: `DPoP`.
        token_type: &'a str,
        /// Seconds since the Unix epoch, on this device's clock.
        expires_at: u64,
        /// The `DPoP` header for the request that was named.
        #[serde(skip_serializing_if = "Option::is_none")]
        dpop: Option<&'a str>,
    },
    /// It did not work out.
    Problem {
        /// A code of `docs/errors.md`.
        code: &'a str,
        /// What to read to IT, when it belongs to one sign-in.
        attempt: Option<&'a str>,
    },
}

/// Where and when a session was begun and used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionFacts<'a> {
    id: &'a str,
    /// Whether it is that of this device.
    current: bool,
    app: Option<&'a str>,
    device: Option<&'a str>,
    /// Seconds since the Unix epoch.
    signed_in_at: u64,
    last_used_at: u64,
    address: Option<&'a str>,
}

/// Who, and where the session is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignedIn<'a> {
    account: &'a str,
    email: Option<&'a str>,
    name: Option<&'a str>,
    organization: Option<&'a Organization>,
    connection: Option<ConnectionFacts<'a>>,
    stored: Stored,
    /// Every account of this keychain, the current one first; `status` alone says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<Vec<Listed<'a>>>,
}

/// One account of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    facts: SignedIn<'a>,
    current: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ConnectionFacts<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
}

impl<'a> SignedIn<'a> {
    /// The facts of this account.
    pub fn of(account: &'a Account, stored: Stored) -> Self {
        let way = |Connection { id, kind }: &'a Connection| ConnectionFacts { id, kind };
        Self {
            account: &account.id.0,
            email: account.email.as_deref(),
            name: account.name.as_deref(),
            organization: account.organization.as_ref(),
            connection: account.connection.as_ref().map(way),
            stored,
            accounts: None,
        }
    }

    /// The facts of the first of these accounts, which is the current one, and the list of all.
    pub fn list_of(accounts: &'a [Account], stored: Stored) -> Option<Self> {
        let facts = Self::of(accounts.first()?, stored);
        let list = accounts.iter().enumerate();
        let list = list.map(|(place, account)| Listed {
            facts: Self::of(account, stored),
            current: place == 0,
        });
        Some(Self { accounts: Some(list.collect()), ..facts })
    }
}

impl<'a> OutputEvent<'a> {
    /// The facts of one session.
    pub fn session(session: &'a DeviceSession) -> Self {
        Self::Session(SessionFacts {
            id: &session.id,
            current: session.is_this,
            app: session.app.as_deref(),
            device: session.device.as_deref(),
            signed_in_at: session.signed_in_at.0 / 1000,
            last_used_at: session.last_used.0 / 1000,
            address: session.address.as_deref(),
        })
    }
}

impl OutputEvent<'_> {
    /// The line, without its end.
    pub fn line(&self) -> String {
        // Strings, numbers and structs with fixed names: nothing here can fail to become JSON.
        let line = serde_json::to_string(self).unwrap_or_default();
        crate::plain::escaped(&line)
    }
}

#[cfg(test)]
mod tests {
    use keyport_core::{AccountId, Moment};
    use serde_json::json;

    use super::*;

    fn ada() -> Account {
        Account {
            id: AccountId("a1".into()),
            issuer: "https://sign-in.acme.test".into(),
            subject: "user_1".into(),
            email: Some("ada@acme.test".into()),
            name: Some("Ada Lovelace".into()),
            organization: Some(Organization { id: "org_1".into(), name: Some("Acme".into()) }),
            connection: Some(Connection { id: "conn_1".into(), kind: "OktaSAML".into() }),
            signed_in_at: Moment(0),
        }
    }

    fn parsed(event: &OutputEvent<'_>) -> serde_json::Value {
        serde_json::from_str(&event.line()).unwrap()
    }

    #[test]
    fn the_events_have_the_names_that_scripts_rely_on() {
        let account = ada();
        assert_eq!(
            parsed(&OutputEvent::SignedIn(SignedIn::of(&account, Stored::Keychain))),
            json!({
                "event": "signed_in", "account": "a1", "email": "ada@acme.test",
                "name": "Ada Lovelace", "organization": {"id": "org_1", "name": "Acme"},
                "connection": {"id": "conn_1", "type": "OktaSAML"}, "stored": "keychain",
            })
        );
        assert_eq!(
            parsed(&OutputEvent::AuthorizationUrl { url: "http://127.0.0.1:1/" }),
            json!({"event": "authorization_url", "url": "http://127.0.0.1:1/"})
        );
        assert_eq!(
            parsed(&OutputEvent::Confirm { number: "07" }),
            json!({"event": "confirm", "number": "07"})
        );
        assert_eq!(
            parsed(&OutputEvent::Problem { code: "timed_out", attempt: None }),
            json!({"event": "problem", "code": "timed_out", "attempt": null})
        );
        assert_eq!(
            parsed(&OutputEvent::SignedOut { revoked: None, account: None, email: None }),
            json!({"event": "signed_out"})
        );
        let (account, email) = (Some("a1"), Some("ada@acme.test"));
        assert_eq!(
            parsed(&OutputEvent::SignedOut { revoked: Some(false), account, email }),
            json!({
                "event": "signed_out", "revoked": false, "account": "a1", "email": "ada@acme.test",
            })
        );
    }

    #[test]
    fn what_is_not_known_of_an_account_is_null() {
        let mut account = ada();
        account.name = None;
        account.organization = Some(Organization { id: "org_1".into(), name: None });
        let event = parsed(&OutputEvent::SignedIn(SignedIn::of(&account, Stored::Keychain)));
        assert_eq!((&event["name"], &event["email"]), (&json!(null), &json!("ada@acme.test")));
        assert_eq!(event["organization"], json!({"id": "org_1", "name": null}));
        (account.email, account.organization, account.connection) = (None, None, None);
        let event = parsed(&OutputEvent::SignedIn(SignedIn::of(&account, Stored::Keychain)));
        assert_eq!(
            event,
            json!({
                "event": "signed_in", "account": "a1", "email": null, "name": null,
                "organization": null, "connection": null, "stored": "keychain",
            })
        );
    }

    #[test]
    fn a_token_has_a_proof_only_when_one_was_asked_for() {
        let token = |dpop| OutputEvent::Token {
            access_token: "t",
            token_type: "DPoP",
            expires_at: 5,
            dpop,
        };
        assert_eq!(
            parsed(&token(None)),
            json!({"event": "token", "access_token": "t", "token_type": "DPoP", "expires_at": 5})
        );
        assert_eq!(parsed(&token(Some("p")))["dpop"], "p");
    }

    #[test]
    fn the_list_of_accounts_is_beside_the_facts_of_the_current_one() {
        let grace = Account { id: AccountId("a2".into()), ..ada() };
        let accounts = [ada(), grace];
        let listed =
            SignedIn::list_of(&accounts, Stored::Keychain).map(OutputEvent::SignedIn).unwrap();
        let mut listed = parsed(&listed);
        let list = listed.as_object_mut().unwrap().remove("accounts").unwrap();
        let alone = parsed(&OutputEvent::SignedIn(SignedIn::of(&accounts[0], Stored::Keychain)));
        assert_eq!(listed, alone);
        assert_eq!((&list[0]["account"], &list[0]["current"]), (&json!("a1"), &json!(true)));
        assert_eq!((&list[1]["account"], &list[1]["current"]), (&json!("a2"), &json!(false)));
        assert_eq!(SignedIn::list_of(&[], Stored::Keychain), None);
    }

    #[test]
    fn an_event_is_one_line() {
        let mut account = ada();
        account.name = Some("Ada\nLovelace\u{2028}\u{202e}\u{9b}".into());
        let line = OutputEvent::SignedIn(SignedIn::of(&account, Stored::Memory)).line();
        assert_eq!(line.lines().count(), 1);
        assert!(line.is_ascii(), "{line:?}");
    }
}
