//! The command line as it is typed. Checks its shape alone: it reads no
//! keychain, sends no request and decides nothing.

mod sessions;

use std::ffi::OsString;

use clap::{Args, Parser, Subcommand, ValueEnum};
use keyport_core::{HintError, HintName, Hints, SessionStore};
use url::Url;

pub use sessions::{DeviceSessions, DeviceSessionsCommand, SignOut};

const CODES: &str = "\
Exit codes: 0 done · 2 usage · 3 refused or cancelled · 4 no session · 5 unreachable · \
6 keychain · 7 timed out · 70 internal.
With --json each line of standard output is one object with an `event` field; words for people are \
left out.";

/// Sign in with your company's single sign-on, from a terminal.
#[derive(Debug, Parser)]
#[command(name = "keyport", version, after_help = CODES)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// One thing to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in: opens your browser and waits until it comes back
    SignIn(SignIn),
    /// Say who is signed in and where the session is kept, as far as this device knows
    Status(SessionArguments),
    /// Print an access token, renewed if it is due
    ///
    /// The token is bound to the key of this device (DPoP, RFC 9449): a service that takes it also
    /// wants a proof. With --dpop both headers are printed, made for one method and URL.
    Token(Token),
    /// Sign out: forget the session here and end it at the service
    ///
    /// With several accounts, say which: --account or --all.
    SignOut(SignOut),
    /// List where you are signed in, or end one of these sessions
    Sessions(DeviceSessions),
    /// Sign in for one command: the session stays in memory and is ended afterwards
    ///
    /// The command finds KEYPORT_ACCOUNT, KEYPORT_ACCOUNT_EMAIL, KEYPORT_ACCOUNT_NAME,
    /// KEYPORT_ISSUER and, if there is one, KEYPORT_ORGANIZATION and KEYPORT_ORGANIZATION_NAME in
    /// its environment, and KEYPORT_ACCESS_TOKEN, KEYPORT_ACCESS_TOKEN_TYPE and
    /// KEYPORT_ACCESS_TOKEN_EXPIRES_AT.
    ///
    /// The token says who signed in and lives for at most five minutes. It is bound to a key that
    /// only this process has (DPoP, RFC 9449), and no service can be registered for plain bearer
    /// tokens yet, so no API that checks the binding accepts it from the command. To call an API,
    /// sign in and use `keyport token --dpop METHOD URL`.
    ///
    /// The exit code is the command's own, and so is standard output: with --json the events go to
    /// standard error. A command that is not there ends with 127, and one that cannot be started
    /// with 126, before a sign-in begins. Signals for this process are passed on to the command.
    Run(Run),
    /// For developers: hand a sign-in link to the app as a browser would
    #[command(subcommand)]
    Link(Link),
}

/// Whether a program reads the answer.
#[derive(Clone, Copy, Debug, Args)]
pub struct Json {
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// The session that is meant.
#[derive(Clone, Debug, Args)]
pub struct SessionArguments {
    /// The sign-in service that it is with, instead of the one that is set up
    #[arg(long, value_name = "URL")]
    pub companion: Option<String>,
    /// Whether a program reads the answer.
    #[command(flatten)]
    pub json: Json,
}

/// Through which receiver of the company; at most one of these.
#[derive(Clone, Debug, Default, Args)]
#[group(multiple = false)]
pub struct SelectorOptions {
    /// Your work email: finds your company's sign-in page by its domain
    #[arg(long, value_name = "EMAIL", value_parser = hint(HintName::Email))]
    email: Option<String>,
    /// An organization (org_…)
    #[arg(long, value_name = "ORGANIZATION", value_parser = hint(HintName::Organization))]
    organization: Option<String>,
    /// A connection (conn_…)
    #[arg(long, value_name = "CONNECTION", value_parser = hint(HintName::Connection))]
    connection: Option<String>,
    /// A provider, for example GoogleOAuth
    #[arg(long, value_name = "PROVIDER", value_parser = hint(HintName::Provider))]
    provider: Option<String>,
}

/// What every command that signs in understands.
#[derive(Clone, Debug, Args)]
pub struct SignInOptions {
    /// The sign-in service of your company, instead of the one that is set up
    #[arg(long, value_name = "URL")]
    pub companion: Option<String>,
    /// SelectorOptions wants in.
    #[command(flatten)]
    pub who: SelectorOptions,
    /// Print the link instead of opening a browser. It works in any browser on this machine
    #[arg(long)]
    pub no_browser: bool,
    /// Whether a program reads the answer.
    #[command(flatten)]
    pub json: Json,
}

/// `keyport sign-in`.
#[derive(Debug, Args)]
pub struct SignIn {
    /// How to sign in.
    #[command(flatten)]
    pub way: SignInOptions,
    /// Where to keep the session. In memory it ends with this command
    #[arg(long, value_enum, default_value_t = Keep::Keychain)]
    pub store: Keep,
}

/// `keyport token`.
#[derive(Debug, Args)]
pub struct Token {
    /// Whose.
    #[command(flatten)]
    pub session: SessionArguments,
    /// The account to use, by its id or its email, instead of the current one
    #[arg(long, value_name = "ID-or-EMAIL")]
    pub account: Option<String>,
    /// Also make a proof for one request, and print both headers
    #[arg(long, num_args = 2, value_names = ["METHOD", "URL"])]
    dpop: Option<Vec<String>>,
}

impl Token {
    /// The request that the proof is for.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn request(&self) -> Result<Option<(&str, Url)>, String> {
        let Some([method, url]) = self.dpop.as_deref() else {
            return Ok(None);
        };
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(format!("{method:?} is not a method: GET, POST …"));
        }
        match Url::parse(url) {
            Ok(url) if matches!(url.scheme(), "https" | "http") => Ok(Some((method, url))),
            Ok(_) | Err(_) => Err(format!("{url:?} is not an http or https URL")),
        }
    }
}

