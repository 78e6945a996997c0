//! The client library in an app of another team: its own client record at a real companion, with
//! its own scheme and its own keychain items.

use std::time::Duration;

use anyhow::{Context as _, Result};
use keyport_client::browser::{Browser, Opening, PermittedUrl};
use keyport_client::config::RedirectUriError;
use keyport_client::keychain::MemoryKeychain;
use keyport_client::{
    CallbackReceiver, Client, ClientBuildError, ClientBuilder, ClientNotice, Hints, Intent,
    Problem, SessionStore, SignInRequest,
};
use keyport_core::secret::RawCallback;
use keyport_tests::{Jar, Person, World, wait};
use tokio::sync::{broadcast, mpsc};
use tokio::time::timeout;

const TIMEOUT: Duration = wait::WAIT_TIMEOUT;
const NOTES_LINK: &str = "test.acme.notes:/callback";
const RECORD: &str = r#"
[[client]]
id = "acme-notes"
name = "Acme Notes"
redirect_uris = ["test.acme.notes:/callback", "http://127.0.0.1/callback"]
scopes = ["openid", "profile", "email", "offline_access"]
"#;

/// A companion that knows Acme Notes.
fn world() -> Result<(World, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let records = folder.path().join("clients.toml");
    std::fs::write(&records, RECORD)?;
    let records = records.to_str().context("a path that is text")?;
    Ok((World::with().companion("KEYPORT_CLIENTS", records).start()?, folder))
}

/// Hands each address to the test, which is the browser.
struct Handed(mpsc::UnboundedSender<String>);

impl Browser for Handed {
    fn open<'a>(&'a self, url: &'a PermittedUrl) -> Opening<'a> {
        let _ = self.0.send(url.expose().to_owned());
        Box::pin(std::future::ready(Ok(())))
    }
}

fn app(world: &World, redirect_uri: &str) -> (ClientBuilder, mpsc::UnboundedReceiver<String>) {
    let (opened, urls) = mpsc::unbounded_channel();
    let builder = Client::builder(world.issuer())
        .app("acme-notes", redirect_uri)
        .keychain(MemoryKeychain::default())
        .browser(Handed(opened));
    (builder, urls)
}

fn by_link() -> Intent {
    let hints = Hints { email: Some(Person::ADA.email.to_owned()), ..Hints::default() };
    let receivers = vec![CallbackReceiver::Link];
    Intent::SignInWith(SignInRequest { hints, receivers, store: SessionStore::Keychain })
}

/// The callback that the browser is sent to in the end.
async fn callback(urls: &mut mpsc::UnboundedReceiver<String>, browser: &mut Jar) -> Result<String> {
    let url = timeout(TIMEOUT, urls.recv()).await?.context("a browser is opened")?;
    Person::ADA.sign_in(browser, &url).await
}

/// The end of the sign-in: who is signed in, or the problem.
async fn ended(mut notices: broadcast::Receiver<ClientNotice>) -> Result<Result<String, Problem>> {
    loop {
        match timeout(TIMEOUT, notices.recv()).await?? {
            ClientNotice::SignedIn { account, .. } => return Ok(Ok(account.shown_email().into())),
            ClientNotice::Problem { problem, .. } => return Ok(Err(problem)),
            _ => {}
        }
    }
}

#[tokio::test]
async fn an_app_with_its_own_record_signs_in_over_loopback() -> Result<()> {
    let (world, _records) = world()?;
    let (builder, mut urls) = app(&world, NOTES_LINK);
    let client = builder.build()?;
    let (notices, mut browser) = (client.notices(), Jar::new()?);
    client.sign_in(Hints { email: Some(Person::ADA.email.to_owned()), ..Hints::default() });
    let callback = callback(&mut urls, &mut browser).await?;
    browser.open(&callback).await?;
    assert_eq!(ended(notices).await?, Ok("ada@acme.test".to_owned()));
    let account = client.sessions().current().await.ok().flatten().context("an account")?;
    assert!(client.sessions().access_token(&account.id).await.is_ok());
    client.shut_down().await;
    Ok(())
}

#[tokio::test]
async fn an_app_is_handed_back_to_by_its_own_scheme() -> Result<()> {
    let (world, _records) = world()?;
    let (builder, mut urls) = app(&world, NOTES_LINK);
    let client = builder.build()?;
    let notices = client.notices();
    client.intend(by_link());
    let callback = callback(&mut urls, &mut Jar::new()?).await?;
    assert!(callback.starts_with("test.acme.notes:/callback?"));
    client.deliver_link(RawCallback::new(callback));
    assert_eq!(ended(notices).await?, Ok("ada@acme.test".to_owned()));
    client.shut_down().await;
    Ok(())
}

#[tokio::test]
async fn a_scheme_of_another_client_is_refused_before_a_browser_opens() -> Result<()> {
    let (world, _records) = world()?;
    let (builder, mut urls) = app(&world, "dev.keyport.desktop:/callback");
    let client = builder.build()?;
    let notices = client.notices();
    client.intend(by_link());
    assert_eq!(ended(notices).await?, Err(Problem::ServiceRefused));
    client.shut_down().await;
    assert!(urls.try_recv().is_err(), "a browser was opened");
    Ok(())
}

#[tokio::test]
async fn what_is_set_wrongly_is_named_before_anything_is_sent() {
    let built = Client::builder("https://a.test").app("acme-notes", "notes:/callback").build();
    let scheme = RedirectUriError::Scheme;
    assert!(matches!(built.err(), Some(ClientBuildError::RedirectUri(error)) if error == scheme));
    let built = Client::builder("http://a.test").build();
    assert!(matches!(built.err(), Some(ClientBuildError::Companion(_))));
}
