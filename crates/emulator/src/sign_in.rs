//! What happens when the sign-in form is submitted: the part that the customer's identity provider
//! plays. Any password is `keyport`; the address `error+CODE@…` makes the provider fail with CODE.

use crate::environment::{Environment, PersonError};
use crate::ids::Entropy;
use crate::profile::Profile;
use crate::seed::Connection;
use crate::sso_error::SsoError;

pub const PASSWORD: &str = "keyport";

#[derive(Debug)]
pub enum SignIn {
    Done(Box<Profile>),
    Failed(SsoError),
    /// The page is shown again with this sentence.
    Again(String),
}

/// `entropy` is used only where a connection sends transient ids.
#[must_use]
pub fn sign_in(
    environment: &Environment,
    connection: &Connection,
    email: &str,
    password: &str,
    entropy: &Entropy,
) -> SignIn {
    if password != PASSWORD {
        return SignIn::Again(format!(
            "That password is not right. Every password here is “{PASSWORD}”."
        ));
    }
    if let Some(code) = provoked(email) {
        return match SsoError::from_code(code) {
            Some(error) => SignIn::Failed(error),
            None => SignIn::Again(format!(
                "“{code}” is not one of the fourteen error codes of WorkOS SSO."
            )),
        };
    }
    match environment.person(connection, email) {
        Ok(person) => SignIn::Done(Box::new(Profile::of(person, connection, entropy))),
        Err(PersonError::OutsideOrganization) => {
            SignIn::Failed(SsoError::ProfileNotAllowedOutsideOrganization)
        }
        Err(PersonError::Unknown) => {
            SignIn::Again(format!("No person here has the address “{email}”."))
        }
    }
}

fn provoked(email: &str) -> Option<&str> {
    email.strip_prefix("error+")?.rsplit_once('@').map(|(code, _)| code)
}
