//! Sessions of AuthKit and their refresh tokens. A refresh token serves once; a revocation is felt
//! at the next refresh, and an access token lives to its end (workos.com/docs/authkit/sessions).

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Agent, Method, SignedIn};
use crate::secret::{Fingerprint, Secret};
use crate::timestamp::Timestamp;

#[derive(Debug, Clone)]
pub struct UserSession {
    pub id: String,
    pub user_id: String,
    pub client_id: String,
    pub organization_id: Option<String>,
    pub connection_id: Option<String>,
    pub method: Method,
    pub agent: Agent,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

#[derive(Debug, Default)]
pub struct UserSessions {
    sessions: Vec<UserSession>,
    refresh_tokens: HashMap<Fingerprint, RefreshToken>,
}

#[derive(Debug)]
struct RefreshToken {
    session_id: String,
    used: bool,
}

/// Why a refresh token gives no session; `invalid_grant`, each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshError {
    Unknown,
    Used,
    SessionEnded,
}

impl RefreshError {
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Unknown => "The refresh token is invalid.",
            Self::Used => "The refresh token has already been used.",
            Self::SessionEnded => "The session has already ended.",
        }
    }
}

impl UserSession {
    #[must_use]
    pub fn json(&self, now: Timestamp) -> Value {
        let status = match self.ended_at {
            Some(_) => "revoked",
            None if now >= self.expires_at => "expired",
            None => "active",
        };
        json!({
            "object": "session",
            "id": self.id,
            "user_id": self.user_id,
            "organization_id": self.organization_id,
            "impersonator": null,
            "ip_address": self.agent.ip_address,
            "user_agent": self.agent.user_agent,
            "auth_method": self.method.of_session(),
            "status": status,
            "expires_at": self.expires_at,
            "ended_at": self.ended_at,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        })
    }

    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

impl UserSessions {
    pub fn begin(
        &mut self,
        id: String,
        signed_in: &SignedIn,
        agent: Agent,
        (now, expires_at): (Timestamp, Timestamp),
    ) -> &UserSession {
        self.sessions.push(UserSession {
            id,
            user_id: signed_in.user_id.clone(),
            client_id: signed_in.client_id.clone(),
            organization_id: signed_in.organization_id.clone(),
            connection_id: signed_in.connection_id.clone(),
            method: signed_in.method.clone(),
            agent,
            created_at: now,
            updated_at: now,
            expires_at,
            ended_at: None,
        });
        &self.sessions[self.sessions.len() - 1]
    }

    pub fn keep_refresh_token(&mut self, token: &Secret, session_id: &str) {
        let token_row = RefreshToken { session_id: session_id.to_owned(), used: false };
        self.refresh_tokens.insert(token.fingerprint(), token_row);
    }

    /// The session of a refresh token that can still be used; nothing is used up.
    ///
    /// # Errors
    /// When there is no such token for this client, it was used, or its session has ended.
    pub fn of_refresh_token(
        &self,
        token: &Secret,
        client_id: &str,
        now: Timestamp,
    ) -> Result<&UserSession, RefreshError> {
        let row = self.refresh_tokens.get(&token.fingerprint()).ok_or(RefreshError::Unknown)?;
        let session = self.session(&row.session_id).ok_or(RefreshError::Unknown)?;
        if session.client_id != client_id {
            return Err(RefreshError::Unknown);
        }
        match (row.used, session.is_live(now)) {
            (_, false) => Err(RefreshError::SessionEnded),
            (true, true) => Err(RefreshError::Used),
            (false, true) => Ok(session),
        }
    }

    /// Uses the token up and moves its session to `organization_id`.
    pub fn refresh(
        &mut self,
        token: &Secret,
        organization_id: Option<String>,
        now: Timestamp,
    ) -> Option<&UserSession> {
        let row = self.refresh_tokens.get_mut(&token.fingerprint())?;
        row.used = true;
        let session = self.sessions.iter_mut().find(|it| it.id == row.session_id)?;
        session.organization_id = organization_id;
        session.updated_at = now;
        Some(session)
    }

    /// The session that has ended by this; none if there is no such live session.
    pub fn revoke(&mut self, id: &str, now: Timestamp) -> Option<&UserSession> {
        let session = self.sessions.iter_mut().find(|it| it.id == id && it.is_live(now))?;
        session.ended_at = Some(now);
        session.updated_at = now;
        Some(session)
    }

    #[must_use]
    pub fn session(&self, id: &str) -> Option<&UserSession> {
        self.sessions.iter().find(|it| it.id == id)
    }

    /// In the order of their beginning.
    pub fn of_user<'a>(&'a self, user_id: &'a str) -> impl Iterator<Item = &'a UserSession> {
        self.sessions.iter().filter(move |it| it.user_id == user_id)
    }
}
