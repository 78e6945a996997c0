//! The browser as a terminal has it: opening one is best effort, and the link is shown whatever
//! came of it. A program that claims to have opened a page, or no display at all, then costs a copy
//! and paste and no sign-in.

use keyport_client::browser::{Browser, Desktop, Opening, PermittedUrl, SystemBrowser};

use crate::event::OutputEvent;
use crate::output::Output;

/// Prints the link, and opens the system's browser unless the person wants to do that.
pub struct Announcing {
    output: Output,
    system: Option<SystemBrowser>,
}

impl Announcing {
    /// With `no_browser` the link is printed and nothing is opened.
    pub fn new(output: Output, no_browser: bool) -> Self {
        let system = (!no_browser).then(|| SystemBrowser::on(Desktop::of_environment()));
        Self { output, system }
    }

    async fn announce(&self, url: &PermittedUrl) {
        self.output.event(&OutputEvent::AuthorizationUrl { url: url.expose() });
        // Elsewhere the short link could lead to another machine, or be read by a program.
        let short = url.short_link().filter(|_| self.output.is_local_terminal());
        let link = short.unwrap_or(url.expose());
        let Some(browser) = &self.system else {
            self.output.say("cli-open-yourself", &[]);
            return self.output.link(link);
        };
        // Before it is opened: a browser may take its time, and the sign-in be over by then.
        self.output.say("cli-opening", &[]);
        self.output.say("cli-opening-otherwise", &[]);
        self.output.link(link);
        if browser.open(url).await.is_err() {
            self.output.say("cli-browser-failed", &[]);
            self.output.link(link);
        }
    }
}

impl Browser for Announcing {
    fn open<'a>(&'a self, url: &'a PermittedUrl) -> Opening<'a> {
        Box::pin(async move {
            self.announce(url).await;
            Ok(())
        })
    }
}
