//! One call of the hosted page: which page or redirect follows from what the browser sent.

use crate::authkit::{AuthKit, AuthenticationError, ChallengeCode, Context, Method, SignedIn};
use crate::authorization::{AuthKitRequest, Hosted};
use crate::http::answers::ApiError;
use crate::http::sign_in::repeated;
use crate::pages::{HostedPage, HostedStep};
use crate::parameters::Parameters;
use crate::secret::Secret;
use crate::seed::Person;
use crate::sign_in::{SignIn, check_password};
use crate::sso_error::SsoError;

/// What the browser gets next.
pub enum Next {
    /// Every step is done.
    Done(SignedIn),
    Page(HostedPage, Option<String>),
    /// On to the identity provider of this connection.
    Provider(String, String),
    Failed(SsoError),
}

/// One call of the page.
pub struct Visit<'a, 'c> {
    pub authkit: &'a mut AuthKit,
    pub context: &'a mut Context<'c>,
    pub request: &'a AuthKitRequest,
    pub hosted: Hosted,
}

impl Visit<'_, '_> {
    pub fn begin(&mut self, email: Option<&str>) -> Next {
        let known = email.and_then(|email| self.authkit.users.by_email(email));
        match known.map(|user| user.id.clone()) {
            Some(id) => {
                let signed_in = SignedIn::new(&id, &self.request.client_id, Method::Password);
                self.proceed(signed_in)
            }
            None => {
                let hint = self.request.login_hint.clone().unwrap_or_default();
                self.sign_in_page(hint, None)
            }
        }
    }

    pub fn advance(&mut self, form: &Parameters) -> Result<Next, ApiError> {
        let field =
            |name| form.one(name).map(Option::unwrap_or_default).map_err(|_| repeated(name));
        let token = Secret::from(field("pending_authentication_token")?);
        let (client_id, code) = (&self.request.client_id, Secret::from(field("code")?));
        let challenge_id = field("authentication_challenge_id")?;
        let (authkit, context) = (&mut *self.authkit, &mut *self.context);
        let step = field("step")?;
        let taken = match step {
            "" => return Ok(self.sign_in(field("email")?.trim(), field("password")?)),
            _ if !field("again")?.is_empty() => authkit.begin_step(context, client_id, &token),
            "email-verification" => authkit.verify_email(context, client_id, &token, &code),
            "mfa-totp" => authkit.pass_mfa(context, client_id, &token, (challenge_id, &code)),
            _ => {
                let id = field("organization_id")?;
                authkit.select_organization(context, client_id, &token, id)
            }
        };
        Ok(match taken {
            Ok(signed_in) => self.proceed(signed_in),
            Err(error) => self.again(step, &token, challenge_id, &error),
        })
    }

    fn sign_in(&mut self, email: &str, password: &str) -> Next {
        match check_password(email, password) {
            Some(SignIn::Failed(error)) => return Next::Failed(error),
            Some(SignIn::Again(words)) => return self.sign_in_page(email.to_owned(), Some(words)),
            _ => {}
        }
        let known = self.authkit.users.by_email(email).map(|user| user.id.clone());
        let id = match known {
            Some(id) => id,
            None if self.hosted.sign_up && email.contains('@') => {
                self.authkit.create_user(self.context, &Person::of(email), false)
            }
            None => {
                let words = format!("No user here has the address “{email}”.");
                return self.sign_in_page(email.to_owned(), Some(words));
            }
        };
        self.proceed(SignedIn::new(&id, &self.request.client_id, Method::Password))
    }

    fn sign_in_page(&self, email: String, words: Option<String>) -> Next {
        Next::Page(HostedPage::SignIn { sign_up: self.hosted.sign_up, email }, words)
    }

    fn proceed(&mut self, signed_in: SignedIn) -> Next {
        match self.authkit.proceed(self.context, signed_in) {
            Ok(signed_in) => Next::Done(signed_in),
            Err(AuthenticationError::Challenge { code, token, .. }) => {
                self.step_page(code, &token, None, None)
            }
            Err(AuthenticationError::SsoRequired { connection_ids, email, .. }) => {
                Next::Provider(connection_ids.into_iter().next().unwrap_or_default(), email)
            }
            Err(_) => Next::Failed(SsoError::AccessDenied),
        }
    }

