//! What is secret is in no log, at any level. A test binary of its own: it listens to every thread.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with a panic")]

#[allow(dead_code, reason = "the other test binary uses the rest")]
#[path = "../driver/support/mod.rs"]
mod support;

use std::io;
use std::sync::{Arc, Mutex};

use keyport_client::Intent;
use keyport_client::keychain::Item;
use keyport_core::secret::RawCallback;
use keyport_core::{CallbackReceiver, Screen, SessionStore};
use tracing_subscriber::fmt::MakeWriter;

use support::fixture::visit;
use support::{ClientFixture, Fault};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_of_a_whole_session_is_logged() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Keychain);
    let cancelled = fixture.browser_opens().await;
    fixture
        .client
        .deliver_link(RawCallback::new("dev.keyport.desktop.dev:/callback?code=code-canary"));
    fixture.client.intend(Intent::Cancel);
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    let back = fixture.companion.signs_in(&url);
    visit(&back.replace("state=", "state=x")).await;
    fixture.companion.next_fails("refresh", Fault::LosesTheAnswer);
    visit(&back).await;
    let Screen::SignedIn { account, .. } = fixture.shows_signed_in().await else { unreachable!() };
    let device = fixture.keychain.text_of(&Item::Device).await.unwrap();
    let sessions = fixture.another_process();
    sessions.access_token(&account.id).await.unwrap();
    fixture.client.intend(Intent::SignOut);
    fixture.companion.until(|world| (!world.revoked.is_empty()).then_some(())).await;

    let mut secrets = vec!["canary".to_owned(), device, "eyJ".to_owned(), "request_uri".to_owned()];
    for url in [&cancelled, &url] {
        secrets.push(fixture.companion.request_of(url).1);
    }
    secrets.push(fixture.companion.seen("exchange")[0].fields["code_verifier"].clone());
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for said in
        ["sign-in wanted", "browser opened", "callback received", "session stored", "not ours"]
    {
        assert!(log.contains(said), "the log is read, and tells the steps: {said}");
    }
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret}");
    }
}
