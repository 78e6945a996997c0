//! `keyport status`, `token` and `sign-out`: the session that is there already. Nothing here starts a sign-in or opens a browser.

use std::sync::Arc;

use keyport_client::session::{Access, Sessions, SignedOut};
use keyport_core::{Account, Problem, Store, Stored};
use url::Url;

use crate::arguments::{Session, Token};
use crate::browser::Announcing;
use crate::event::Event;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings;

/// Why there is no session to use.
enum Nothing {
    /// Nobody is signed in.
    Nobody,
    /// It cannot be told, or it is over.
    Problem(Problem),
}

impl From<Problem> for Nothing {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Who is signed in. Asks the keychain alone, so that it answers without a network.
pub async fn status(session: &Session, output: &Output) -> Exit {
    on_session(session, output, async |_, account| {
        output.signed_in(&account, Stored::Keychain);
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
    on_session(&token.session, output, async |sessions, account| {
        print_token(&sessions, &account, request, output).await
    })
    .await
}

/// Ends the session, here first.
pub async fn sign_out(session: &Session, output: &Output) -> Exit {
    on_session(session, output, async |sessions, account| {
        let signed_out = sessions.sign_out(&account.id).await?;
        let revoked = signed_out == SignedOut::Everywhere;
        output.event(&Event::SignedOut { revoked: Some(revoked) });
        output.say(if revoked { "cli-signed-out" } else { "cli-signed-out-here" }, &[]);
        Ok(())
    })
    .await
}

async fn on_session(
    session: &Session,
    output: &Output,
    work: impl AsyncFnOnce(Sessions, Account) -> Result<(), Problem>,
) -> Exit {
    let config = match settings::config(session.companion.as_deref()) {
        Ok(config) => config,
        Err(trouble) => return output.usage(&trouble.to_string()),
    };
    let found = async {
        let browser = Arc::new(Announcing::new(output.clone(), true));
        let platform = settings::platform(browser, Store::Keychain)?;
        let sessions = Sessions::open(&config, &platform);
        let account = current(&sessions).await?;
        Ok::<_, Nothing>((sessions, account))
    };
    let done = match found.await {
        Ok((sessions, account)) => work(sessions, account).await.map_err(Nothing::Problem),
        Err(nothing) => Err(nothing),
    };
    match done {
        Ok(()) => Exit::Done,
        Err(Nothing::Problem(problem)) => {
            output.problem(problem, None);
            problem.into()
        }
        Err(Nothing::Nobody) => {
            output.event(&Event::SignedOut { revoked: None });
            output.say("cli-nobody", &[]);
            Exit::NoSession
        }
    }
}

async fn current(sessions: &Sessions) -> Result<Account, Nothing> {
    let vault = sessions.load().await?;
    let current = vault.current.and_then(|id| vault.accounts.iter().position(|a| a.id == id));
    match (vault.accounts.into_iter().nth(current.unwrap_or(0)), vault.trouble) {
        (Some(account), _) => Ok(account),
        (None, Some(trouble)) => Err(trouble.into()),
        (None, None) => Err(Nothing::Nobody),
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

fn token_event<'a>(access: &'a Access, dpop: Option<&'a str>) -> Event<'a> {
    Event::Token {
        access_token: access.token.expose(),
        token_type: "DPoP",
        expires_at: access.deadline.0 / 1000,
        dpop,
    }
}
