//! Signs in with the library, from a program of your own:
//! `cargo run -p keyport-cli --example library`. README shows the marked lines.

use std::sync::Arc;

use keyport_client::browser::{Desktop, SystemBrowser};
use keyport_client::config::companion;
use keyport_client::keychain::SystemKeychain;
use keyport_client::loopback::Notice as Page;
use keyport_client::{Channel, Client, Config, Intent, ListenerWords, Notice, Platform};
use keyport_client::{SystemClock, SystemRandomness};
use keyport_core::{Door, Hints, Store};
use keyport_words::Words;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let words = Words::english();
    let (config, platform) = (config(&words)?, platform()?);
    let hints = Hints { email: std::env::args().nth(1), ..Hints::default() };
    // README: begin
    let client = Client::start(config, platform);
    let mut notices = client.notices();
    let (doors, store) = (vec![Door::Loopback], Store::Keychain);
    client.intend(Intent::SignIn { hints, doors, store });
    while let Ok(notice) = notices.recv().await {
        match notice {
            Notice::Confirm(number) => println!("Is this number in your browser? {number}"),
            Notice::SignedIn { account, .. } => {
                println!("Signed in as {}", account.shown_email());
                let access = client.sessions().access_token(&account.id).await;
                println!("An access token, which Debug does not show: {access:?}");
                break;
            }
            Notice::Problem { problem, .. } => {
                println!("{}", words.problem(problem).text);
                break;
            }
            Notice::AuthorizationUrl(_) | Notice::Raise => {}
        }
    }
    client.shut_down().await;
    // README: end
    Ok(())
}

/// The channel names the keychain items and the link scheme.
fn config(words: &Words) -> anyhow::Result<Config> {
    let page = |what: &str| Page {
        title: words.text(&format!("listener-{what}-title"), &[]),
        sentence: words.text(&format!("listener-{what}-text"), &[]),
    };
    Ok(Config {
        companion: companion(None)?,
        channel: Channel::of_build(),
        device_name: "the example".to_owned(),
        words: ListenerWords {
            language: "en".to_owned(),
            right_to_left: false,
            not_waiting: page("not-waiting"),
            finished: page("finished"),
            unanswered: page("unanswered"),
        },
    })
}

fn platform() -> anyhow::Result<Platform> {
    Ok(Platform {
        browser: Arc::new(SystemBrowser::on(Desktop::of_environment())),
        clipboard: None,
        keychain: Arc::new(SystemKeychain::of(Channel::of_build().service)?),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandomness),
    })
}
