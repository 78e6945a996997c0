//! Signs in with the library, from a program of your own:
//! `cargo run -p keyport-cli --example library`. README shows the marked lines.

use std::sync::Arc;

use keyport_client::browser::{Desktop, SystemBrowser};
use keyport_client::config::companion;
use keyport_client::keychain::SystemKeychain;
use keyport_client::{Channel, Client, ClientNotice, Config, Intent, Platform};
use keyport_client::{SystemClock, SystemRandomness};
use keyport_core::{CallbackReceiver, Hints, Store};
use keyport_messages::Messages;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let words = Messages::english();
    let (config, platform) = (config(&words)?, platform()?);
    let hints = Hints { email: std::env::args().nth(1), ..Hints::default() };
    // README: begin
    let client = Client::start(config, platform);
    let mut notices = client.notices();
    let (receivers, store) = (vec![CallbackReceiver::Loopback], Store::Keychain);
    client.intend(Intent::SignIn { hints, receivers, store });
    while let Ok(notice) = notices.recv().await {
        match notice {
            ClientNotice::Confirm(number) => println!("Is this number in your browser? {number}"),
            ClientNotice::SignedIn { account, .. } => {
                println!("Signed in as {}", account.shown_email());
                let access = client.sessions().access_token(&account.id).await;
                println!("An access token, which Debug does not show: {access:?}");
                break;
            }
            ClientNotice::Problem { problem, .. } => {
                println!("{}", words.problem(problem).text);
                break;
            }
            ClientNotice::AuthorizationUrl(_) | ClientNotice::Raise => {}
        }
    }
    client.shut_down().await;
    // README: end
    Ok(())
}

/// The channel names the keychain items and the link scheme.
fn config(words: &Messages) -> anyhow::Result<Config> {
    Ok(Config {
        companion: companion(None)?,
        channel: Channel::of_build(),
        device_name: "the example".to_owned(),
        words: words.clone(),
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
