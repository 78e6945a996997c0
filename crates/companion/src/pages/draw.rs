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

pub(super) fn draw(page: &Page, paper: &PageContext<'_>) -> RenderedPage {
    match page {
        Page::Home => plain("page-home", paper, false),
        Page::NotFound => plain("page-not-found", paper, false),
        Page::Refused => plain("page-refused", paper, true),
        Page::Failed => plain("page-failed", paper, true),
        Page::Return => plain("page-return", paper, false),
        Page::Problem(page) => problem(page, paper),
        Page::Confirm(page) => confirm(page, paper),
        Page::Go(page) => go(page, paper),
        Page::Finishing { grant, shown } => finishing(*grant, shown, paper),
        Page::SignedIn { email, memory } => signed_in(email, *memory, paper),
        Page::Frame(page) => frame(page, paper),
    }
}

fn drawing(title: String, body: Markup) -> RenderedPage {
    RenderedPage { title, trouble: false, frame: false, asks_again: false, body }
}

fn plain(id: &str, paper: &PageContext<'_>, trouble: bool) -> RenderedPage {
    let body = html! { p { (paper.say(&format!("{id}-text"))) } };
    RenderedPage { trouble, ..drawing(paper.say(&format!("{id}-title")), body) }
}

fn problem(page: &ProblemPage, paper: &PageContext<'_>) -> RenderedPage {
    let code = page.problem.code();
    let words = paper.words.problem(page.problem);
    let reference = match page.attempt {
        // As the window shows it: the first four digits are what a person reads to IT.
        Some(attempt) => {
            let short = attempt.to_string()[..4].to_uppercase();
            paper.words.text("page-problem-attempt", &[("code", code), ("attempt", &short)])
        }
        None => paper
            .words
            .text("page-problem-request", &[("code", code), ("request", paper.request_id)]),
    };
    let body = html! {
        p { (words.text) }
        p { (words.next) }
        @if let Some(address) = &page.open {
            a.button href=(address) { (paper.say("page-open-app")) }
        }
        p.small { (reference) }
    };
    RenderedPage { trouble: true, ..drawing(words.title, body) }
}

fn confirm(page: &ConfirmPage, paper: &PageContext<'_>) -> RenderedPage {
    let unnamed = paper.say("page-confirm-no-device");
    let compare =
        if page.number.is_some() { "page-confirm-compare" } else { "page-confirm-no-number" };
    let body = html! {
        p { (paper.words.text("page-confirm-text", &[("email", &page.email)])) }
        div.card {
            p.small { (paper.say("page-confirm-device")) }
            p.device { (page.device.as_deref().unwrap_or(&unnamed)) }
            @if let Some(number) = page.number {
                hr;
                p.small { (paper.say("page-confirm-number")) }
                p.number { (number) }
            }
        }
        p { (paper.say(compare)) }
        form method="post" action=(base(page.grant)) {
            input type="hidden" name="csrf_token" value=(page.csrf_token.expose());
            button type="submit" name="continue" value="1" { (paper.say("page-confirm-continue")) }
            button.plain type="submit" name="not_me" value="1" {
                (paper.say("page-confirm-not-me"))
            }
        }
        script nonce=(paper.nonce) { (PreEscaped(GUARD)) }
    };
    drawing(paper.say("page-confirm-title"), body)
}

fn go(page: &GoPage, paper: &PageContext<'_>) -> RenderedPage {
    let body = html! {
        p { (paper.say("page-go-text")) }
        a.button href=(page.target.expose()) rel="noreferrer" { (paper.say("page-go-open")) }
        p.small { (paper.say("page-go-share")) }
        (follow(page.grant, "minted", paper))
        // Where scripts are off: the hand-over to the app would cancel a refresh of the page
        // itself.
        noscript {
            iframe src=(format!("{}/status", base(page.grant)))
                title=(paper.say("page-frame-title")) {}
        }
    };
    drawing(paper.say("page-go-title"), body)
}

/// Nothing is handed over from this page, so a refresh of it is not cancelled.
fn finishing(grant: GrantId, shown: &str, paper: &PageContext<'_>) -> RenderedPage {
    let body = html! {
        p role="status" { span.wait aria-hidden="true" {} (paper.say("page-finishing-text")) }
        (follow(grant, shown, paper))
    };
    RenderedPage { asks_again: true, ..drawing(paper.say("page-finishing-title"), body) }
}

fn signed_in(email: &str, memory: bool, paper: &PageContext<'_>) -> RenderedPage {
    drawing(paper.say("page-signed-in-title"), said_signed_in(email, memory, paper))
}

fn said_signed_in(email: &str, memory: bool, paper: &PageContext<'_>) -> Markup {
    let id = if memory { "page-signed-in-memory" } else { "page-signed-in-text" };
    html! { p role="status" { (paper.words.text(id, &[("email", email)])) } }
}

/// Keeps the page truthful with a script.
fn follow(grant: GrantId, shown: &str, paper: &PageContext<'_>) -> Markup {
    html! {
        p.small #late hidden { (paper.say("page-late")) }
        script nonce=(paper.nonce) data-base=(base(grant)) data-shown=(shown) {
            (PreEscaped(FOLLOW))
        }
    }
}

fn frame(page: &FramePage, paper: &PageContext<'_>) -> RenderedPage {
    let body = html! {
        @match &page.status {
            FrameStatus::Underway => {
                p { (paper.say("page-finishing-text")) }
                @if page.asked >= 5 { p.small { (paper.say("page-late")) } }
            }
            FrameStatus::GoOn => {
                p {
                    a.button href=(base(page.grant)) target="_top" {
                        (paper.say("page-frame-continue"))
                    }
                }
            }
            FrameStatus::SignedIn { email, memory } => (said_signed_in(email, *memory, paper))
        }
    };
    RenderedPage { frame: true, ..drawing(paper.say("page-frame-title"), body) }
}

fn base(grant: GrantId) -> String {
    format!("/handoff/{grant}")
}
