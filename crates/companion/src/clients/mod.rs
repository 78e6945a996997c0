//! The native apps that may sign in here, as data (RFC 8252 §8.4): id, name, redirect URIs, scopes.
//! Public clients: no secret, and DPoP is required of each. Not a registration endpoint.

mod file;
mod redirect;
mod resource_server;

pub use redirect::{RedirectChoice, RedirectRule};
pub use resource_server::ResourceServer;

use std::collections::BTreeMap;

use crate::domain::Scope;
use crate::issuer::Issuer;

/// One registered app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// `client_id`.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// Where its codes may go.
    pub redirect_uris: Vec<RedirectRule>,
    /// What can be granted to it at most.
    pub scopes: Scope,
}

/// What a file of records holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// `[[client]]`: the apps.
    pub clients: Vec<ClientRecord>,
    /// `[[resource_server]]`: the APIs that may introspect.
    pub resource_servers: Vec<ResourceServer>,
}

/// The clients of [`read_records`].
///
/// # Errors
/// As [`read_records`].
pub fn with_built_in(file: &str) -> Result<Vec<ClientRecord>, Vec<String>> {
    read_records(file).map(|records| records.clients)
}

/// The records of this service: those of the operator's file, and the built-in one unless the file
/// holds one of its id.
///
/// # Errors
/// Every fault of the file, each with the name of its record.
pub fn read_records(file: &str) -> Result<Records, Vec<String>> {
    let mut records = file::read(file)?;
    let clients = &mut records.clients;
    if !clients.iter().any(|client| client.id == ClientRecord::BUILT_IN) {
        clients.insert(0, ClientRecord::keyport_desktop());
    }
    let faults = schemes_of_two(clients);
    if faults.is_empty() { Ok(records) } else { Err(faults) }
}

/// A private-use scheme opens one app (RFC 8252 §8.4): which of two clients it is, the system
/// decides, and not we.
fn schemes_of_two(clients: &[ClientRecord]) -> Vec<String> {
    let mut owners = BTreeMap::new();
    let mut faults = Vec::new();
    for client in clients {
        for rule in &client.redirect_uris {
            let RedirectRule::Exact(uri) = rule else { continue };
            let scheme = uri.split_once(':').map_or(&**uri, |(scheme, _)| scheme);
            let owner = owners.entry(scheme).or_insert(&client.id);
            if *owner != &client.id {
                let id = &client.id;
                faults.push(format!("client {id:?}: scheme {scheme} is that of client {owner:?}"));
            }
        }
    }
    faults
}

impl ClientRecord {
    /// The id of the built-in client.
    pub const BUILT_IN: &str = "keyport-desktop";

    /// The app and the command-line tool of this project.
    ///
    /// # Panics
    /// Never: a test reads the file that is built in.
    #[allow(clippy::expect_used, reason = "the text is a constant, and a test reads it")]
    pub fn keyport_desktop() -> Self {
        let records = file::read(include_str!("keyport-desktop.toml"));
        records
            .ok()
            .and_then(|mut records| records.clients.pop())
            .expect("the built-in record is good")
    }

    /// What is granted of a scope that was asked for (RFC 6749 §3.3): what this client may have.
    pub fn granted(&self, asked: &Scope) -> Scope {
        let words = asked.as_str().split(' ').filter(|word| self.scopes.has(word));
        Scope::parse(&words.collect::<Vec<_>>().join(" "))
    }

    /// An address that opens the app and asks nothing of it: the app comes to the front. A service
    /// that is reached over http, which is on loopback only, is one of a developer, whose app is a
    /// development build: its scheme ends with `.dev`.
    pub fn opening_address(&self, issuer: &Issuer) -> Option<String> {
        let is_of_developer = !issuer.is_https();
        self.redirect_uris.iter().find_map(|rule| match rule {
            RedirectRule::Exact(uri) => {
                let (scheme, _) = uri.split_once(":/")?;
                let fits = scheme.ends_with(".dev") == is_of_developer;
                fits.then(|| format!("{scheme}:/open"))
            }
            RedirectRule::Loopback { .. } => None,
        })
    }

    /// The rule that lets a code be sent to this redirect URI; `None` if no rule does.
    pub fn choose(&self, redirect_uri: &str) -> Option<RedirectChoice> {
        let all = 0_u8..=u8::MAX;
        all.zip(&self.redirect_uris).find_map(|(index, rule)| rule.choice(index, redirect_uri))
    }

    /// The redirect URI of a choice; `None` if there is no such rule (any more).
    pub fn redirect_uri(&self, choice: RedirectChoice) -> Option<String> {
        self.redirect_uris.get(usize::from(choice.index))?.uri(choice.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_opens_the_app_has_the_scheme_of_its_build() {
        let opened_from = |issuer: &str| {
            ClientRecord::keyport_desktop().opening_address(&Issuer::new(issuer).unwrap())
        };
        let released = Some("dev.keyport.desktop:/open".to_owned());
        assert_eq!(opened_from("https://sign-in.acme.test"), released);
        let development = Some("dev.keyport.desktop.dev:/open".to_owned());
        assert_eq!(opened_from("http://127.0.0.1:8788"), development);
    }

    #[test]
    fn the_built_in_client_is_replaced_by_its_own_id_only() {
        let record = |id: &str| {
            format!(
                "[[client]]\nid = \"{id}\"\nname = \"Notes\"\n\
                 redirect_uris = [\"com.acme.notes:/callback\"]\nscopes = [\"openid\"]\n"
            )
        };
        let ids = |file: &str| {
            let clients = with_built_in(file).unwrap();
            clients.into_iter().map(|client| (client.id, client.name)).collect::<Vec<_>>()
        };
        let pair = |id: &str, name: &str| (id.to_owned(), name.to_owned());
        let own = pair("acme-notes", "Notes");
        assert_eq!(ids(&record("acme-notes")), [pair("keyport-desktop", "Keyport"), own]);
        assert_eq!(ids(&record("keyport-desktop")), [pair("keyport-desktop", "Notes")]);
    }

    #[test]
    fn a_scheme_of_two_clients_is_a_fault() {
        let text = "[[client]]\nid = \"notes\"\nname = \"Notes\"\nscopes = [\"openid\"]\n\
                    redirect_uris = [\"dev.keyport.desktop:/other\", \"http://127.0.0.1/x\"]\n";
        let expected = "client \"notes\": scheme dev.keyport.desktop is that of client \
                        \"keyport-desktop\"";
        assert_eq!(with_built_in(text), Err(vec![expected.to_owned()]));
        assert!(with_built_in(&text.replace("dev.keyport.desktop", "test.acme.notes")).is_ok());
    }

    #[test]
    fn a_record_bounds_what_is_granted() {
        let client = ClientRecord {
            scopes: Scope::parse("openid email"),
            ..ClientRecord::keyport_desktop()
        };
        let granted = |asked| client.granted(&Scope::parse(asked)).as_str().to_owned();
        assert_eq!(granted("email offline_access openid"), "email openid");
        assert_eq!(granted("offline_access"), "");
    }
}
