//! Where words and events go: words for people to standard error, results and events to standard
//! output. It decides nothing.
//!
//! What came from elsewhere (a name, an address) is written without control characters: a terminal
//! obeys them. A result that cannot be written is remembered, and the process ends with a failure.

use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::sync::{Arc, OnceLock};

use keyport_core::{Account, Organization, Problem, Stored};
use keyport_messages::Messages;

use crate::accounts::distinguished;
use crate::event::{OutputEvent, SignedIn};
use crate::exit::Exit;
use crate::plain::plain;

/// The two ways out of this process. Clones are the same.
#[derive(Clone, Debug)]
pub struct Output {
    for_program: bool,
    /// Standard output belongs to another program: results go to standard error.
    beside: bool,
    words: Messages,
    /// Why a result could not be written.
    failure: Arc<OnceLock<String>>,
}

impl Output {
    /// Words on standard error, results on standard output.
    pub fn for_people() -> Self {
        let (words, failure) = (Messages::english(), Arc::default());
        Self { for_program: false, beside: false, words, failure }
    }

    /// One object a line on standard output if `json`, else [`Output::for_people`].
    pub fn new(json: bool) -> Self {
        Self { for_program: json, ..Self::for_people() }
    }

    /// As [`Output::new`], with nothing on standard output.
    pub fn beside(json: bool) -> Self {
        Self { beside: true, ..Self::new(json) }
    }

    /// Whether a program reads, and not a person.
    pub fn is_for_program(&self) -> bool {
        self.for_program
    }

    /// Whether a person reads the words on a screen of this machine: not a file, a pipe or a
    /// program, and not over SSH, where 127.0.0.1 is another machine than the browser's.
    pub fn is_local_terminal(&self) -> bool {
        let remote = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        !self.for_program && !remote && io::stderr().is_terminal()
    }

    /// Whether a result could not be written. A reader that went away (`keyport status | head -0`)
    /// does not count: it has what it wanted.
    pub fn has_failed(&self) -> bool {
        self.failure.get().is_some()
    }

    /// How the process ends: a result that could not be written is a failure, and is said.
    pub fn end(&self, code: u8) -> u8 {
        let Some(why) = self.failure.get() else { return code };
        on_standard_error(&self.text("cli-not-written", &[("why", why)]));
        Exit::Internal.code()
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
    pub fn event(&self, event: &OutputEvent<'_>) {
        if self.for_program {
            self.put_out(&event.line());
        }
    }

    fn put_out(&self, line: &str) {
        if self.beside {
            on_standard_error(line);
        } else {
            let mut out = io::stdout().lock();
            self.heed(&writeln!(out, "{line}").and_then(|()| out.flush()));
        }
    }

    /// Remembers what standard output answered.
    pub fn heed(&self, written: &io::Result<()>) {
        if let Err(error) = written
            && error.kind() != ErrorKind::BrokenPipe
        {
            let _ = self.failure.set(error.to_string());
        }
    }

    /// What cannot be meant so, in the manner of the command-line reader; a program reads the exit
    /// code.
    pub fn usage(&self, what: &str) -> Exit {
        on_standard_error(&format!("error: {}", plain(what)));
        Exit::Usage
    }

    /// As [`Output::usage`], with every reason that lies under it.
    pub fn usage_of(&self, error: &dyn std::error::Error) -> Exit {
        let mut said = format!("error: {}", plain(&error.to_string()));
        let mut cause = error.source();
        while let Some(reason) = cause {
            said = format!("{said}: {}", plain(&reason.to_string()));
            cause = reason.source();
        }
        on_standard_error(&said);
        Exit::Usage
    }

    /// A line below [`Output::usage`], such as one of the things to choose from.
    pub fn usage_detail(&self, line: &str) {
        on_standard_error(&format!("  {line}"));
    }

    /// A problem that has a sentence of its own for the person; a program gets its code.
    pub fn problem_in_words(&self, problem: Problem, id: &str, args: &[(&str, &str)]) {
        self.event(&OutputEvent::Problem { code: problem.code(), attempt: None });
        self.say(id, args);
    }

    /// What went wrong, for either.
    pub fn problem(&self, problem: Problem, attempt: Option<&str>) {
        let code = problem.code();
        self.event(&OutputEvent::Problem { code, attempt });
        if self.for_program {
            return;
        }
        let words = self.words.problem(problem);
        on_standard_error(&format!("{}\n{} {}", words.title, words.text, words.next));
        match attempt {
            Some(attempt) => {
                self.say("cli-problem-attempt", &[("code", code), ("attempt", attempt)]);
            }
            None => self.say("cli-problem", &[("code", code)]),
        }
    }

    /// What to do where the keychain does not serve; `flags` are those of the line that was typed.
    pub fn keychain_way_out(&self, problem: Problem, flags: &str) {
        if problem.is_of_keychain() {
            self.say("cli-keychain-way-out", &[("flags", flags)]);
        }
    }

    /// An account is signed in, for either.
    pub fn signed_in(&self, account: &Account, stored: Stored) {
        self.event(&OutputEvent::SignedIn(SignedIn::of(account, stored)));
        self.result(&self.who(account));
        let place = match stored {
            Stored::Keychain => "cli-stored-keychain",
            Stored::Memory => "cli-stored-memory",
        };
        self.say(place, &[]);
    }

    /// Every account of the keychain, the current one first, for either.
    pub fn accounts(&self, accounts: &[Account]) {
        if let Some(event) = SignedIn::list_of(accounts, Stored::Keychain) {
            self.event(&OutputEvent::SignedIn(event));
        }
        for (place, account) in accounts.iter().enumerate() {
            let words = if place == 0 { "cli-signed-in" } else { "cli-signed-in-too" };
            let who = distinguished(account, accounts, self);
            self.result(&self.words.text(words, &[("who", &who)]));
        }
        self.say("cli-stored-keychain", &[]);
    }

    /// `Signed in as Ada Lovelace (ada@acme.test), Acme`, or as much of it as is known.
    pub fn who(&self, account: &Account) -> String {
        self.words.text("cli-signed-in", &[("who", &self.named(account))])
    }

    /// `Ada Lovelace (ada@acme.test), Acme`, or as much of it as is known.
    pub fn named(&self, account: &Account) -> String {
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
                self.words.text("cli-who-organization", &arguments)
            }
            _ => who,
        }
    }
}

fn on_standard_error(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

#[cfg(test)]
pub mod tests {
    use keyport_core::{AccountId, Connection, Moment};

    use super::*;

    pub fn account(name: Option<&str>, organization: Option<&str>) -> Account {
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
    }

    #[test]
    fn a_failed_write_is_a_failed_command_and_a_reader_that_left_is_not() {
        let output = Output::for_people();
        output.heed(&Err(ErrorKind::BrokenPipe.into()));
        assert_eq!((output.has_failed(), output.end(0)), (false, 0));
        output.clone().heed(&Err(ErrorKind::StorageFull.into()));
        assert_eq!((output.has_failed(), output.end(0)), (true, Exit::Internal.code()));
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
