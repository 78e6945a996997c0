//! A second upstream beside WorkOS: a small stub that knows one person, to show that the service
//! needs nothing of a provider but the trait, and that a callback stays with who began it.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use keyport_companion::admission::ListedConnection;
use keyport_companion::domain::{
    ProviderAttributes, ProviderProfile, SecretText, UpstreamIdentity,
};
use keyport_companion::upstream::{
    AccountCheck, AuthorizationParameters, Rate, Upstream, UpstreamError, UpstreamResult, Upstreams,
};
use keyport_problems::Problem;
use url::Url;

use crate::support::{Browser, Device, Service};

const ISSUER: &str = "https://stub.test";
/// The only code that it knows.
const CODE: &str = "code_of_the_stub";

struct Stub;

impl Upstream for Stub {
    fn name(&self) -> &'static str {
        "stub"
    }

    fn issuer(&self) -> &str {
        ISSUER
    }

    fn exchange_rate(&self) -> Rate {
        Rate { per_second: 1.0, burst: 5.0 }
    }

    fn authorization_url(
        &self,
        parameters: &AuthorizationParameters<'_>,
    ) -> Result<String, UpstreamError> {
        let query = [("state", parameters.state), ("back", parameters.redirect_uri)];
        Url::parse_with_params(&format!("{ISSUER}/begin"), query)
            .map(String::from)
            .map_err(|_| UpstreamError::Nonsense)
    }

    fn problem_of_redirect(&self, error: &str) -> Problem {
        if error == "gone_fishing" { Problem::ServiceUnavailable } else { Problem::ProviderFailed }
    }

    fn is_social(&self, _connection_type: &str) -> bool {
        false
    }

    fn exchange_code<'a>(
        &'a self,
        code: &'a SecretText,
        _code_verifier: &'a SecretText,
    ) -> UpstreamResult<'a, UpstreamIdentity> {
        let profile = ProviderProfile {
            issuer: ISSUER.into(),
            profile_id: "profile-1".into(),
            upstream: "stub".into(),
            connection_id: Some("directory-1".into()),
            method: "Stub".into(),
            idp_id: "grace-1".into(),
            email: "grace@acme.test".into(),
            name: Some("Grace Hopper".into()),
            organization_id: Some("org_acme".into()),
            attributes: ProviderAttributes::default(),
            session: None,
        };
        let identity = match *code == SecretText::new(CODE) {
            true => UpstreamIdentity::validate(profile).map(|validated| validated.identity),
            false => return ready(Err(UpstreamError::CodeRefused)).boxed(),
        };
        ready(identity.map_err(UpstreamError::Identity)).boxed()
    }

    fn connections_of_domain<'a>(
        &'a self,
        _domain: &'a str,
    ) -> UpstreamResult<'a, Option<Vec<ListedConnection>>> {
        ready(Ok(None)).boxed()
    }

    fn connection<'a>(&'a self, _id: &'a str) -> UpstreamResult<'a, Option<ListedConnection>> {
        ready(Ok(None)).boxed()
    }

    fn organization_name<'a>(&'a self, _id: &'a str) -> UpstreamResult<'a, Option<String>> {
        ready(Ok(Some("Acme of the stub".into()))).boxed()
    }

    fn check_credentials(&self) -> BoxFuture<'_, AccountCheck> {
        ready(AccountCheck::Accepted).boxed()
    }

    fn check_redirect_uri<'a>(&'a self, _redirect_uri: &'a str) -> BoxFuture<'a, AccountCheck> {
        ready(AccountCheck::Accepted).boxed()
    }
}

fn stub_alone(_workos: Arc<dyn Upstream>) -> Upstreams {
    Upstreams::new(Arc::new(Stub))
}

fn workos_and_stub(workos: Arc<dyn Upstream>) -> Upstreams {
    Upstreams::new(workos).and(Arc::new(Stub))
}

#[tokio::test]
async fn a_second_upstream_completes_a_sign_in() {
    let service = Service::start().await.restart_with(stub_alone).await;
    let (device, mut browser) = (Device::new(), Browser::new());
    let pushed = device.push(&service, &[]).await;
    let provider = browser.authorize(&service, &pushed).await;
    assert!(provider.as_str().starts_with(ISSUER), "{provider}");
    let answer = browser.callback(&service, &provider, CODE).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let handoff = format!("{}{}", service.url, answer.header("location"));
    let callback = browser.come_back_from(&handoff).await;
    let code = crate::support::parameter(&callback, "code");
    let session = device.redeem(&service, &code, &pushed.verifier).await.json();
    assert_eq!(session["keyport_account"]["email"], "grace@acme.test");
    assert_eq!(session["keyport_account"]["organization"]["name"], "Acme of the stub");
    assert_eq!(service.exchanges(), 0, "WorkOS was not asked");
}

#[tokio::test]
async fn a_callback_goes_to_the_upstream_that_began_it() {
    let service = Service::start().await.restart_with(stub_alone).await;
    let (device, mut browser) = (Device::new(), Browser::new());
    let pushed = device.push(&service, &[]).await;
    let provider = browser.authorize(&service, &pushed).await;
    let failing = browser.authorize(&service, &pushed).await;
    let service = service.restart_with(workos_and_stub).await;
    let state = crate::support::parameter(failing.as_str(), "state");
    let error = format!("{}/callback?error=gone_fishing&state={state}", service.url);
    let answer = browser.get(&error).await;
    let page = browser.get(&format!("{}{}", service.url, answer.header("location"))).await;
    assert_eq!(page.problem(), "service_unavailable", "its error codes are its own");
    let answer = browser.callback(&service, &provider, CODE).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(service.exchanges(), 0, "WorkOS was not asked");
}

#[tokio::test]
async fn a_callback_of_an_unknown_upstream_was_started_elsewhere() {
    let service = Service::start().await.restart_with(stub_alone).await;
    let (device, mut browser) = (Device::new(), Browser::new());
    let pushed = device.push(&service, &[]).await;
    let provider = browser.authorize(&service, &pushed).await;
    let service = service.restart_with(Upstreams::new).await;
    let answer = browser.callback(&service, &provider, CODE).await;
    assert_eq!((answer.status, answer.problem()), (400, "started_elsewhere"));
    assert_eq!(service.exchanges(), 0, "no code of another upstream is sent to WorkOS");
}
