//! What devices, browsers and the provider send: the usual request, to be changed where a test
//! needs it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyport_companion::domain::{
    AttemptId, AttemptKey, BrowserHash, IssuedSession, ProviderAttributes, ProviderProfile,
    RequestId, Scope, SecretText, SystemRandom, Thumbprint, UpstreamAuthorizationId,
    UpstreamIdentity,
};
use keyport_companion::keys::AuthorizationCode;
use keyport_companion::storage::{RedeemCode, ReturnedAuthorization, RotateRefresh};
use sha2::{Digest as _, Sha256};

use crate::world::{ADDRESS, CLIENT, LAPTOP, REDIRECT, STATE, VERIFIER};

pub fn refresh_token(issued: &IssuedSession) -> String {
    issued.refresh_token.as_ref().unwrap().expose().to_owned()
}

/// A fresh upstream authorization of a fresh request of a device, without an attempt.
pub fn authorization_of(jkt: Thumbprint) -> ReturnedAuthorization {
    ReturnedAuthorization {
        id: UpstreamAuthorizationId::draw(&SystemRandom),
        request: RequestId::draw(&SystemRandom),
        attempt: None,
        jkt,
        browser: BrowserHash::from_bytes([7; 32]),
        client_id: CLIENT.into(),
        redirect_uri: REDIRECT.into(),
        state: SecretText::new(STATE),
        code_challenge: URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER)),
        scope: Scope::parse("profile email offline_access"),
        device_name: Some("Ada's laptop".into()),
    }
}

/// The laptop's next upstream authorization of the same attempt.
pub fn authorization_of_attempt(attempt: AttemptId) -> ReturnedAuthorization {
    ReturnedAuthorization { attempt: Some(attempt), ..authorization_of(LAPTOP) }
}

/// A fresh attempt of the laptop's.
pub fn attempt() -> AttemptKey {
    AttemptKey { attempt: AttemptId::draw(&SystemRandom), jkt: LAPTOP }
}

/// What the laptop sends to redeem a code.
pub fn redemption(code: &AuthorizationCode) -> RedeemCode {
    RedeemCode {
        code: AuthorizationCode::received(code.expose()),
        client_id: CLIENT.into(),
        jkt: LAPTOP,
        verifier: SecretText::new(VERIFIER),
        redirect_uri: None,
        address: Some(ADDRESS),
    }
}

/// What the laptop sends to refresh.
pub fn presented(token: &str) -> RotateRefresh {
    RotateRefresh {
        token: SecretText::new(token),
        client_id: CLIENT.into(),
        jkt: LAPTOP,
        address: Some(ADDRESS),
    }
}

/// Ada, as the provider tells of her.
pub fn profile_of_ada() -> ProviderProfile {
    ProviderProfile {
        issuer: "https://api.workos.com".into(),
        profile_id: "prof_01ADA".into(),
        upstream: "sso".into(),
        connection_id: Some("conn_01OKTA".into()),
        method: "OktaSAML".into(),
        idp_id: "00u1ada".into(),
        email: "ada@acme.test".into(),
        name: Some("Ada Lovelace".into()),
        organization_id: Some("org_01ACME".into()),
        attributes: ProviderAttributes::default(),
        session: None,
    }
}

/// A validated identity of an organization called Acme.
pub fn identity(profile: ProviderProfile) -> UpstreamIdentity {
    let mut identity = UpstreamIdentity::validate(profile).unwrap().identity;
    identity.name_organization("Acme");
    identity
}

pub fn ada() -> UpstreamIdentity {
    identity(profile_of_ada())
}

pub fn grace() -> UpstreamIdentity {
    identity(ProviderProfile {
        idp_id: "00u2grace".into(),
        email: "grace@acme.test".into(),
        name: Some("Grace Hopper".into()),
        ..profile_of_ada()
    })
}
