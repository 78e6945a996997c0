//! The steps between a sign-in and its session, for `/user_management/authenticate` and the hosted
//! page alike: each transition takes a sign-in one step on, and says which step is next.

use serde_json::{Map, json};

use super::steps::Step;
use super::{AuthKit, AuthenticationError, ChallengeCode, Context, Method, SignedIn};
use crate::secret::Secret;
use crate::users::User;

pub type Outcome<T> = Result<T, AuthenticationError>;

impl AuthKit {
    /// The sign-in behind an authorization code.
    ///
    /// # Errors
    /// `invalid_grant` when the code or its verifier is not right; the code is used up either way.
    pub fn redeem(
        &mut self,
        context: &Context<'_>,
        code: &Secret,
        client_id: &str,
        verifier: Option<&Secret>,
    ) -> Outcome<SignedIn> {
        let redeemed = self.codes.redeem(code, client_id, verifier, context.now);
        redeemed.map_err(|error| AuthenticationError::invalid_grant(error.description()))
    }

    /// A sign-in with email and password; every password is the one of the sign-in pages.
    ///
    /// # Errors
    /// `invalid_credentials`.
    pub fn sign_in_with_password(
        &self,
        client_id: &str,
        email: &str,
        right_password: bool,
    ) -> Outcome<SignedIn> {
        let user = self.users.by_email(email).filter(|_| right_password);
        let user = user.ok_or(AuthenticationError::Plain {
            code: "invalid_credentials",
            message: "Incorrect email or password.",
        })?;
        Ok(SignedIn::new(&user.id, client_id, Method::Password))
    }

    /// The step that comes next, as an error; or the sign-in with every step done.
    ///
    /// # Errors
    /// The challenge with its token, or the reason why this sign-in ends here.
    pub fn proceed(&mut self, context: &mut Context<'_>, signed_in: SignedIn) -> Outcome<SignedIn> {
        let user = self.users.user(&signed_in.user_id);
        let user = user
            .ok_or_else(|| AuthenticationError::invalid_grant("The user was deleted."))?
            .clone();
        if signed_in.settled {
            return Ok(signed_in);
        }
        match self.next_step(context.environment, &user, &signed_in) {
            Step::Done { organization_id } => {
                Ok(SignedIn { organization_id, settled: true, ..signed_in })
            }
            Step::NotAMember => Err(not_a_member()),
            Step::UseSso { connection_ids } => {
                let token = self.keep(context, signed_in);
                Err(AuthenticationError::SsoRequired { connection_ids, email: user.email, token })
            }
            step => Err(self.challenge(context, &step, &user, signed_in)),
        }
    }

    fn challenge(
        &mut self,
        context: &mut Context<'_>,
        step: &Step,
        user: &User,
        signed_in: SignedIn,
    ) -> AuthenticationError {
        let mut members = Map::new();
        let code = match step {
            Step::VerifyEmail => {
                members.insert("email".into(), json!(user.email));
                let id = self.send_verification(context, user);
                members.insert("email_verification_id".into(), json!(id));
                ChallengeCode::EmailVerificationRequired
            }
            Step::EnrollFactor => ChallengeCode::MfaEnrollment,
            Step::ChallengeFactor => {
                let factors = self.factors.of_user(&user.id);
                let factors = factors.map(|it| json!({ "id": it.id, "type": "totp" }));
                members.insert("authentication_factors".into(), factors.collect());
                ChallengeCode::MfaChallenge
            }
            _ => {
                let ids = self.users.active_memberships(&user.id).map(|it| &it.organization_id);
                let organizations = ids.filter_map(|id| context.environment.organization(id));
                let organizations = organizations.map(|it| json!({ "id": it.id, "name": it.name }));
                members.insert("organizations".into(), organizations.collect());
                ChallengeCode::OrganizationSelectionRequired
            }
        };
        if code != ChallengeCode::EmailVerificationRequired {
            members.insert("user".into(), user.json());
        }
        let token = self.keep(context, signed_in);
        AuthenticationError::Challenge { code, token, members }
    }

    pub(super) fn keep(&mut self, context: &mut Context<'_>, signed_in: SignedIn) -> Secret {
        let token = context.random.secret();
        self.pending.keep(&token, signed_in, context.now);
        token
    }

