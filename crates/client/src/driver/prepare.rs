//! Makes an attempt ready for the browser: the keychain answers, the receivers are open, and only
//! then one request a receiver is pushed (RFC 9126). What goes wrong here is found before the
//! person sees a browser.

use std::sync::Arc;

use keyport_core::{AttemptSeed, CallbackReceiver, Problem, Pushed, Store};
use url::Url;

use super::attempt::{Attempt, Prepared, until_closed};
use super::{Input, Inputs};
use crate::config::Config;
use crate::http::Push;
use crate::loopback::{LoopbackListener, SHORT_LINK_BYTES, ShortLink};
use crate::platform::Random;
use crate::session::Sessions;

/// `None` when the receivers were closed meanwhile.
pub(super) async fn prepare(
    attempt: &Arc<Attempt>,
    seed: &AttemptSeed,
    config: &Config,
    sessions: &Sessions,
    random: &dyn Random,
    inputs: &Inputs,
) -> Option<Result<Pushed, Problem>> {
    tokio::select! {
        biased;
        () = until_closed(attempt.closing()) => None,
        pushed = open_and_push(attempt, seed, config, sessions, random, inputs) => Some(pushed),
    }
}

async fn open_and_push(
    attempt: &Arc<Attempt>,
    seed: &AttemptSeed,
    config: &Config,
    sessions: &Sessions,
    random: &dyn Random,
    inputs: &Inputs,
) -> Result<Pushed, Problem> {
    if seed.store == Store::Keychain {
        sessions.probe_keychain().await?;
    }
    let key = sessions.device_key(seed.store).await?;
    let wants_loopback =
        seed.receivers.iter().any(|receiver| receiver.receiver == CallbackReceiver::Loopback);
    let (loopback, short_link) = if wants_loopback {
        let (redirect_uri, link) = open_loopback(attempt, config, random, inputs).await?;
        (Some(redirect_uri), Some(link))
    } else {
        (None, None)
    };
    let link = Url::parse(config.channel.link).map_err(|_| Problem::Internal)?;
    // Known from here on: an attempt that is given up while it is pushed is cancelled over there
    // too.
    let prepared = attempt.prepared.get_or_init(|| Prepared {
        key: key.clone(),
        store: seed.store,
        loopback,
        short_link,
    });
    let companion = sessions.companion();
    let mut urls = Vec::with_capacity(seed.receivers.len());
    let mut deadline = None;
    for receiver in &seed.receivers {
        let redirect_uri = match receiver.receiver {
            CallbackReceiver::Loopback => prepared.loopback.as_ref().ok_or(Problem::Internal)?,
            CallbackReceiver::Link => &link,
        };
        let push = Push {
            attempt: &seed.id,
            receiver,
            redirect_uri,
            hints: &seed.hints,
            device_name: &config.device_name,
        };
        let pushed = companion.push(&key, &push).await;
        let (url, ends) = pushed.map_err(|error| error.as_problem(Problem::ServiceRefused))?;
        deadline = Some(deadline.map_or(ends, |earlier: keyport_core::Moment| earlier.min(ends)));
        urls.push(url);
    }
    let deadline = deadline.ok_or(Problem::Internal)?;
    Ok(Pushed { issuer: companion.issuer().as_str().to_owned(), urls, deadline })
}

async fn open_loopback(
    attempt: &Attempt,
    config: &Config,
    random: &dyn Random,
    inputs: &Inputs,
) -> Result<(Url, ShortLink), Problem> {
    let listener = LoopbackListener::bind(config.messages.clone())
        .await
        .map_err(|_| Problem::ReceiverBlocked)?;
    let redirect_uri = Url::parse(listener.redirect_uri()).map_err(|_| Problem::Internal)?;
    let mut path = [0; SHORT_LINK_BYTES];
    random.fill(&mut path);
    let short_link = listener.short_link(path);
    attempt.listens(tokio::spawn(listen(listener, attempt.closing(), inputs.clone())));
    Ok((redirect_uri, short_link))
}

async fn listen(
    mut listener: LoopbackListener,
    closing: tokio::sync::watch::Receiver<bool>,
    inputs: Inputs,
) {
    let closed = until_closed(closing);
    tokio::pin!(closed);
    loop {
        tokio::select! {
            () = &mut closed => break,
            callback = listener.next_callback() => match callback {
                Some(callback) => {
                    let _ = inputs.send(Input::Loopback(callback));
                }
                None => break,
            },
        }
    }
    // Lets the answer to the callback that closed it out.
    listener.close().await;
}
