//! What `/user_management/authenticate` answers instead of a session, with the status and the body
//! of each: challenges (403 `{code, message, pending_authentication_token}`), OAuth errors (400
//! `{error, error_description}`) and plain errors (400 `{code, message}`).

use serde_json::{Map, Value, json};

use super::one_time_code::OneTimeCodeError;
use crate::secret::Secret;

#[derive(Debug, Clone)]
pub enum AuthenticationError {
    /// A step that the application finishes with the token.
    Challenge { code: ChallengeCode, token: Secret, members: Map<String, Value> },
    /// `sso_required`: the sign-in has to begin again at one of the connections.
    SsoRequired { connection_ids: Vec<String>, email: String, token: Secret },
    /// 400 as RFC 6749 §5.2 has it.
    OAuth { error: &'static str, description: String },
    /// 400 `{code, message}`.
    Plain { code: &'static str, message: &'static str },
    /// 400 `{message}`.
    Message(&'static str),
}

/// The challenges that the emulator puts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeCode {
    EmailVerificationRequired,
    MfaEnrollment,
    MfaChallenge,
    OrganizationSelectionRequired,
}

impl ChallengeCode {
    /// `code` and `message` on the wire.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::EmailVerificationRequired => (
                "email_verification_required",
                "Email ownership must be verified before authentication.",
            ),
            Self::MfaEnrollment => {
                ("mfa_enrollment", "The user must enroll in MFA to finish authenticating.")
            }
            Self::MfaChallenge => (
                "mfa_challenge",
                "The user must complete an MFA challenge to finish authenticating.",
            ),
            Self::OrganizationSelectionRequired => (
                "organization_selection_required",
                "The user must choose an organization to finish their authentication.",
            ),
        }
    }
}

impl AuthenticationError {
    #[must_use]
    pub fn oauth(error: &'static str, description: impl Into<String>) -> Self {
        Self::OAuth { error, description: description.into() }
    }

    #[must_use]
    pub fn invalid_grant(description: &str) -> Self {
        Self::oauth("invalid_grant", description)
    }

    #[must_use]
    pub fn pending_token() -> Self {
        Self::Plain {
            code: "invalid_pending_authentication_token",
            message: "The pending authentication token is invalid or has expired.",
        }
    }

    /// For a person: without the token and the ids.
    #[must_use]
    pub fn message(&self) -> String {
        let body = self.body();
        let words = body["message"].as_str().or(body["error_description"].as_str());
        words.unwrap_or_default().to_owned()
    }

    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Challenge { .. } => 403,
            _ => 400,
        }
    }

    #[must_use]
    pub fn body(&self) -> Value {
        match self {
            Self::Challenge { code, token, members } => {
                let (code, message) = code.words();
                let mut body = json!({ "code": code, "message": message });
                body["pending_authentication_token"] = json!(token.expose());
                body.as_object_mut().into_iter().for_each(|it| it.extend(members.clone()));
                body
            }
            Self::SsoRequired { connection_ids, email, token } => json!({
                "error": "sso_required",
                "error_description":
                    "User must authenticate using one of the matching connections.",
                "connection_ids": connection_ids,
                "email": email,
                "pending_authentication_token": token.expose(),
            }),
            Self::OAuth { error, description } => {
                json!({ "error": error, "error_description": description })
            }
            Self::Plain { code, message } => json!({ "code": code, "message": message }),
            Self::Message(message) => json!({ "message": message }),
        }
    }
}

impl From<OneTimeCodeError> for AuthenticationError {
    fn from(error: OneTimeCodeError) -> Self {
        let message = match error {
            OneTimeCodeError::Invalid => "The one-time code is incorrect.",
            OneTimeCodeError::Expired => "The one-time code has expired.",
            OneTimeCodeError::PreviouslyUsed => "The one-time code was previously used.",
            OneTimeCodeError::TooManyAttempts => "There were too many attempts with this code.",
        };
        Self::Plain { code: error.code(), message }
    }
}