/// `keyport run`.
#[derive(Debug, Args)]
pub struct Run {
    /// How to sign in.
    #[command(flatten)]
    pub way: SignInOptions,
    /// The command and its arguments, after --
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// `keyport link`.
#[derive(Debug, Subcommand)]
pub enum Link {
    /// Hand the link to the program that is registered for it
    Send(Handed),
    /// Hand the same link over twice, one after the other. The second must change nothing
    Replay(Handed),
}

/// The link to hand over.
#[derive(Debug, Args)]
pub struct Handed {
    /// The link, such as dev.keyport.desktop:/callback?… (development: dev.keyport.desktop.dev:…)
    #[arg(value_name = "URL", value_parser = link)]
    pub url: String,
}

/// Where the session is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Keep {
    /// In the system's keychain
    Keychain,
    /// In memory alone
    Memory,
}

impl SessionArguments {
    /// `--companion URL` if it was given, for a line that a person may type; with a space in front.
    pub fn flags(&self) -> String {
        flag("companion", self.companion.as_deref())
    }
}

impl SignInOptions {
    /// The flags of this sign-in for a line that a person may type, each with a space in front.
    pub fn flags(&self) -> String {
        let SelectorOptions { email, organization, connection, provider } = &self.who;
        let mut flags = flag("companion", self.companion.as_deref());
        for (name, value) in [
            ("email", email),
            ("organization", organization),
            ("connection", connection),
            ("provider", provider),
        ] {
            flags += &flag(name, value.as_deref());
        }
        if self.no_browser { flags + " --no-browser" } else { flags }
    }
}

/// Quoted where a shell would read more in it than the text.
fn flag(name: &str, value: Option<&str>) -> String {
    let Some(value) = value else { return String::new() };
    let is_plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"@%+=:,./_-".contains(&b));
    if is_plain {
        format!(" --{name} {value}")
    } else {
        format!(" --{name} '{}'", value.replace('\'', r"'\''"))
    }
}

impl From<Keep> for SessionStore {
    fn from(keep: Keep) -> Self {
        match keep {
            Keep::Keychain => Self::Keychain,
            Keep::Memory => Self::Memory,
        }
    }
}

impl From<SelectorOptions> for Hints {
    fn from(who: SelectorOptions) -> Self {
        Self {
            email: who.email,
            organization: who.organization,
            connection: who.connection,
            provider: who.provider,
        }
    }
}

fn hint(name: HintName) -> impl Fn(&str) -> Result<String, HintError> + Clone + Send + Sync {
    move |text| name.check(text).map(|()| text.to_owned())
}

/// Only our own schemes: this is a tool to test the app with, not a general opener.
fn link(text: &str) -> Result<String, String> {
    if crate::link::is_ours(text) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "a link of Keyport begins with {} and has no spaces or control characters",
            crate::link::BEGINNINGS.join(" or ")
        ))
    }
}

#[cfg(test)]
mod tests;
