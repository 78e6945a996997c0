//! AuthKit (User Management): from a person who has proved who they are to a session, with the
//! steps that WorkOS puts in between. Rows and decisions only: no HTTP, and the moment and the
//! random values come in with the `Context`.

mod admission;
mod authenticate;
mod error;
mod factors;
mod one_time_code;
mod pending;
mod session_start;
mod sessions;
mod steps;
mod verifications;

use crate::codes::Codes;
use crate::environment::Environment;
use crate::events::{Event, Events};
use crate::ids::Random;
use crate::secret::Secret;
use crate::seed::{Mfa, Seed};
use crate::timestamp::{SEEDED, Timestamp};
use crate::users::Users;

pub use error::{AuthenticationError, ChallengeCode};
pub use factors::Factors;
pub use pending::PendingAuthentications;
pub use session_start::Authenticated;
pub use sessions::UserSessions;
pub use verifications::EmailVerifications;

/// Everything that AuthKit keeps.
#[derive(Debug, Default)]
pub struct AuthKit {
    pub users: Users,
    pub factors: Factors,
    pub verifications: EmailVerifications,
    pub pending: PendingAuthentications,
    pub sessions: UserSessions,
    pub codes: Codes<SignedIn>,
}

/// How a person proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    Password,
    Sso,
    /// The connection type of a provider of the environment: `GoogleOAuth` …
    Social(String),
}

/// One sign-in on its way to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub user_id: String,
    pub client_id: String,
    pub method: Method,
    pub connection_id: Option<String>,
    pub organization_id: Option<String>,
    /// The user named the organization themselves, after signing in.
    pub organization_chosen: bool,
    pub mfa_passed: bool,
    /// Every step is done: the hosted page leaves none to the API.
    pub settled: bool,
}

/// What a transition sees besides its own rows.
#[derive(Debug)]
pub struct Context<'a> {
    pub environment: &'a Environment,
    pub events: &'a mut Events,
    pub random: Random,
    pub now: Timestamp,
    pub agent: Agent,
}

/// Where a call says that the person is.
#[derive(Debug, Clone, Default)]
pub struct Agent {
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

impl Method {
    /// `authentication_method` of the token answer.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Password => "Password",
            Self::Sso => "SSO",
            Self::Social(provider) => provider,
        }
    }

    /// `auth_method` of a session.
    #[must_use]
    pub fn of_session(&self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Sso => "sso",
            Self::Social(_) => "oauth",
        }
    }
}

impl Context<'_> {
    pub fn record(&mut self, event: &str, data: serde_json::Value) {
        let id = self.random.id("event_");
        self.events.record(Event::new(id, event, data, self.now));
    }
}

impl AuthKit {
    /// The users of the seed, with the factors that they have enrolled.
    #[must_use]
    pub fn new(seed: &Seed) -> Self {
        let mut authkit = Self { users: Users::new(seed), ..Self::default() };
        for user in &seed.users {
            if let (Mfa::TotpSecret(secret), Some(row)) =
                (&user.mfa, authkit.users.by_email(&user.email))
            {
                let id = crate::ids::derived("auth_factor_", &[&row.id]);
                let names = ("Emulator".to_owned(), row.email.clone());
                authkit.factors.seed(id, row.id.clone(), secret.clone(), names, SEEDED);
            }
        }
        authkit
    }

    /// A code with which the application gets on with this sign-in.
    pub fn issue_code(
        &mut self,
        code: &Secret,
        signed_in: SignedIn,
        challenge: Option<crate::pkce::CodeChallenge>,
        now: Timestamp,
    ) {
        let client_id = signed_in.client_id.clone();
        self.codes.issue(code, signed_in, &client_id, challenge, now);
    }
}
