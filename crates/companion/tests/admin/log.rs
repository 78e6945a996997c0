//! What the log of a service keeps of its operator's requests.

use std::io::Write;
use std::sync::{Arc, Mutex};

use keyport_companion::admin::{MakePortalLink, Request as _};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::stub::{Office, Plan};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_portal_link_is_in_no_log() {
    let logs = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(logs.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let link = json!({ "link": "https://setup.test/planted_link" });
    let office =
        Office::open(Plan::default().answering("POST /portal/generate_link", (201, link))).await;
    let request = MakePortalLink { organization: "org_acme".into(), intent: "sso".into() };
    let made = request.carry_out(&office.administration).await.unwrap();
    assert_eq!(made.link, "https://setup.test/planted_link");
    let logs = String::from_utf8(logs.0.lock().unwrap().clone()).unwrap();
    assert!(logs.contains("the operator has made a portal link"), "{logs}");
    for secret in ["planted_link", "sk_test_planted"] {
        assert!(!logs.contains(secret), "{logs}");
    }
}
