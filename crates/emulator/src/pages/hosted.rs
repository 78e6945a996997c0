//! The pages of AuthKit: sign in or up, and one for each step of a sign-in. Every form posts to the
//! page's own URL, which carries the authorization request.

use maud::{Markup, html};

use super::{PasswordForm, layout, password_form, problem_line};

#[derive(Debug)]
pub enum HostedPage {
    SignIn { sign_up: bool, email: String },
    Step { token: String, step: HostedStep },
}

#[derive(Debug)]
pub enum HostedStep {
    /// The code is shown because no mail is sent.
    VerifyEmail {
        email: String,
        code: String,
    },
    EnrollFactor {
        challenge_id: String,
        secret: String,
        qr_code: String,
    },
    /// The code is shown because a person here has no authenticator at hand.
    ChallengeFactor {
        challenge_id: String,
        code: String,
    },
    SelectOrganization {
        organizations: Vec<(String, String)>,
    },
}

#[must_use]
pub fn hosted(page: &HostedPage, words: Option<&str>) -> Markup {
    let title = title(page);
    layout(
        title,
        &html! {
            h1 { (title) }
            @if let Some(words) = words { (problem_line(words)) }
            @match page {
                HostedPage::SignIn { sign_up, email } => {
                    p { "This page stands in for the hosted page of AuthKit." }
                    (password_form(PasswordForm {
                        email,
                        submit: if *sign_up { "Sign up" } else { "Sign in" },
                    }))
                }
                HostedPage::Step { token, step } => (step_form(token, step)),
            }
        },
    )
}

fn title(page: &HostedPage) -> &'static str {
    match page {
        HostedPage::SignIn { sign_up: true, .. } => "Sign up",
        HostedPage::SignIn { .. } => "Sign in",
        HostedPage::Step { step, .. } => match step {
            HostedStep::VerifyEmail { .. } => "Verify your email",
            HostedStep::EnrollFactor { .. } => "Set up your authenticator",
            HostedStep::ChallengeFactor { .. } => "Enter the code of your authenticator",
            HostedStep::SelectOrganization { .. } => "Choose an organization",
        },
    }
}

fn step_form(token: &str, step: &HostedStep) -> Markup {
    html! {
        form method="post" {
            input type="hidden" name="pending_authentication_token" value=(token);
            @match step {
                HostedStep::VerifyEmail { email, code } => {
                    p { "We sent a code to " strong { (email) } "." }
                    (code_field("email-verification", "The emulator sends no mail", code))
                    button.quiet type="submit" name="again" value="yes" formnovalidate {
                        "Send another code"
                    }
                }
                HostedStep::EnrollFactor { challenge_id, secret, qr_code } => {
                    p { "Scan the picture with your authenticator, or type the secret." }
                    img src=(qr_code) alt="QR code with the secret" width="160" height="160";
                    p { code id="secret" { (secret) } }
                    input type="hidden" name="authentication_challenge_id" value=(challenge_id);
                    (code_field("mfa-totp", "", ""))
                }
                HostedStep::ChallengeFactor { challenge_id, code } => {
                    input type="hidden" name="authentication_challenge_id" value=(challenge_id);
                    (code_field("mfa-totp", "Without an authenticator", code))
                    button.quiet type="submit" name="again" value="yes" formnovalidate {
                        "Begin this step again"
                    }
                }
                HostedStep::SelectOrganization { organizations } => {
                    input type="hidden" name="step" value="organization-selection";
                    @for (id, name) in organizations {
                        button.primary type="submit" name="organization_id" value=(id) { (name) }
                    }
                }
            }
        }
    }
}

fn code_field(step: &str, why: &str, code: &str) -> Markup {
    html! {
        input type="hidden" name="step" value=(step);
        label for="code" { "Code" }
        input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code"
            required autofocus aria-describedby=[(!code.is_empty()).then_some("hint")];
        @if !code.is_empty() {
            p.hint id="hint" { (why) ": the code is " code { (code) } "." }
        }
        button.primary type="submit" { "Continue" }
    }
}
