//! The one layout: a column 320 wide, a mark, a title, text. Same tokens as the app's window.

use keyport_messages::Messages;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::rendered::PageContext;
use super::{Page, draw};

/// The colours are the window's.
const STYLE: &str = concat!(include_str!("../../../../ui/tokens.css"), include_str!("style.css"));

/// The whole document.
pub fn document(page: &Page, context: &PageContext<'_>) -> String {
    let drawing = draw::draw(page, context);
    let tab = context.words.text("page-title", &[("state", &drawing.title)]);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (tab) }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                @if drawing.asks_again { noscript { meta http-equiv="refresh" content="2"; } }
                style nonce=(context.nonce) { (PreEscaped(STYLE)) }
            }
            body class=[drawing.frame.then_some("frame")] {
                main {
                    @if !drawing.frame {
                        (mark(drawing.problem, context.words))
                        h1 { (drawing.title) }
                    }
                    (drawing.body)
                }
            }
        }
    }
    .into_string()
}

const GATE: &str = "M16 51V30a16 16 0 0 1 32 0v21a2 2 0 0 1-2 2H18a2 2 0 0 1-2-2Z";
const KEYHOLE: &str = "M32 23.5a6.5 6.5 0 0 1 3.4 12l2.1 8.7a1.4 1.4 0 0 1-1.4 1.8h-8.2a1.4 1.4 0 \
                       0 1-1.4-1.8l2.1-8.7a6.5 6.5 0 0 1 3.4-12Z";

/// The window's own mark, a keyhole in a gate; for a problem a sign that is a shape and a word, not
/// a colour alone.
fn mark(problem: bool, words: &Messages) -> Markup {
    if problem {
        let label = words.text("page-warning", &[]);
        return html! {
            svg.mark.problem viewBox="0 0 48 48" role="img" aria-label=(label) {
                path fill="none" stroke="currentColor" stroke-width="3" stroke-linejoin="round"
                    d="M24 7 43 40H5Z" {}
                path fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round"
                    d="M24 19v9M24 34v.1" {}
            }
        };
    }
    html! {
        svg.mark viewBox="0 0 64 64" role="img" aria-label=(words.text("page-product", &[])) {
            rect width="64" height="64" rx="16" fill="currentColor" {}
            path fill="var(--on-accent)" d=(GATE) {}
            path fill="currentColor" d=(KEYHOLE) {}
        }
    }
}
