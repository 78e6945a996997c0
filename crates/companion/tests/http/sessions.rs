//! Where a person is signed in: only the person's own sessions are listed and ended, and only with
//! a bound access token of one of them. And the revocation of a session by its id and device key.

use serde_json::{Value, json};

use crate::support::{Answer, Browser, Device, Service, ada, parameter};

const UNKNOWN: &str = "session_00000000000000000000000000000000";

struct SignedIn {
    device: Device,
    access: String,
    refresh: String,
    id: String,
}

impl SignedIn {
    fn of(device: Device, answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        let (access, refresh) = (text("access_token"), text("refresh_token"));
        Self { device, access, refresh, id: text("keyport_session") }
    }

    async fn ask(&self, service: &Service, method: &str, path: &str) -> Answer {
        let url = format!("{}/oauth/sessions{path}", service.url);
        self.device.ask(method, &url, Some(&self.access), None).await
    }

    async fn list(&self, service: &Service) -> Vec<Value> {
        let answer = self.ask(service, "GET", "").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["sessions"].as_array().unwrap().clone()
    }

    async fn refresh(&self, service: &Service) -> Answer {
        self.device.refresh(service, &self.refresh).await
    }

    async fn is_alive(&self, service: &Service) -> bool {
        self.device.userinfo(service, &self.access).await.status == 200
    }

    /// Revokes `session` with the key of this device.
    async fn revoke(&self, service: &Service, session: &str) -> Answer {
        let form = [("client_id", "keyport-desktop"), ("session_id", session)];
        self.device.post(service, "/oauth/revoke", &form).await
    }
}

async fn ada_on_a_device(service: &Service) -> SignedIn {
    let device = Device::new();
    let answer = device.sign_in(service).await;
    SignedIn::of(device, &answer)
}

async fn grace_on_a_device(service: &Service) -> SignedIn {
    let mut grace = ada();
    grace["idp_id"] = "00u2grace".into();
    grace["email"] = "grace@acme.test".into();
    service.provider.profiles.lock().unwrap().insert("of-grace".into(), grace);
    let device = Device::new();
    let pushed = device.push(service, &[("device_name", "Grace's tower")]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(service, &pushed, "of-grace").await;
    let callback = browser.come_back_from(&handoff).await;
    let answer = device.redeem(service, &parameter(&callback, "code"), &pushed.verifier).await;
    SignedIn::of(device, &answer.json())
}

#[tokio::test]
async fn another_persons_session_is_one_that_there_is_not() {
    let service = Service::start().await;
    let (ada, grace) = (ada_on_a_device(&service).await, grace_on_a_device(&service).await);
    let mut answers = Vec::new();
    for id in [&*grace.id, UNKNOWN, "session_1", &ada.id.to_uppercase()] {
        let answer = ada.ask(&service, "DELETE", &format!("/{id}")).await;
        assert_eq!(answer.status, 404, "{id}: {}", answer.body);
        let mut said = answer.json();
        said["request_id"].take();
        answers.push(said);
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:?}");
    assert!(grace.is_alive(&service).await);
    assert!(ada.list(&service).await.iter().all(|listed| listed["id"] != grace.id.as_str()));
    assert_eq!(ada.ask(&service, "DELETE", "").await.status, 204);
    assert!(grace.is_alive(&service).await, "everywhere is everywhere of one person");
}

#[tokio::test]
async fn sessions_want_the_token_the_key_and_a_proof_over_both() {
    let service = Service::start().await;
    let ada = ada_on_a_device(&service).await;
    let url = format!("{}/oauth/sessions", service.url);
    for (method, url) in
        [("GET", url.clone()), ("DELETE", url.clone()), ("DELETE", format!("{url}/{}", ada.id))]
    {
        let thief = Device::new().ask(method, &url, Some(&ada.access), None).await;
        assert_eq!(thief.error(), (401, "invalid_token".into()), "{method} {url}");
        let no_token = ada.device.ask(method, &url, None, None).await;
        assert_eq!(no_token.error(), (401, "invalid_request".into()), "{method} {url}");
        let refresh = ada.device.ask(method, &url, Some(&ada.refresh), None).await;
        assert_eq!(refresh.error(), (401, "invalid_token".into()), "{method} {url}");
        let proof = ada.device.proof("POST", &url, &json!({}), &json!({}));
        let request = ada.device.http.request(method.parse().unwrap(), &url);
        let request = request.header("authorization", format!("DPoP {}", ada.access));
        let wrong = ada.device.send(request, &proof).await;
        assert_eq!(wrong.error(), (401, "invalid_dpop_proof".into()), "{method} {url}");
    }
    assert!(ada.is_alive(&service).await);
    assert_eq!(ada.device.refresh(&service, &ada.refresh).await.status, 200);
}

#[tokio::test]
async fn a_person_sees_each_of_their_sessions_and_which_one_this_is() {
    let service = Service::start().await;
    let laptop = ada_on_a_device(&service).await;
    service.wait(60);
    let tower = ada_on_a_device(&service).await;
    grace_on_a_device(&service).await;
    let listed = laptop.list(&service).await;
    let ids: Vec<_> = listed.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [&laptop.id, &tower.id], "this one first");
    let ada = &listed[0];
    assert_eq!((&ada["current"], &listed[1]["current"]), (&json!(true), &json!(false)));
    assert_eq!(ada["device_name"], "Ada's laptop");
    assert_eq!((&ada["client_name"], &ada["address"]), (&json!("Keyport"), &json!("127.0.0.1")));
    let times = |one: &Value| (one["created_at"].as_i64(), one["last_used_at"].as_i64());
    assert_eq!(times(&listed[1]).0.unwrap() - times(ada).0.unwrap(), 60);
    assert_eq!(ada.as_object().unwrap().len(), 7, "and nothing else: {ada}");
}

