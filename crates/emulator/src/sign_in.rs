//! What happens when the sign-in form is submitted: the part that the customer's identity provider
//! plays. Any password is `keyport`; the address `error+CODE@…` makes the provider fail with CODE.

use crate::environment::{Environment, PersonError};
use crate::seed::{Connection, Person};
use crate::sso_error::SsoError;

pub const PASSWORD: &str = "keyport";

#[derive(Debug)]
pub enum SignIn {
    Done(Box<Person>),
    Failed(SsoError),
    /// The page is shown again with this sentence.
    Again(String),
}

#[must_use]
pub fn sign_in(
    environment: &Environment,
    connection: &Connection,
    email: &str,
    password: &str,
) -> SignIn {
    if let Some(refused) = check_password(email, password) {
        return refused;
    }
    match environment.person(connection, email) {
        Ok(person) => SignIn::Done(Box::new(person.clone())),
        Err(PersonError::OutsideOrganization) => {
            SignIn::Failed(SsoError::ProfileNotAllowedOutsideOrganization)
        }
        Err(PersonError::Unknown) => {
            SignIn::Again(format!("No person here has the address “{email}”."))
        }
    }
}

/// The end of a sign-in with a wrong password or with an address that provokes an error; none if it
/// goes on.
#[must_use]
pub fn check_password(email: &str, password: &str) -> Option<SignIn> {
    if password != PASSWORD {
        let words = format!("That password is not right. Every password here is “{PASSWORD}”.");
        return Some(SignIn::Again(words));
    }
    let code = provoked(email)?;
    Some(match SsoError::from_code(code) {
        Some(error) => SignIn::Failed(error),
        None => {
            SignIn::Again(format!("“{code}” is not one of the fourteen error codes of WorkOS SSO."))
        }
    })
}

fn provoked(email: &str) -> Option<&str> {
    email.strip_prefix("error+")?.rsplit_once('@').map(|(code, _)| code)
}
