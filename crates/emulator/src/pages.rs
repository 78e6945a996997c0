//! The pages a person sees: sign-in and refusal. Plain HTML that works without scripts and styles.
//! Everything that came from outside is escaped by maud.

use maud::{DOCTYPE, Markup, PreEscaped, html};

mod hosted;

pub use hosted::{HostedPage, HostedStep, hosted};

use crate::sign_in::PASSWORD;

/// The colours are the window's.
const STYLE: &str = concat!(include_str!("../../../ui/tokens.css"), include_str!("pages.css"));

#[derive(Debug, Clone, Copy)]
pub struct SignInPage<'a> {
    pub organization: Option<&'a str>,
    pub connection_type: &'a str,
    pub email: Option<&'a str>,
    /// Why the page is shown again.
    pub words: Option<&'a str>,
}

/// The form posts to the page's own URL, which carries the authorization request.
#[must_use]
pub fn sign_in(page: &SignInPage<'_>) -> Markup {
    let place = page.organization.unwrap_or(page.connection_type);
    let email = page.email.unwrap_or_default();
    layout(
        &format!("Sign in to {place}"),
        &html! {
            h1 { "Sign in to " (place) }
            p { "This page stands in for the sign-in page behind " (page.connection_type) "." }
            @if let Some(words) = page.words { (problem_line(words)) }
            (password_form(PasswordForm { email, submit: "Sign in" }))
        },
    )
}

/// The form for email and password: its field names are fixed, scripts fill them.
#[derive(Clone, Copy)]
struct PasswordForm<'a> {
    email: &'a str,
    submit: &'a str,
}

fn password_form(form: PasswordForm<'_>) -> Markup {
    let email_known = !form.email.is_empty();
    html! {
        form method="post" {
            label for="email" { "Email" }
            input id="email" name="email" type="text" inputmode="email"
                autocomplete="username" spellcheck="false" autocapitalize="none"
                required value=(form.email) autofocus[!email_known];
            label for="password" { "Password" }
            input id="password" name="password" type="password"
                autocomplete="current-password" required autofocus[email_known]
                aria-describedby="hint";
            p.hint id="hint" { "Every password is " code { (PASSWORD) } "." }
            button.primary type="submit" { (form.submit) }
            button.quiet type="submit" name="decline" value="yes" formnovalidate { "Decline" }
        }
    }
}

fn problem_line(words: &str) -> Markup {
    html! { p.problem role="alert" { span aria-hidden="true" { "▲ " } (words) } }
}

/// The question of the consent screen; the form carries what was typed before.
#[must_use]
pub fn consent(email: &str, password: &str) -> Markup {
    layout(
        "Continue to the application?",
        &html! {
            h1 { "Continue to the application?" }
            p { "It will learn who you are: " strong { (email) } "." }
            form method="post" {
                input type="hidden" name="email" value=(email);
                input type="hidden" name="password" value=(password);
                button.primary type="submit" name="consent" value="yes" { "Continue" }
                button.quiet type="submit" name="consent" value="no" { "Cancel" }
            }
        },
    )
}

/// A page that only says where the browser is.
#[must_use]
pub fn notice(title: &str) -> Markup {
    layout(title, &html! { h1 { (title) } p { "You can close this tab." } })
}

#[must_use]
pub fn problem(title: &str, text: &str) -> Markup {
    layout(
        title,
        &html! {
            h1 { (title) }
            (problem_line(text))
            p { "So the browser was not sent back to the application. You can close this tab." }
        },
    )
}

fn layout(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Emulator" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                p.banner { "Emulator – development only" }
                main { (content) }
            }
        }
    }
}
