//! Where words and events go: words for people to standard error, results and events to standard output. It decides nothing.
//!
//! What came from elsewhere (a name, an address) is written without control characters: a terminal obeys them.

use std::io::Write;

use keyport_core::{Account, Organization, Problem, Stored};
use keyport_words::Words;

use crate::event::{Event, SignedIn};
use crate::exit::Exit;

/// The longest text from elsewhere that is shown whole, in characters.
const LONGEST: usize = 256;

/// The two ways out of this process.
#[derive(Clone, Debug)]
pub struct Output {
    for_program: bool,
    /// Standard output belongs to another program: results go to standard error.
    beside: bool,
    words: Words,
}

impl Output {
    /// Words on standard error, results on standard output.
    pub fn for_people() -> Self {
        Self { for_program: false, beside: false, words: Words::english() }
    }

    /// One object a line on standard output if `json`, else [`Output::for_people`].
    pub fn new(json: bool) -> Self {
        Self { for_program: json, ..Self::for_people() }
    }

    /// As [`Output::new`], with nothing on standard output.
    pub fn beside(json: bool) -> Self {
        Self { beside: true, ..Self::new(json) }
    }

    /// A sentence, as text.
    pub fn text(&self, id: &str, args: &[(&str, &str)]) -> String {
        let args: Vec<(&str, String)> =
            args.iter().map(|(name, value)| (*name, plain(value))).collect();
        let args: Vec<(&str, &str)> =
            args.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.words.text(id, &args)
    }

    /// A sentence for the person; a program is told nothing.
    pub fn say(&self, id: &str, args: &[(&str, &str)]) {
        if !self.for_program {
            on_standard_error(&self.text(id, args));
        }
    }

    /// A link for the person, alone on its line so that it can be copied whole.
    pub fn link(&self, link: &str) {
        if !self.for_program {
            on_standard_error(link);
        }
    }

    /// A line of result for the person.
    pub fn result(&self, line: &str) {
        if !self.for_program {
            self.put_out(line);
        }
    }

    /// An event for a program; a person is told nothing.
    pub fn event(&self, event: &Event<'_>) {
        if self.for_program {
            self.put_out(&event.line());
        }
    }

    fn put_out(&self, line: &str) {
        if self.beside { on_standard_error(line) } else { on_standard_output(line) }
    }

    /// What cannot be meant so, in the manner of the command-line reader; a program reads the exit code.
    pub fn usage(&self, what: &str) -> Exit {
        on_standard_error(&format!("error: {}", plain(what)));
        Exit::Usage
    }

    /// What went wrong, for either.
    pub fn problem(&self, problem: Problem, attempt: Option<&str>) {
        let code = problem.code();
        self.event(&Event::Problem { code, attempt });
        if self.for_program {
            return;
        }
        let words = self.words.problem(problem);
        on_standard_error(&format!("{}\n{} {}", words.title, words.text, words.next));
        if problem.is_of_keychain() {
            self.say("cli-keychain-way-out", &[]);
        }
        match attempt {
            Some(attempt) => {
                self.say("cli-problem-attempt", &[("code", code), ("attempt", attempt)]);
            }
            None => self.say("cli-problem", &[("code", code)]),
        }
    }

    /// Somebody is signed in, for either.
    pub fn signed_in(&self, account: &Account, stored: Stored) {
        self.event(&Event::SignedIn(SignedIn::of(account, stored)));
        self.result(&self.who(account));
        let place = match stored {
            Stored::Keychain => "cli-stored-keychain",
            Stored::Memory => "cli-stored-memory",
        };
        self.say(place, &[]);
    }

    /// `Signed in as Ada Lovelace (ada@acme.test), Acme`, or as much of it as is known.
    pub fn who(&self, account: &Account) -> String {
        let who = match (&account.name, &account.email) {
            (Some(name), Some(email)) => {
                let (name, email) = (plain(name), plain(email));
                self.words.text("cli-name-and-email", &[("name", &name), ("email", &email)])
            }
            _ => plain(account.shown_name()),
        };
        match &account.organization {
            Some(Organization { name: Some(name), .. }) => {
                let arguments = [("who", &*who), ("organization", &*plain(name))];
                self.words.text("cli-signed-in-organization", &arguments)
            }
            _ => self.words.text("cli-signed-in", &[("who", &who)]),
        }
    }
}

/// A reader that went away (`keyport status | head -0`) is no reason to fail.
fn on_standard_output(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn on_standard_error(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Without what a terminal obeys (ECMA-48), what ends a line (Unicode too) or what turns the reading direction (bidi controls), and
/// not so long that what is said beside it scrolls away.
fn plain(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let shown = text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c });
    let mut plain: String = shown.take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        plain.push('…');
    }
    plain
}

#[cfg(test)]
mod tests {
    use keyport_core::{AccountId, Connection, Moment};

    use super::*;

    fn account(name: Option<&str>, organization: Option<&str>) -> Account {
        Account {
            id: AccountId("a1".into()),
            issuer: "https://sign-in.acme.test".into(),
            subject: "user_1".into(),
            email: Some("ada@acme.test".into()),
            name: name.map(str::to_owned),
            organization: organization
                .map(|name| Organization { id: "org_1".into(), name: Some(name.into()) }),
            connection: Some(Connection { id: "conn_1".into(), kind: "OktaSAML".into() }),
            signed_in_at: Moment(0),
        }
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let output = Output::for_people();
        let name = "Ada\u{1b}]0;pwned\u{7}\u{202e}ecalevoL";
        let said = output.who(&account(Some(name), Some("Ac\nme")));
        assert!(!said.chars().any(|c| c.is_control() || c == '\u{202e}'), "{said:?}");
        assert!(said.contains("ada@acme.test"));
    }

    #[test]
    fn a_name_cannot_push_the_rest_off_the_screen() {
        let said = Output::for_people().who(&account(Some(&"a".repeat(60_000)), Some("Acme")));
        assert!(said.len() < 400 && said.ends_with("a… (ada@acme.test), Acme"), "{said}");
        assert_eq!(plain("a\u{61c}b\u{2028}c"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(plain(&"é".repeat(LONGEST)), "é".repeat(LONGEST));
    }

    #[test]
    fn who_is_signed_in_is_said_with_what_is_known() {
        let output = Output::for_people();
        let whole = output.who(&account(Some("Ada Lovelace"), Some("Acme")));
        assert_eq!(whole, "Signed in as Ada Lovelace (ada@acme.test), Acme");
        assert_eq!(output.who(&account(None, None)), "Signed in as ada@acme.test");
        let mut bare = account(None, Some("Acme"));
        assert_eq!(output.who(&bare), "Signed in as ada@acme.test, Acme");
        bare.email = None;
        assert_eq!(output.who(&bare), "Signed in as user_1, Acme");
        bare.organization = Some(Organization { id: "org_1".into(), name: None });
        assert_eq!(output.who(&bare), "Signed in as user_1");
    }
}