#[tokio::test]
async fn a_session_that_was_ended_from_another_device_says_so_on_its_own() {
    let service = Service::start().await;
    let (here, there) = (ada_on_a_device(&service).await, ada_on_a_device(&service).await);
    assert_eq!(here.ask(&service, "DELETE", &format!("/{}", there.id)).await.status, 204);
    let refused = there.refresh(&service).await;
    assert_eq!(refused.json()["keyport_problem"], "signed_out_elsewhere", "{}", refused.body);
    assert_eq!(there.ask(&service, "GET", "").await.status, 401, "its access token is dead too");
    let again = here.ask(&service, "DELETE", &format!("/{}", there.id)).await;
    assert_eq!(again.status, 404, "it is over");
    assert_eq!(here.list(&service).await.len(), 1);
    assert_eq!(here.ask(&service, "DELETE", &format!("/{}", here.id)).await.status, 204);
    let refused = here.refresh(&service).await;
    assert_eq!(refused.error(), (400, "invalid_grant".into()));
    assert_eq!(refused.json().get("keyport_problem"), None, "its own person has ended it");
}

#[tokio::test]
async fn everywhere_ends_all_of_one_person_and_a_sign_in_that_waits() {
    let service = Service::start().await;
    let (here, there) = (ada_on_a_device(&service).await, ada_on_a_device(&service).await);
    let device = Device::new();
    let pushed = device.push(&service, &[]).await;
    let callback = Browser::new().come_back(&service, &pushed).await;
    assert_eq!(here.ask(&service, "DELETE", "").await.status, 204);
    for (session, problem) in [(&here, None), (&there, Some("signed_out_elsewhere"))] {
        let refused = session.refresh(&service).await;
        assert_eq!(refused.error(), (400, "invalid_grant".into()));
        let said = refused.json();
        assert_eq!(said.get("keyport_problem").and_then(Value::as_str), problem);
        assert!(!session.is_alive(&service).await);
    }
    let late = device.redeem(&service, &parameter(&callback, "code"), &pushed.verifier).await;
    assert_eq!(late.error(), (400, "invalid_grant".into()), "no session comes out of it");
    assert_eq!(ada_on_a_device(&service).await.list(&service).await.len(), 1);
}

#[tokio::test]
async fn a_session_is_revoked_by_its_id_with_its_own_device_key_alone() {
    let service = Service::start().await;
    let (ada, grace) = (ada_on_a_device(&service).await, grace_on_a_device(&service).await);
    for session in [&*grace.id, UNKNOWN, "session_1"] {
        assert_eq!(ada.revoke(&service, session).await.status, 200, "{session:?} is not told");
    }
    assert!(grace.is_alive(&service).await && ada.is_alive(&service).await);
    let form = [("client_id", "keyport-desktop"), ("session_id", &*ada.id)];
    let url = format!("{}/oauth/revoke", service.url);
    let bare = ada.device.http.post(&url).form(&form).send().await.unwrap();
    assert_eq!(Answer::of(bare).await.error(), (400, "invalid_dpop_proof".into()));
    let proof = ada.device.proof("POST", &format!("{url}/"), &json!({}), &json!({}));
    let elsewhere = ada.device.send(ada.device.http.post(&url).form(&form), &proof).await;
    assert_eq!(elsewhere.error(), (400, "invalid_dpop_proof".into()));
    let other = [("client_id", "other"), ("session_id", &*ada.id)];
    let other = ada.device.post(&service, "/oauth/revoke", &other).await;
    assert_eq!(other.error(), (400, "invalid_client".into()));
    assert!(ada.is_alive(&service).await);
    for _ in 0..2 {
        assert_eq!(ada.revoke(&service, &ada.id).await.status, 200);
        assert!(!ada.is_alive(&service).await);
    }
    let database = rusqlite::Connection::open(service.folder.path().join("companion.sqlite"));
    let tried = "SELECT count(*) FROM audit WHERE event = 'revocation_by_foreign_key'";
    let tried: i64 = database.unwrap().query_row(tried, [], |row| row.get(0)).unwrap();
    assert_eq!(tried, 1, "Grace's session with Ada's key");
}
