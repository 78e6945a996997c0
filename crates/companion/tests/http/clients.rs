//! Clients as records: what a record names is what its app can do.

use keyport_companion::clients::ClientRecord;
use keyport_companion::domain::Scope;

use crate::support::{Browser, Device, Service};

const NOTES: &str = "[[client]]\nid = \"acme-notes\"\nname = \"Acme Notes\"\n\
                     redirect_uris = [\"com.acme.notes:/callback\"]\nscopes = [\"openid\"]\n";

fn add_notes(clients: &mut Vec<ClientRecord>) {
    *clients = keyport_companion::clients::with_built_in(NOTES).unwrap();
}

#[tokio::test]
async fn a_second_client_has_its_own_redirect_uris_and_needs_dpop() {
    let service = Service::start().await.restart_with_clients(add_notes).await;
    let device = Device::new();
    let (id, own) = (("client_id", "acme-notes"), "com.acme.notes:/callback");
    device.push(&service, &[id, ("redirect_uri", own)]).await;
    for foreign in ["dev.keyport.desktop:/callback", "http://127.0.0.1:9/callback"] {
        let (answer, _) = device.try_push(&service, &[id, ("redirect_uri", foreign)]).await;
        assert_eq!(answer.error(), (400, "invalid_request".to_owned()), "{foreign}");
    }
    let (answer, _) = device.try_push(&service, &[("redirect_uri", own)]).await;
    assert_eq!(answer.error(), (400, "invalid_request".to_owned()), "of another client");
    let bare = device.http.post(format!("{}/oauth/par", service.url)).form(&[id]);
    let answer = bare.send().await.unwrap();
    assert_eq!(answer.status(), 400, "no client goes without a proof");
}

#[tokio::test]
async fn the_request_of_one_client_is_not_opened_for_another() {
    let service = Service::start().await.restart_with_clients(add_notes).await;
    let pushed = Device::new().push(&service, &[]).await;
    let mut url = url::Url::parse(&format!("{}/oauth/authorize", service.url)).unwrap();
    url.query_pairs_mut()
        .append_pair("client_id", "acme-notes")
        .append_pair("request_uri", &pushed.request_uri);
    assert_eq!(Browser::new().get(url.as_str()).await.status, 403);
}

#[tokio::test]
async fn a_record_bounds_the_scope_of_new_and_old_sessions() {
    let (service, device) = (Service::start().await, Device::new());
    let old = device.sign_in(&service).await;
    assert_eq!(old["scope"], "openid profile email offline_access");
    let service = service
        .restart_with_clients(|clients| clients[0].scopes = Scope::parse("openid email"))
        .await;
    let refreshed = device.refresh(&service, old["refresh_token"].as_str().unwrap()).await.json();
    assert_eq!(refreshed["scope"], "openid email");
    let new = device.sign_in(&service).await;
    assert_eq!(new["scope"], "openid email");
    assert!(new.get("refresh_token").is_none(), "offline_access was not granted");
}

#[tokio::test]
async fn a_removed_client_can_do_nothing_any_more() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let session = device.sign_in(&service).await;
    let mut browser = Browser::new();
    let provider = browser.authorize(&service, &pushed).await;
    let service = service.restart_with_clients(|clients| clients[0].id = "other".into()).await;
    let refreshed = device.refresh(&service, session["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.error(), (400, "invalid_client".to_owned()));
    let answer = browser.callback(&service, &provider, "x").await;
    assert_eq!((answer.status, answer.problem()), (400, "started_elsewhere"));
    assert_eq!(service.exchanges(), 0);
}
