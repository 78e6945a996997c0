//! The drawing of each page. Whatever a device, a person or a provider said is text and nothing
//! else: maud escapes it.

use maud::{Markup, PreEscaped, html};

use super::rendered::{PageContext, RenderedPage};
use super::{ConfirmPage, FramePage, FrameStatus, GoPage, Page, ProblemPage};
use crate::domain::GrantId;

const FOLLOW: &str = include_str!("follow.js");
const GUARD: &str = include_str!("guard.js");

impl PageContext<'_> {
    fn say(&self, id: &str) -> String {
        self.words.text(id, &[])
    }
}

pub(super) fn draw(page: &Page, context: &PageContext<'_>) -> RenderedPage {
    match page {
        Page::Home => plain("page-home", context, false),
        Page::NotFound => plain("page-not-found", context, false),
        Page::Refused => plain("page-refused", context, true),
        Page::Failed => plain("page-failed", context, true),
        Page::Return => plain("page-return", context, false),
        Page::Problem(page) => problem(page, context),
        Page::Confirm(page) => confirm(page, context),
        Page::Go(page) => go(page, context),
        Page::Finishing { grant, shown } => finishing(*grant, shown, context),
        Page::SignedIn { email, memory } => signed_in(email, *memory, context),
        Page::Frame(page) => frame(page, context),
    }
}

fn drawing(title: String, body: Markup) -> RenderedPage {
    RenderedPage { title, problem: false, frame: false, asks_again: false, body }
}

fn plain(id: &str, context: &PageContext<'_>, is_problem: bool) -> RenderedPage {
    let body = html! { p { (context.say(&format!("{id}-text"))) } };
    RenderedPage { problem: is_problem, ..drawing(context.say(&format!("{id}-title")), body) }
}

fn problem(page: &ProblemPage, context: &PageContext<'_>) -> RenderedPage {
    let code = page.problem.code();
    let words = context.words.problem(page.problem);
    let reference = match page.attempt {
        // As the window shows it: the first four digits are what a person reads to IT.
        Some(attempt) => {
            let short = attempt.to_string()[..4].to_uppercase();
            context.words.text("page-problem-attempt", &[("code", code), ("attempt", &short)])
        }
        None => context
            .words
            .text("page-problem-request", &[("code", code), ("request", context.request_id)]),
    };
    let body = html! {
        p { (words.text) }
        p { (words.next) }
        @if let Some(address) = &page.open {
            a.button href=(address) { (context.say("page-open-app")) }
        }
        p.small { (reference) }
    };
    RenderedPage { problem: true, ..drawing(words.title, body) }
}

fn confirm(page: &ConfirmPage, context: &PageContext<'_>) -> RenderedPage {
    let unnamed = context.say("page-confirm-no-device");
    let compare =
        if page.number.is_some() { "page-confirm-compare" } else { "page-confirm-no-number" };
    let body = html! {
        p { (context.words.text("page-confirm-text", &[("email", &page.email)])) }
        div.card {
            p.small { (context.say("page-confirm-device")) }
            p.device { (page.device.as_deref().unwrap_or(&unnamed)) }
            @if let Some(number) = page.number {
                hr;
                p.small { (context.say("page-confirm-number")) }
                p.number { (number) }
            }
        }
        p { (context.say(compare)) }
        form method="post" action=(base(page.grant)) {
            input type="hidden" name="csrf_token" value=(page.csrf_token.expose());
            button type="submit" name="continue" value="1" {
                (context.say("page-confirm-continue"))
            }
            button.plain type="submit" name="not_me" value="1" {
                (context.say("page-confirm-not-me"))
            }
        }
        script nonce=(context.nonce) { (PreEscaped(GUARD)) }
    };
    drawing(context.say("page-confirm-title"), body)
}

fn go(page: &GoPage, context: &PageContext<'_>) -> RenderedPage {
    let body = html! {
        p { (context.say("page-go-text")) }
        a.button href=(page.target.expose()) rel="noreferrer" { (context.say("page-go-open")) }
        p.small { (context.say("page-go-share")) }
        (follow(page.grant, "minted", context))
        // Where scripts are off: the hand-over to the app would cancel a refresh of the page
        // itself.
        noscript {
            iframe src=(format!("{}/status", base(page.grant)))
                title=(context.say("page-frame-title")) {}
        }
    };
    drawing(context.say("page-go-title"), body)
}

/// Nothing is handed over from this page, so a refresh of it is not cancelled.
fn finishing(grant: GrantId, shown: &str, context: &PageContext<'_>) -> RenderedPage {
    let body = html! {
        p role="status" { span.wait aria-hidden="true" {} (context.say("page-finishing-text")) }
        (follow(grant, shown, context))
    };
    RenderedPage { asks_again: true, ..drawing(context.say("page-finishing-title"), body) }
}

fn signed_in(email: &str, memory: bool, context: &PageContext<'_>) -> RenderedPage {
    drawing(context.say("page-signed-in-title"), said_signed_in(email, memory, context))
}

fn said_signed_in(email: &str, memory: bool, context: &PageContext<'_>) -> Markup {
    let id = if memory { "page-signed-in-memory" } else { "page-signed-in-text" };
    html! { p role="status" { (context.words.text(id, &[("email", email)])) } }
}

/// Keeps the page truthful with a script.
fn follow(grant: GrantId, shown: &str, context: &PageContext<'_>) -> Markup {
    html! {
        p.small #late hidden { (context.say("page-late")) }
        script nonce=(context.nonce) data-base=(base(grant)) data-shown=(shown) {
            (PreEscaped(FOLLOW))
        }
    }
}

fn frame(page: &FramePage, context: &PageContext<'_>) -> RenderedPage {
    let body = html! {
        @match &page.status {
            FrameStatus::Underway => {
                p { (context.say("page-finishing-text")) }
                @if page.asked >= 5 { p.small { (context.say("page-late")) } }
            }
            FrameStatus::GoOn => {
                p {
                    a.button href=(base(page.grant)) target="_top" {
                        (context.say("page-frame-continue"))
                    }
                }
            }
            FrameStatus::SignedIn { email, memory } => (said_signed_in(email, *memory, context))
        }
    };
    RenderedPage { frame: true, ..drawing(context.say("page-frame-title"), body) }
}

fn base(grant: GrantId) -> String {
    format!("/handoff/{grant}")
}
