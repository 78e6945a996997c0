//! What drawing a page needs and gives.

use keyport_messages::Messages;
use maud::Markup;

/// What a drawing needs beside the page.
pub struct PageContext<'a> {
    /// Sentences.
    pub words: &'a Messages,
    /// For the content security policy: this page's own style and script.
    pub nonce: &'a str,
    /// To name to IT.
    pub request_id: &'a str,
}

/// Title and body of a drawing.
pub(super) struct RenderedPage {
    pub title: String,
    pub problem: bool,
    pub frame: bool,
    /// Where scripts are off, the page asks for itself again.
    pub asks_again: bool,
    pub body: Markup,
}
