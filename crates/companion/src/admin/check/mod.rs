//! The list to go through before people sign in: settings, account at the provider, machine. Each
//! line says whether it is right, wrong with what to do, or cannot be known by an API. A line that
//! follows from another fault is not wrong itself.

mod account;
mod machine;
mod organizations;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::provider::explain;
use super::{AdminError, Administration, Request};
use crate::admission::AdmissionPolicy;
use crate::domain::Timestamp;
use crate::upstream::{ProviderAccountError, Upstream};

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckVerdict {
    /// It is right.
    Ok,
    /// It has to be changed.
    Wrong,
    /// No API tells.
    NotKnowable,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckLine {
    /// What was looked at.
    pub subject: String,
    /// How it is.
    pub verdict: CheckVerdict,
    /// What was found, or what to do.
    pub detail: String,
}

impl CheckLine {
    /// It is right.
    pub fn ok(subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { subject: subject.into(), verdict: CheckVerdict::Ok, detail: detail.into() }
    }

    /// It has to be changed.
    pub fn wrong(subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { subject: subject.into(), verdict: CheckVerdict::Wrong, detail: detail.into() }
    }

    /// No API tells.
    pub fn not_knowable(subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { subject: subject.into(), verdict: CheckVerdict::NotKnowable, detail: detail.into() }
    }
}

/// What is looked at beside the machine.
pub struct CheckSubject<'a> {
    /// The provider.
    pub upstream: &'a dyn Upstream,
    /// Who may sign in.
    pub policy: &'a AdmissionPolicy,
    /// The public address.
    pub issuer: &'a str,
    /// Our time.
    pub now: Timestamp,
}

/// Goes through the list.
#[derive(Debug, Serialize, Deserialize)]
pub struct RunCheck {}

impl Request for RunCheck {
    const PATH: &'static str = "/check";
    type Answer = Vec<CheckLine>;

    async fn carry_out(self, administration: &Administration) -> Result<Self::Answer, AdminError> {
        let app = &administration.app;
        let policy = app.policy.now();
        let subject = CheckSubject {
            upstream: &**app.upstreams.current().upstream(),
            policy: &policy,
            issuer: app.issuer.as_str(),
            now: app.now(),
        };
        let mut lines = check_without_database(&subject, &administration.key_file).await;
        lines.push(machine::database(&*app.storage, app.now()).await);
        lines.extend(never_knowable());
        Ok(lines)
    }
}

/// The lines that need no database.
pub async fn check_without_database(subject: &CheckSubject<'_>, key_file: &Path) -> Vec<CheckLine> {
    let mut lines = account::lines(subject).await;
    lines.push(machine::key_file(key_file));
    lines
}

/// What shows in a sign-in, or in the provider's dashboard alone.
fn never_knowable() -> [CheckLine; 3] {
    [
        CheckLine::not_knowable(
            "PKCE at the provider",
            "that it refuses a code without its verifier shows in a sign-in only",
        ),
        CheckLine::not_knowable(
            "rate limits",
            "what the provider grants this account is in your contract",
        ),
        CheckLine::not_knowable(
            "profiles outside an organization",
            "look in the dashboard whether organizations admit emails of other domains",
        ),
    ]
}

/// Why a list of the provider cannot be looked at.
fn unlisted(error: &ProviderAccountError) -> String {
    match error {
        ProviderAccountError::NotFound
        | ProviderAccountError::Forbidden
        | ProviderAccountError::Nonsense => {
            "this account has no such API: look in the dashboard".to_owned()
        }
        error => explain(error, "such list").sentence,
    }
}
