//! What comes through a receiver: only the callback that is waited for changes anything.

use keyport_client::Intent;
use keyport_core::secret::RawCallback;
use keyport_core::{CallbackReceiver, Screen, SessionStore, SignInRequest};

use crate::support::ClientFixture;
use crate::support::fixture::visit;

fn with(url: &str, name: &str, value: &str) -> String {
    let mut changed = url::Url::parse(url).unwrap();
    let pairs: Vec<(String, String)> = changed.query_pairs().into_owned().collect();
    let mut query = changed.query_pairs_mut();
    query.clear();
    for (other, old) in &pairs {
        query.append_pair(other, if other == name { value } else { old });
    }
    drop(query);
    changed.into()
}

#[tokio::test]
async fn a_foreign_callback_changes_nothing_and_the_attempt_lives() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
    let url = fixture.browser_opens().await;
    let back = fixture.companion.signs_in(&url);
    let address = back.split('?').next().unwrap();
    for foreign in [
        with(&back, "state", "another"),
        with(&back, "iss", "https://evil.test"),
        format!("{address}?code=x&state=y"),
        format!("{address}?error=access_denied"),
        format!("{address}?error=access_denied&state=another"),
        format!("{back}&state=another"),
        address.to_owned(),
    ] {
        let (status, location) = visit(&foreign).await;
        assert_eq!((status, location), (400, None), "{foreign}");
    }
    assert_eq!(fixture.companion.count("exchange"), 0);
    assert_eq!(visit(&back).await.0, 303);
    fixture.shows_signed_in().await;
}

#[tokio::test]
async fn a_foreign_link_redeems_nothing_whether_or_not_an_attempt_waits() {
    let mut fixture = ClientFixture::new().await;
    fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    let foreign = "dev.keyport.desktop.dev:/callback?code=x&state=y";
    fixture.client.deliver_link(RawCallback::new(foreign));
    fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    let back = fixture.companion.signs_in(&url);
    for link in [foreign.to_owned(), with(&back, "state", "y"), "mailto:ada".into(), String::new()]
    {
        fixture.client.deliver_link(RawCallback::new(link));
    }
    // Links are taken in order: when the real one has signed in, the others have been looked at.
    fixture.client.deliver_link(RawCallback::new(back));
    fixture.shows_signed_in().await;
    assert_eq!(fixture.companion.count("exchange"), 1);
}

#[tokio::test]
async fn a_callback_that_is_delivered_twice_is_redeemed_once() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    let back = fixture.companion.signs_in(&url);
    for _ in 0..2 {
        fixture.client.deliver_link(RawCallback::new(back.clone()));
    }
    fixture.shows_signed_in().await;
    fixture.client.deliver_link(RawCallback::new(back));
    fixture.companion.until(|world| (!world.outcomes.is_empty()).then_some(())).await;
    assert_eq!(fixture.companion.count("exchange"), 1);
    fixture.shows_signed_in().await;
}

#[tokio::test]
async fn an_error_from_the_companion_ends_the_attempt_with_its_own_words() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
    let url = fixture.browser_opens().await;
    let (redirect_uri, state) = fixture.companion.request_of(&url);
    let issuer = fixture.companion.issuer();
    let back = format!("{redirect_uri}?error=access_denied&state={state}&iss={issuer}");
    assert_eq!(visit(&back).await.0, 303);
    fixture.shows_problem("access_denied").await;
    assert_eq!(fixture.companion.count("exchange"), 0);
}

#[tokio::test]
async fn the_first_valid_callback_closes_the_other_receiver() {
    let mut fixture = ClientFixture::new().await;
    let receivers = vec![CallbackReceiver::Link, CallbackReceiver::Loopback];
    let request = SignInRequest { receivers, ..SignInRequest::default() };
    fixture.client.intend(Intent::SignInWith(request));
    let through_link = fixture.browser_opens().await;
    let loopback = fixture.companion.seen("push")[1].clone();
    let issuer = fixture.companion.issuer().to_owned();
    let (address, state) = (&loopback.fields["redirect_uri"], &loopback.fields["state"]);
    // A state belongs to its receiver.
    let link = "dev.keyport.desktop.dev:/callback";
    let mixed = format!("{link}?code=x&state={state}&iss={issuer}");
    fixture.client.deliver_link(RawCallback::new(mixed));
    fixture.client.deliver_link(RawCallback::new(fixture.companion.signs_in(&through_link)));
    fixture.shows_signed_in().await;
    assert_eq!(fixture.companion.count("exchange"), 1);
    let ClientFixture { client, .. } = fixture;
    client.shut_down().await;
    assert!(reqwest::get(address).await.is_err(), "the other receiver is closed");
}