    fn send_verification(&mut self, context: &mut Context<'_>, user: &User) -> String {
        let now = context.now;
        let (sent, new) = self.verifications.send(&user.id, &user.email, &mut context.random, now);
        let (id, data) = (sent.id.clone(), sent.event_json());
        if new {
            context.record("email_verification.created", data);
        }
        id
    }

    fn pending(&self, context: &Context<'_>, token: &Secret, client_id: &str) -> Outcome<SignedIn> {
        let found = self.pending.find(token, client_id, context.now);
        found.cloned().ok_or_else(AuthenticationError::pending_token)
    }

    /// The waiting sign-in, so that its step begins anew with another token.
    ///
    /// # Errors
    /// Without a waiting sign-in.
    pub fn begin_step(
        &mut self,
        context: &Context<'_>,
        client_id: &str,
        token: &Secret,
    ) -> Outcome<SignedIn> {
        let signed_in = self.pending(context, token, client_id)?;
        self.verifications.withdraw(&signed_in.user_id);
        self.pending.forget(token);
        Ok(signed_in)
    }

    /// The code that was sent to the address is right: the address is verified from now on.
    ///
    /// # Errors
    /// Without a waiting sign-in, or with a wrong code; then the token lives on.
    pub fn verify_email(
        &mut self,
        context: &mut Context<'_>,
        client_id: &str,
        token: &Secret,
        code: &Secret,
    ) -> Outcome<SignedIn> {
        let signed_in = self.pending(context, token, client_id)?;
        self.verifications.verify(&signed_in.user_id, code, context.now)?;
        if let Some(user) = self.users.user_mut(&signed_in.user_id) {
            (user.email_verified, user.updated_at) = (true, context.now);
            let data = user.json();
            context.record("user.updated", data);
        }
        self.pending.forget(token);
        Ok(signed_in)
    }

    /// The code of the second factor is right.
    ///
    /// # Errors
    /// Without a waiting sign-in, for a challenge of another user, or with a wrong code; then the
    /// token lives on.
    pub fn pass_mfa(
        &mut self,
        context: &Context<'_>,
        client_id: &str,
        token: &Secret,
        (challenge_id, code): (&str, &Secret),
    ) -> Outcome<SignedIn> {
        let signed_in = self.pending(context, token, client_id)?;
        let user = Some(signed_in.user_id.as_str());
        let taken = self.factors.verify(challenge_id, user, code, context.now);
        taken.ok_or(AuthenticationError::Plain {
            code: "user_mismatch",
            message: "The authentication challenge does not belong to the user.",
        })??;
        self.pending.forget(token);
        Ok(SignedIn { mfa_passed: true, ..signed_in })
    }

    /// The user has chosen where they sign in.
    ///
    /// # Errors
    /// Without a waiting sign-in, for an organization that they do not belong to, or for one that
    /// wants SSO.
    pub fn select_organization(
        &mut self,
        context: &Context<'_>,
        client_id: &str,
        token: &Secret,
        organization_id: &str,
    ) -> Outcome<SignedIn> {
        let signed_in = self.pending(context, token, client_id)?;
        if !self.users.is_active_member(&signed_in.user_id, organization_id) {
            return Err(AuthenticationError::Plain {
                code: "invalid_organization_id",
                message: "The user is not a member of this organization.",
            });
        }
        let required = context.environment.required_sso(organization_id);
        let own_way = signed_in.connection_id.as_ref().is_some_and(|it| required.contains(it));
        if !required.is_empty() && !own_way {
            return Err(AuthenticationError::Message("Must use SSO for selected organization"));
        }
        self.pending.forget(token);
        let organization_id = Some(organization_id.to_owned());
        Ok(SignedIn { organization_id, organization_chosen: true, ..signed_in })
    }
}

impl SignedIn {
    /// At the beginning, with no step done.
    #[must_use]
    pub fn new(user_id: &str, client_id: &str, method: Method) -> Self {
        Self {
            user_id: user_id.to_owned(),
            client_id: client_id.to_owned(),
            method,
            connection_id: None,
            organization_id: None,
            organization_chosen: false,
            mfa_passed: false,
            settled: false,
        }
    }
}

pub(super) fn not_a_member() -> AuthenticationError {
    let description = "The user has no active membership in the organization.";
    AuthenticationError::oauth("organization_membership_not_found", description)
}