    /// The page of the step that was not taken, with the reason.
    fn again(
        &mut self,
        step: &str,
        token: &Secret,
        challenge_id: &str,
        error: &AuthenticationError,
    ) -> Next {
        let words = error.message();
        let code = match step {
            "email-verification" => ChallengeCode::EmailVerificationRequired,
            "mfa-totp" if self.challenges_known_factor(challenge_id) => ChallengeCode::MfaChallenge,
            "mfa-totp" => ChallengeCode::MfaEnrollment,
            _ => ChallengeCode::OrganizationSelectionRequired,
        };
        self.step_page(code, token, Some(challenge_id), Some(words))
    }

    fn challenges_known_factor(&self, challenge_id: &str) -> bool {
        let factors = &self.authkit.factors;
        let challenge = factors.challenge_by_id(challenge_id);
        challenge.and_then(|it| factors.factor(&it.factor_id)).is_some_and(|it| it.confirmed)
    }

    fn step_page(
        &mut self,
        code: ChallengeCode,
        token: &Secret,
        challenge_id: Option<&str>,
        words: Option<String>,
    ) -> Next {
        let now = self.context.now;
        let found = self.authkit.pending.find(token, &self.request.client_id, now);
        let Some(user_id) = found.map(|signed_in| signed_in.user_id.clone()) else {
            return self.sign_in_page(String::new(), words);
        };
        let step = match code {
            ChallengeCode::EmailVerificationRequired => self.verification(&user_id),
            ChallengeCode::MfaEnrollment => self.enrollment(&user_id, challenge_id),
            ChallengeCode::MfaChallenge => self.challenge(&user_id, challenge_id),
            ChallengeCode::OrganizationSelectionRequired => Some(self.selection(&user_id)),
        };
        match step {
            Some(step) => {
                Next::Page(HostedPage::Step { token: token.expose().to_owned(), step }, words)
            }
            None => self.sign_in_page(String::new(), words),
        }
    }

    fn verification(&self, user_id: &str) -> Option<HostedStep> {
        let sent = self.authkit.verifications.all().iter().rev();
        let sent = sent.into_iter().find(|it| it.user_id == user_id)?;
        let code = sent.code.expose().to_owned();
        Some(HostedStep::VerifyEmail { email: sent.email.clone(), code })
    }

    fn enrollment(&mut self, user_id: &str, challenge_id: Option<&str>) -> Option<HostedStep> {
        let (random, now) = (&mut self.context.random, self.context.now);
        let factors = &mut self.authkit.factors;
        let known = challenge_id.and_then(|id| factors.challenge_by_id(id));
        let factor_id = match known.map(|it| it.factor_id.clone()) {
            Some(id) => id,
            None => {
                let user = self.authkit.users.user(user_id)?;
                let names = ("Emulator".to_owned(), user.email.clone());
                factors.enroll(Some(user_id), names, None, random, now)?.id.clone()
            }
        };
        let challenge_id = match challenge_id {
            Some(id) => id.to_owned(),
            None => factors.challenge(&factor_id, random, now)?.id.clone(),
        };
        let shape = factors.factor(&factor_id)?.enrolled_json();
        let text = |name: &str| shape["totp"][name].as_str().unwrap_or_default().to_owned();
        let (secret, qr_code) = (text("secret"), text("qr_code"));
        Some(HostedStep::EnrollFactor { challenge_id, secret, qr_code })
    }

    fn challenge(&mut self, user_id: &str, challenge_id: Option<&str>) -> Option<HostedStep> {
        let (random, now) = (&mut self.context.random, self.context.now);
        let factors = &mut self.authkit.factors;
        let factor = factors.of_user(user_id).next()?;
        let code = factor.totp()?.code(now.seconds());
        let factor_id = factor.id.clone();
        let challenge_id = match challenge_id {
            Some(id) => id.to_owned(),
            None => factors.challenge(&factor_id, random, now)?.id.clone(),
        };
        Some(HostedStep::ChallengeFactor { challenge_id, code })
    }

    fn selection(&self, user_id: &str) -> HostedStep {
        let ids = self.authkit.users.active_memberships(user_id).map(|it| &it.organization_id);
        let organizations = ids.filter_map(|id| self.context.environment.organization(id));
        let organizations = organizations.map(|it| (it.id.clone(), it.name.clone())).collect();
        HostedStep::SelectOrganization { organizations }
    }

    /// Issues the code where everything is done.
    pub fn finish(&mut self, next: Next, code: &Secret) -> Next {
        if let Next::Done(signed_in) = &next {
            let challenge = self.request.challenge.clone();
            self.authkit.issue_code(code, signed_in.clone(), challenge, self.context.now);
        }
        next
    }
}
