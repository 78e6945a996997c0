//! What an endpoint answered, as it came: a test decides what to make of it.

use anyhow::{Result, ensure};
use reqwest::StatusCode;
use serde_json::Value;

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body, `Null` when it is not JSON.
    pub body: Value,
}

/// What a sign-in gave.
#[derive(Clone, Debug)]
pub struct Session {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

impl Answer {
    /// A string of the body; empty when it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    /// Status and error code, for comparing.
    #[must_use]
    pub fn refusal(&self) -> (u16, &str) {
        (self.status.as_u16(), self.text("error"))
    }

    /// The tokens.
    ///
    /// # Errors
    /// When it is a refusal.
    pub fn session(&self) -> Result<Session> {
        ensure!(self.status == StatusCode::OK, "{} {}", self.status, self.body);
        Ok(Session {
            access: self.text("access_token").to_owned(),
            refresh: self.text("refresh_token").to_owned(),
        })
    }
}
