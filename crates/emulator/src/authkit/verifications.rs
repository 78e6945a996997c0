//! Codes that were sent to email addresses (`email_verification`). The emulator sends no mail: the
//! API gives the code, as WorkOS does for those who send the mail themselves.

use serde_json::{Value, json};

use super::one_time_code::{CodeUse, OneTimeCodeError};
use crate::ids::Random;
use crate::secret::Secret;
use crate::timestamp::Timestamp;

#[derive(Debug)]
pub struct EmailVerification {
    pub id: String,
    pub user_id: String,
    pub email: String,
    pub code: Secret,
    created_at: Timestamp,
    used: CodeUse,
}

#[derive(Debug, Default)]
pub struct EmailVerifications(Vec<EmailVerification>);

impl EmailVerification {
    #[must_use]
    pub fn json(&self) -> Value {
        let mut verification = self.event_json();
        verification["code"] = json!(self.code.expose());
        verification
    }

    /// Without the code.
    #[must_use]
    pub fn event_json(&self) -> Value {
        json!({
            "object": "email_verification",
            "id": self.id,
            "user_id": self.user_id,
            "email": self.email,
            "expires_at": self.used.expires_at,
            "created_at": self.created_at,
            "updated_at": self.created_at,
        })
    }
}

impl EmailVerifications {
    /// The code that is on its way to the user, or a new one (then `true`).
    pub fn send(
        &mut self,
        user_id: &str,
        email: &str,
        random: &mut Random,
        now: Timestamp,
    ) -> (&EmailVerification, bool) {
        let open = |it: &EmailVerification| it.user_id == user_id && it.used.is_open(now);
        let found = self.0.iter().rposition(open);
        let index = found.unwrap_or_else(|| {
            self.0.push(EmailVerification {
                id: random.id("email_verification_"),
                user_id: user_id.to_owned(),
                email: email.to_owned(),
                code: Secret::from(random.six_digits()),
                created_at: now,
                used: CodeUse::new(now),
            });
            self.0.len() - 1
        });
        (&self.0[index], found.is_none())
    }

    /// Takes the code that was sent to the user last.
    ///
    /// # Errors
    /// When it is another one, or cannot be used any more.
    pub fn verify(
        &mut self,
        user_id: &str,
        code: &Secret,
        now: Timestamp,
    ) -> Result<(), OneTimeCodeError> {
        let sent = self.0.iter_mut().rev().find(|it| it.user_id == user_id);
        let sent = sent.ok_or(OneTimeCodeError::Invalid)?;
        let right = &sent.code == code;
        sent.used.attempt(right, now)
    }

    /// Codes that are on their way to the user count no more.
    pub fn withdraw(&mut self, user_id: &str) {
        self.0.retain(|it| it.user_id != user_id);
    }

    #[must_use]
    pub fn all(&self) -> &[EmailVerification] {
        &self.0
    }
}
