//! The browser as a terminal has it: opening one is best effort, and the link is shown whatever
//! came of it. A program that claims to have opened a page, or no display at all, then costs a copy
//! and paste and no sign-in.

use keyport_client::browser::{Browser, Desktop, Opening, PermittedUrl, SystemBrowser};

use crate::event::Event;
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
        self.output.event(&Event::AuthorizationUrl { url: url.expose() });
        let opened = match &self.system {
            None => Err("cli-open-yourself"),
            Some(browser) => browser.open(url).await.map_err(|_| "cli-browser-failed"),
        };
        match opened {
            Ok(()) => {
                self.output.say("cli-opening", &[]);
                self.output.say("cli-opening-otherwise", &[]);
            }
            Err(why) => self.output.say(why, &[]),
        }
        // Elsewhere the short link could lead to another machine, or be read by a program.
        let short = url.short_link().filter(|_| self.output.is_local_terminal());
        self.output.link(short.unwrap_or(url.expose()));
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
