//! `keyport status`, `token` and `sign-out`: the session that is there already. Nothing here starts
//! a sign-in or opens a browser.

use std::sync::Arc;

use keyport_client::session::{Access, Sessions, SignedOut};
use keyport_core::{Account, Problem, SessionStore};
use url::Url;

use crate::accounts::{self, AccountError};
use crate::arguments::{SessionArguments, SignOut, Token};
use crate::browser::Announcing;
use crate::event::OutputEvent;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings;

/// SelectorOptions is signed in. Asks the keychain alone, so that it answers without a network.
pub async fn status(session: &SessionArguments, output: &Output) -> Exit {
    on_accounts(session, Asked::Keychain, output, async |_, accounts| {
        output.accounts(&accounts);
        Ok(())
    })
    .await
}

/// An access token, with a proof if a request is named.
pub async fn token(token: &Token, output: &Output) -> Exit {
    let request = match token.request() {
        Ok(request) => request,
        Err(what) => return output.usage(&what),
    };
    on_accounts(&token.session, Asked::Companion, output, async |sessions, accounts| {
        let account = match &token.account {
            Some(wanted) => accounts::chosen(&accounts, wanted, output)?,
            None => &accounts[0],
        };
        Ok(print_token(&sessions, account, request, output).await?)
    })
    .await
}

/// Ends sessions, here first: the one that is named, the only one, or all of them. With several and
/// none named it ends none.
pub async fn sign_out(wanted: &SignOut, output: &Output) -> Exit {
    on_accounts(&wanted.session, Asked::Companion, output, async |sessions, accounts| {
        let (ending, staying): (Vec<Account>, Vec<Account>) = match &wanted.account {
            Some(account) => {
                let id = accounts::chosen(&accounts, account, output)?.id.clone();
                accounts.into_iter().partition(|account| account.id == id)
            }
            None if wanted.all || accounts.len() == 1 => (accounts, Vec::new()),
            None => {
                let exit = output.usage(&output.text("cli-which-account", &[]));
                accounts::list(&accounts, output);
                return Err(AccountError::Said(exit));
            }
        };
        let mut failed = None;
        for account in &ending {
            let ended = match wanted.everywhere {
                true => end_everywhere(&sessions, account, output).await,
                false => end(&sessions, account, output).await,
            };
            if let Err(problem) = ended {
                if ending.len() > 1 {
                    output.say("cli-not-signed-out", &[("who", &output.named(account))]);
                }
                failed = failed.or(Some(problem));
            }
        }
        for account in &staying {
            let who = accounts::distinguished(account, &staying, output);
            output.say("cli-still-signed-in", &[("who", &who)]);
        }
        failed.map_or(Ok(()), |problem| Err(problem.into()))
    })
    .await
}

/// Whether anything but the keychain is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The keychain alone.
    Keychain,
    /// The companion too, which is then told what it could not be told before.
    Companion,
}

async fn end_everywhere(
    sessions: &Sessions,
    account: &Account,
    output: &Output,
) -> Result<(), Problem> {
    let who = output.named(account);
    if let Err(problem) = sessions.sign_out_everywhere(&account.id).await {
        if !problem.ends_session() {
            output.say("cli-not-signed-out-everywhere", &[("who", &who)]);
        }
        return Err(problem);
    }
    signed_out_event(account, true, output);
    output.say("cli-signed-out-everywhere", &[("who", &who)]);
    Ok(())
}

fn signed_out_event(account: &Account, revoked: bool, output: &Output) {
    let (id, email) = (Some(&*account.id.0), account.email.as_deref());
    output.event(&OutputEvent::SignedOut { revoked: Some(revoked), account: id, email });
}

/// Ends the session of this device, and says so.
pub async fn end(sessions: &Sessions, account: &Account, output: &Output) -> Result<(), Problem> {
    let signed_out = sessions.sign_out(&account.id).await?;
    let revoked = signed_out == SignedOut::Everywhere;
    signed_out_event(account, revoked, output);
    let words = if revoked { "cli-signed-out" } else { "cli-signed-out-here" };
    output.say(words, &[("who", &output.named(account))]);
    Ok(())
}

/// Does the work with every account that is signed in, the current one first; at least one.
pub async fn on_accounts(
    session: &SessionArguments,
    asked: Asked,
    output: &Output,
    work: impl AsyncFnOnce(Sessions, Vec<Account>) -> Result<(), AccountError>,
) -> Exit {
    let config = match settings::config(session.companion.as_deref()) {
        Ok(config) => config,
        Err(error) => return output.usage_of(&error),
    };
    let done = async {
        let browser = Arc::new(Announcing::new(output.clone(), true));
        let platform = settings::platform(browser, SessionStore::Keychain)?;
        let sessions = Sessions::open(&config, &platform);
        if asked == Asked::Companion {
            sessions.end_left_sessions().await;
        }
        let accounts = accounts::known(&sessions).await?;
        work(sessions, accounts).await
    };
    match done.await {
        Ok(()) => Exit::Done,
        Err(AccountError::Problem(problem)) => {
            output.problem(problem, None);
            output.keychain_way_out(problem, &session.flags());
            problem.into()
        }
        Err(AccountError::Said(exit)) => exit,
        Err(AccountError::NoneSignedIn) => {
            output.event(&OutputEvent::SignedOut { revoked: None, account: None, email: None });
            output.say("cli-no-session", &[("flags", &session.flags())]);
            Exit::NoSession
        }
    }
}

async fn print_token(
    sessions: &Sessions,
    account: &Account,
    request: Option<(&str, Url)>,
    output: &Output,
) -> Result<(), Problem> {
    let Some((method, url)) = request else {
        let access = sessions.access_token(&account.id).await?;
        output.event(&token_event(&access, None));
        output.result(access.token.expose());
        return Ok(());
    };
    let proven = sessions.proof(&account.id, method, &url).await?;
    let (token, proof) = (proven.access.token.expose(), proven.proof.expose());
    output.event(&token_event(&proven.access, Some(proof)));
    output.result(&format!("Authorization: DPoP {token}\nDPoP: {proof}"));
    Ok(())
}

fn token_event<'a>(access: &'a Access, dpop: Option<&'a str>) -> OutputEvent<'a> {
    OutputEvent::Token {
        access_token: access.token.expose(),
        token_type: "DPoP",
        expires_at: access.deadline.0 / 1000,
        dpop,
    }
}
