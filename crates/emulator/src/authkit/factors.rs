//! Second factors (TOTP) and the challenges to them (`authentication_factor`,
//! `authentication_challenge`). A code of a time step serves once (RFC 6238 §5.2).

use serde_json::{Value, json};

use super::one_time_code::{CodeUse, OneTimeCodeError};
use crate::ids::Random;
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::totp::Totp;

#[derive(Debug)]
pub struct Factor {
    pub id: String,
    /// None for a factor of the MFA API, which knows no users.
    pub user_id: Option<String>,
    secret: Secret,
    issuer: String,
    user: String,
    last_step: Option<u64>,
    /// Whether a code of it was right once: a factor that was only offered counts as none.
    pub confirmed: bool,
    created_at: Timestamp,
}

#[derive(Debug)]
pub struct Challenge {
    pub id: String,
    pub factor_id: String,
    used: CodeUse,
    created_at: Timestamp,
}

#[derive(Debug, Default)]
pub struct Factors {
    factors: Vec<Factor>,
    challenges: Vec<Challenge>,
}

impl Factor {
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "object": "authentication_factor",
            "id": self.id,
            "type": "totp",
            "user_id": self.user_id,
            "totp": { "issuer": self.issuer, "user": self.user },
            "created_at": self.created_at,
            "updated_at": self.created_at,
        })
    }

    /// With what an authenticator takes over; shown once, at the enrolment.
    #[must_use]
    pub fn enrolled_json(&self) -> Value {
        let mut factor = self.json();
        if let Some(totp) = self.totp() {
            factor["totp"]["secret"] = json!(self.secret.expose());
            factor["totp"]["qr_code"] = json!(totp.qr_code());
            factor["totp"]["uri"] = json!(totp.uri());
        }
        factor
    }

    #[must_use]
    pub fn totp(&self) -> Option<Totp> {
        Totp::new(&self.secret, &self.issuer, &self.user).ok()
    }
}

impl Challenge {
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "object": "authentication_challenge",
            "id": self.id,
            "authentication_factor_id": self.factor_id,
            "expires_at": self.used.expires_at,
            "created_at": self.created_at,
            "updated_at": self.created_at,
        })
    }
}

impl Factors {
    /// A factor that has been confirmed before the emulator began.
    pub fn seed(
        &mut self,
        id: String,
        user_id: String,
        secret: Secret,
        (issuer, user): (String, String),
        created_at: Timestamp,
    ) {
        let (user_id, last_step, confirmed) = (Some(user_id), None, true);
        self.factors.push(Factor {
            id,
            user_id,
            secret,
            issuer,
            user,
            last_step,
            confirmed,
            created_at,
        });
    }

    /// A new factor, with `secret` or one that is drawn. None if the secret cannot be used.
    pub fn enroll(
        &mut self,
        user_id: Option<&str>,
        (issuer, user): (String, String),
        secret: Option<Secret>,
        random: &mut Random,
        now: Timestamp,
    ) -> Option<&Factor> {
        let secret = secret.unwrap_or_else(|| Totp::secret(random.bytes()));
        Totp::new(&secret, &issuer, &user).ok()?;
        self.factors.push(Factor {
            id: random.id("auth_factor_"),
            user_id: user_id.map(str::to_owned),
            secret,
            issuer,
            user,
            last_step: None,
            confirmed: false,
            created_at: now,
        });
        self.factors.last()
    }

    /// None if there is no such factor.
    pub fn challenge(
        &mut self,
        factor_id: &str,
        random: &mut Random,
        now: Timestamp,
    ) -> Option<&Challenge> {
        self.factor(factor_id)?;
        let (id, factor_id) = (random.id("auth_challenge_"), factor_id.to_owned());
        self.challenges.push(Challenge { id, factor_id, used: CodeUse::new(now), created_at: now });
        self.challenges.last()
    }

    /// Takes a code for a challenge, of a factor of `user_id` if one is named. None if there is no
    /// such challenge.
    pub fn verify(
        &mut self,
        challenge_id: &str,
        user_id: Option<&str>,
        code: &Secret,
        now: Timestamp,
    ) -> Option<Result<(), OneTimeCodeError>> {
        let challenge = self.challenges.iter_mut().find(|it| it.id == challenge_id)?;
        let factor = self.factors.iter_mut().find(|it| it.id == challenge.factor_id)?;
        if user_id.is_some() && factor.user_id.as_deref() != user_id {
            return None;
        }
        let step = factor.totp().and_then(|it| it.step_of(code.expose(), now.seconds()));
        if step.is_some() && step <= factor.last_step {
            return Some(Err(OneTimeCodeError::PreviouslyUsed));
        }
        let taken = challenge.used.attempt(step.is_some(), now);
        if taken.is_ok() {
            factor.last_step = step;
            factor.confirmed = true;
        }
        Some(taken)
    }

    #[must_use]
    pub fn factor(&self, id: &str) -> Option<&Factor> {
        self.factors.iter().find(|it| it.id == id)
    }

    #[must_use]
    pub fn challenge_by_id(&self, id: &str) -> Option<&Challenge> {
        self.challenges.iter().find(|it| it.id == id)
    }

    /// Whether there was one to delete.
    pub fn delete(&mut self, id: &str) -> bool {
        let before = self.factors.len();
        self.factors.retain(|it| it.id != id);
        self.factors.len() < before
    }

    pub fn of_user<'a>(&'a self, user_id: &'a str) -> impl Iterator<Item = &'a Factor> {
        self.factors.iter().filter(move |it| it.user_id.as_deref() == Some(user_id) && it.confirmed)
    }
}
