//! `keyport sign-in`, and the sign-in of `keyport run`: starts the client, says what happens, ends
//! when it does or when the person presses Ctrl-C. What happens next in a sign-in is the core's to
//! decide.

use std::sync::Arc;

use keyport_client::{Client, ClientNotice, Intent, Sessions, SignInRequest};
use keyport_core::{Account, Problem, SessionStore, Stored};
use keyport_shutdown::Shutdown;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::arguments::{SignIn, SignInOptions};
use crate::browser::Announcing;
use crate::event::OutputEvent;
use crate::exit::Exit;
use crate::output::Output;
use crate::progress::{ProgressReader, ProgressStep};
use crate::settings;

/// A sign-in that worked out.
pub struct Signed {
    /// SelectorOptions.
    pub account: Account,
    /// Where the session is kept.
    pub stored: Stored,
    /// Why the keychain did not take it, if it should have.
    not_saved: Option<Problem>,
    /// It, and whatever else this device has.
    pub sessions: Sessions,
    client: Client,
}

/// How it ended.
enum Ending {
    SignedIn {
        account: Box<Account>,
        stored: Stored,
        not_saved: Option<Problem>,
    },
    Problem {
        problem: Problem,
        attempt: Option<String>,
    },
    /// The output cannot be written.
    NotWritten,
}

impl Ending {
    const fn of(problem: Problem) -> Self {
        Self::Problem { problem, attempt: None }
    }
}

/// Signs in and leaves the session where it was asked for.
pub async fn sign_in(wanted: SignIn, output: &Output, shutdown: &Shutdown) -> Exit {
    let (store, flags) = (SessionStore::from(wanted.store), wanted.way.flags());
    let signed = match begin(wanted.way, store, output, shutdown).await {
        Ok(signed) => signed,
        Err(exit) => return exit,
    };
    if signed.stored == Stored::Memory && store == SessionStore::Keychain {
        return not_saved(signed, output, &flags).await;
    }
    output.signed_in(&signed.account, signed.stored);
    signed.end().await;
    Exit::Done
}

/// Signs in. The browser, the words and Ctrl-C are those of a terminal.
///
/// # Errors
/// The exit code; what went wrong has been said.
pub async fn begin(
    way: SignInOptions,
    store: SessionStore,
    output: &Output,
    shutdown: &Shutdown,
) -> Result<Signed, Exit> {
    let config =
        settings::config(way.companion.as_deref()).map_err(|error| output.usage_of(&error))?;
    let flags = way.flags();
    let fail = |problem: Problem, attempt: Option<&str>| {
        output.problem(problem, attempt);
        output.keychain_way_out(problem, &flags);
        Exit::from(problem)
    };
    let browser = Arc::new(Announcing::new(output.clone(), way.no_browser));
    let platform = settings::platform(browser, store).map_err(|problem| fail(problem, None))?;
    // A deep link belongs to the app alone: its waiting attempt is neither taken up nor given up
    // here.
    let client = Client::start_without_links(config, platform);
    let notices = client.notices();
    let hints = way.who.into();
    client.intend(Intent::SignInWith(SignInRequest { hints, store, ..SignInRequest::default() }));
    match follow(&client, notices, shutdown, output).await {
        Ending::SignedIn { account, stored, not_saved } => {
            let sessions = client.sessions().clone();
            Ok(Signed { account: *account, stored, not_saved, sessions, client })
        }
        Ending::Problem { problem, attempt } => {
            // What others wait for is finished first: the page says that it was cancelled, or why
            // it failed.
            client.shut_down().await;
            Err(fail(problem, attempt.as_deref()))
        }
        Ending::NotWritten => {
            client.shut_down().await;
            Err(Exit::Internal)
        }
    }
}

impl Signed {
    /// Tells the page the truth and ends the client. A session in memory ends with it, here and at
    /// the service: its key is lost with this process, and without the key it
    /// cannot be used.
    pub async fn end(self) {
        self.client.shut_down().await;
        if self.stored == Stored::Memory {
            // Offline it is over all the same; there is nothing left here that could be tried
            // again.
            let _ = self.sessions.sign_out(&self.account.id).await;
        }
    }
}

/// The keychain answered before the browser opened, and did not take the session afterwards.
async fn not_saved(signed: Signed, output: &Output, flags: &str) -> Exit {
    let why = signed.not_saved.unwrap_or(Problem::KeychainRefused);
    signed.end().await;
    output.say("cli-not-saved", &[]);
    output.problem(why, None);
    output.keychain_way_out(why, flags);
    why.into()
}

async fn follow(
    client: &Client,
    mut notices: Receiver<ClientNotice>,
    shutdown: &Shutdown,
    output: &Output,
) -> Ending {
    let mut views = client.views();
    let mut progress = ProgressReader::default();
    let mut cancelling = false;
    loop {
        if output.has_failed() && !std::mem::replace(&mut cancelling, true) {
            client.intend(Intent::Cancel);
        }
        tokio::select! {
            // What a view shows as done has been noticed before.
            biased;
            notice = notices.recv() => match notice {
                Ok(notice) => if let Some(ending) = heed(notice, output) {
                    return ending;
                },
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ending::of(Problem::Internal),
            },
            changed = views.changed() => {
                if changed.is_err() {
                    return Ending::of(Problem::Internal);
                }
                let screen = views.borrow_and_update().screen.clone();
                if cancelling && screen.is_at_rest() {
                    let unread = output.has_failed();
                    return if unread { Ending::NotWritten } else { Ending::of(Problem::Cancelled) };
                }
                match progress.hear(&screen) {
                    Some(ProgressStep::NoLink) => {
                        client.intend(Intent::Cancel);
                        return Ending::of(Problem::UnexpectedAnswer);
                    }
                    Some(said) => say(said, output),
                    None => {}
                }
            }
            _ = shutdown.requested(), if !cancelling => {
                cancelling = true;
                output.say("cli-cancelling", &[]);
                client.intend(Intent::Cancel);
            }
        }
    }
}

/// A problem without an attempt is not of this sign-in: an older session that is over, an item that
/// could not be read.
fn heed(notice: ClientNotice, output: &Output) -> Option<Ending> {
    match notice {
        ClientNotice::SignedIn { account, stored, not_saved } => {
            Some(Ending::SignedIn { account, stored, not_saved })
        }
        ClientNotice::Problem { problem, attempt: attempt @ Some(_) } => {
            Some(Ending::Problem { problem, attempt })
        }
        ClientNotice::Confirm(number) => {
            output.event(&OutputEvent::Confirm { number: &number });
            output.say("cli-confirm", &[("number", &number)]);
            output.say("cli-confirm-hint", &[]);
            None
        }
        // The link comes by way of the browser, which has checked it.
        ClientNotice::AuthorizationUrl(_)
        | ClientNotice::Raise
        | ClientNotice::Problem { attempt: None, .. } => None,
    }
}

fn say(said: ProgressStep, output: &Output) {
    match said {
        ProgressStep::Waiting { minutes } => {
            output.say("cli-waiting", &[("minutes", &minutes.to_string())]);
        }
        ProgressStep::Returning => output.say("cli-returning", &[]),
        ProgressStep::Finishing => output.say("cli-finishing", &[]),
        ProgressStep::NoLink => {}
    }
}
