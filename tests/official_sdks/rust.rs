//! The crate `workos`, called as the companion calls it: the code exchange once and never again,
//! PKCE always.

use anyhow::{Context, Result};
use keyport_tests::{Jar, Person, wait};
use serde_json::{Value, json};
use workos::helpers::SsoAuthorizationUrlParams;
use workos::resources::sso::{GetProfileAndTokenParams, ListConnectionsParams};
use workos::{Client, Error, RequestOptions, RequestStrategy};

use super::Emulator;

const REDIRECT_URI: &str = "http://127.0.0.1:5555/callback";

struct Sdk {
    client: Client,
    emulator: Emulator,
    http: reqwest::Client,
}

impl Sdk {
    fn start() -> Result<Self> {
        let emulator = Emulator::start()?;
        let http = reqwest::Client::builder().no_proxy().timeout(wait::WAIT_TIMEOUT).build()?;
        Ok(Self { client: client(&emulator, "sk_test_emulator"), emulator, http })
    }

    /// Signs Ada in: the code and its verifier.
    async fn code(&self) -> Result<(String, String)> {
        let started =
            self.client.sso_helpers().pkce_authorization_url(SsoAuthorizationUrlParams {
                redirect_uri: REDIRECT_URI.to_owned(),
                organization: Some("org_01EMULATORACME".to_owned()),
                ..SsoAuthorizationUrlParams::default()
            })?;
        let mut browser = Jar::new()?.stopping_at(REDIRECT_URI);
        let end = Person::ADA.sign_in_at_provider(&mut browser, &started.url).await?;
        let callback: url::Url = end.leaves_to.context("no callback")?.parse()?;
        let value = |name: &str| {
            callback.query_pairs().find(|(it, _)| it == name).map(|(_, value)| value.into_owned())
        };
        assert_eq!(value("state").as_ref(), Some(&started.state));
        Ok((value("code").context("no code")?, started.code_verifier))
    }

    async fn exchange(
        &self,
        code: &str,
        verifier: &str,
        key: &str,
    ) -> Result<workos::models::SSOTokenResponse, Error> {
        let body = workos::models::TokenQuery {
            client_id: "client_emulator".to_owned(),
            client_secret: key.into(),
            code: Some(code.into()),
            grant_type: workos::enums::TokenQueryGrantType::AuthorizationCode,
            code_verifier: Some(verifier.into()),
            subject_token: None,
            subject_token_type: None,
            organization_id: None,
        };
        let once = RequestOptions::new().strategy(RequestStrategy::Once);
        let parameters = GetProfileAndTokenParams::new(body);
        self.client.sso().get_profile_and_token_with_options(parameters, Some(&once)).await
    }

    async fn order(&self, fault: Value) -> Result<()> {
        let url = self.emulator.url.join("_emulator/faults")?;
        self.http.post(url).json(&fault).send().await?.error_for_status()?;
        Ok(())
    }

    async fn token_calls(&self) -> Result<Value> {
        let url = self.emulator.url.join("_emulator/calls")?;
        let counted: Value = self.http.get(url).send().await?.json().await?;
        Ok(counted["calls"]["POST /sso/token"].clone())
    }
}

fn client(emulator: &Emulator, key: &str) -> Client {
    let base = emulator.url.as_str().trim_end_matches('/');
    Client::builder().api_key(key).client_id("client_emulator").base_url(base).build()
}

/// Status and code of an answer that the SDK understood as an error.
fn refusal<T>(answer: Result<T, Error>) -> Result<(u16, Option<String>)> {
    let error = answer.err().context("that was to be refused")?;
    let api = error.api().with_context(|| format!("not an answer: {error}"))?;
    assert!(api.request_id.is_some());
    Ok((api.status, api.code.clone()))
}

#[tokio::test]
async fn a_code_is_refused_with_a_wrong_key_a_wrong_verifier_or_a_second_time() -> Result<()> {
    let sdk = Sdk::start()?;
    let (code, verifier) = sdk.code().await?;
    let wrong_key = refusal(sdk.exchange(&code, &verifier, "sk_wrong").await)?;
    assert_eq!(wrong_key, (400, Some("invalid_client".to_owned())));
    sdk.exchange(&code, &verifier, "sk_test_emulator").await?;
    let invalid_grant = (400, Some("invalid_grant".to_owned()));
    assert_eq!(refusal(sdk.exchange(&code, &verifier, "sk_test_emulator").await)?, invalid_grant);
    let (code, verifier) = sdk.code().await?;
    assert_eq!(
        refusal(sdk.exchange(&code, &"w".repeat(43), "sk_test_emulator").await)?,
        invalid_grant
    );
    assert_eq!(refusal(sdk.exchange(&code, &verifier, "sk_test_emulator").await)?, invalid_grant);
    Ok(())
}

#[tokio::test]
async fn an_exchange_without_an_answer_is_not_sent_again() -> Result<()> {
    let sdk = Sdk::start()?;
    for (kind, calls) in [("lose_answer", 1), ("reset", 2)] {
        let (code, verifier) = sdk.code().await?;
        sdk.order(json!({ "route": "POST /sso/token", "kind": kind })).await?;
        let lost = sdk.exchange(&code, &verifier, "sk_test_emulator").await;
        assert!(matches!(lost, Err(Error::Network(_))), "{kind}: {lost:?}");
        assert_eq!(sdk.token_calls().await?, calls, "{kind}");
    }
    Ok(())
}

#[tokio::test]
async fn profile_connections_and_organization_are_read() -> Result<()> {
    let sdk = Sdk::start()?;
    let (code, verifier) = sdk.code().await?;
    let answer = sdk.exchange(&code, &verifier, "sk_test_emulator").await?;
    assert_eq!(answer.profile.email, "ada@acme.test");
    assert_eq!(answer.profile.organization_id.as_deref(), Some("org_01EMULATORACME"));
    assert_eq!(answer.profile.connection_type.as_str(), "OktaSAML");
    let by_domain = ListConnectionsParams {
        domain: Some("globex.test".to_owned()),
        ..ListConnectionsParams::default()
    };
    let connections = sdk.client.sso().list_connections(by_domain).await?.data;
    let ids: Vec<_> = connections.iter().map(|connection| connection.id.as_str()).collect();
    assert_eq!(ids, ["conn_01EMULATORWEST", "conn_01EMULATOREAST"]);
    let organization = sdk.client.organizations().get_organization("org_01EMULATORGLOBEX").await?;
    assert_eq!(organization.name, "Globex");
    let foreign = client(&sdk.emulator, "sk_wrong");
    assert_eq!(refusal(foreign.sso().get_connection("conn_01EMULATOREAST").await)?.0, 401);
    assert_eq!(refusal(sdk.client.sso().get_connection("conn_unknown").await)?.0, 404);
    Ok(())
}
