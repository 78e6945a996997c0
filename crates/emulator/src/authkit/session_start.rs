//! Where the steps end: the session of a sign-in, its refresh, and what its answers say.

use std::time::Duration;

use serde_json::{Value, json};

use super::authenticate::{Outcome, not_a_member};
use super::{AuthKit, AuthenticationError, Context, Method, SignedIn};
use crate::secret::Secret;

/// A session, and what its answer and its access token say.
#[derive(Debug)]
pub struct Authenticated {
    pub user: Value,
    pub user_id: String,
    pub session_id: String,
    pub organization_id: Option<String>,
    pub role: Option<String>,
    pub method: Method,
    pub refresh_token: Secret,
    pub token_id: String,
}

impl AuthKit {
    /// The end of a sign-in whose steps are done.
    pub fn begin_session(
        &mut self,
        context: &mut Context<'_>,
        signed_in: &SignedIn,
    ) -> Outcome<Authenticated> {
        let now = context.now;
        let lifetime = context.environment.authkit().session_lifetime_seconds;
        let times = (now, now.plus(Duration::from_secs(lifetime)));
        let id = context.random.id("session_");
        let agent = context.agent.clone();
        let session = self.sessions.begin(id.clone(), signed_in, agent, times).json(now);
        let user = self.users.user_mut(&signed_in.user_id);
        let user =
            user.ok_or_else(|| AuthenticationError::invalid_grant("The user was deleted."))?;
        user.last_sign_in_at = Some(now);
        let email = user.email.clone();
        context.record("session.created", session);
        context.record_sign_in(signed_in, &email, &id);
        self.answer(context, signed_in, id)
    }

    /// A session goes on, in another organization if one is named.
    ///
    /// # Errors
    /// `invalid_grant` when it has ended or the token was used; the token lives on when the
    /// organization is the problem.
    pub fn refresh(
        &mut self,
        context: &mut Context<'_>,
        client_id: &str,
        token: &Secret,
        organization_id: Option<&str>,
    ) -> Outcome<Authenticated> {
        let found = self.sessions.of_refresh_token(token, client_id, context.now);
        let session =
            found.map_err(|error| AuthenticationError::invalid_grant(error.description()))?.clone();
        let mut signed_in = SignedIn::new(&session.user_id, client_id, session.method);
        signed_in.connection_id = session.connection_id;
        signed_in.organization_id = session.organization_id;
        if let Some(wanted) = organization_id {
            self.may_switch(context, &signed_in, wanted)?;
            signed_in.organization_id = Some(wanted.to_owned());
        }
        let enrolled = self.factors.of_user(&session.user_id).next().is_some();
        let user = self.users.user(&session.user_id);
        if user.is_some_and(|user| user.mfa_required && !enrolled) {
            let description = "The user must enroll in MFA to finish authenticating.";
            return Err(AuthenticationError::oauth("mfa_enrollment", description));
        }
        self.sessions.refresh(token, signed_in.organization_id.clone(), context.now);
        self.answer(context, &signed_in, session.id)
    }

    fn may_switch(
        &mut self,
        context: &mut Context<'_>,
        signed_in: &SignedIn,
        wanted: &str,
    ) -> Outcome<()> {
        if context.environment.organization(wanted).is_none() {
            let description = format!("Organization not found: '{wanted}'.");
            return Err(AuthenticationError::oauth("organization_not_found", description));
        }
        if !self.users.is_active_member(&signed_in.user_id, wanted) {
            return Err(not_a_member());
        }
        let connection_ids = context.environment.required_sso(wanted);
        let own_way =
            signed_in.connection_id.as_ref().is_some_and(|it| connection_ids.contains(it));
        if connection_ids.is_empty() || own_way {
            return Ok(());
        }
        let user = self.users.user(&signed_in.user_id);
        let email = user.map(|user| user.email.clone()).unwrap_or_default();
        let token = self.keep(context, signed_in.clone());
        Err(AuthenticationError::SsoRequired { connection_ids, email, token })
    }

    fn answer(
        &mut self,
        context: &mut Context<'_>,
        signed_in: &SignedIn,
        session_id: String,
    ) -> Outcome<Authenticated> {
        let user = self.users.user(&signed_in.user_id);
        let user =
            user.ok_or_else(|| AuthenticationError::invalid_grant("The user was deleted."))?;
        let membership = signed_in.organization_id.as_deref();
        let membership = membership.and_then(|id| self.users.membership(&user.id, id));
        let refresh_token = context.random.secret();
        self.sessions.keep_refresh_token(&refresh_token, &session_id);
        Ok(Authenticated {
            user: user.json(),
            user_id: user.id.clone(),
            session_id,
            organization_id: signed_in.organization_id.clone(),
            role: membership.map(|it| it.role.clone()),
            method: signed_in.method.clone(),
            refresh_token,
            token_id: context.random.id(""),
        })
    }
}

impl Context<'_> {
    fn record_sign_in(&mut self, signed_in: &SignedIn, email: &str, session_id: &str) {
        let kind = signed_in.method.of_session();
        let mut data = json!({
            "type": kind,
            "status": "succeeded",
            "ip_address": self.agent.ip_address,
            "user_agent": self.agent.user_agent,
            "user_id": signed_in.user_id,
            "email": email,
        });
        if signed_in.method == Method::Sso {
            data["sso"] = json!({
                "organization_id": signed_in.organization_id,
                "connection_id": signed_in.connection_id,
                "session_id": session_id,
            });
        }
        self.record(&format!("authentication.{kind}_succeeded"), data);
    }
}
