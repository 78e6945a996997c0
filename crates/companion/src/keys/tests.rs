//! Hostile cases of the key material first: what was not sealed, signed or issued here does not
//! come through.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{
    AccessClaims, AccessTokenError, AuthorizationCode, Confirmation, KeyFile, Keys, Purpose,
    RefreshToken, SealError,
};
use crate::domain::{
    BrowserHash, FamilyId, GrantId, SecretArray, SecretText, SessionId, SystemRandom, Thumbprint,
    Timestamp, UserId,
};

const ISSUER: &str = "https://sso.acme.test";

fn keys() -> Keys {
    Keys::derive(&KeyFile::draw(&SystemRandom))
}

fn keys_of_another() -> Keys {
    keys()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

fn claims() -> AccessClaims {
    AccessClaims {
        iss: ISSUER.into(),
        aud: ISSUER.into(),
        sub: UserId::draw(&SystemRandom),
        sid: SessionId::draw(&SystemRandom),
        client_id: "keyport-desktop".into(),
        org_id: None,
        connection_id: Some("conn_01OKTA".into()),
        auth_time: at(0).seconds(),
        scope: "profile".into(),
        cnf: Confirmation { jkt: Thumbprint::from_bytes([1; 32]) },
        jti: "1".into(),
        iat: at(0).seconds(),
        exp: at(300).seconds(),
    }
}

fn verify(keys: &Keys, token: &str) -> Result<AccessClaims, AccessTokenError> {
    keys.access_token_key().verify(token, ISSUER, ISSUER, at(1))
}

/// The token with another header, unsigned or with the old signature.
fn with_header(token: &str, header: &str) -> String {
    let rest = token.split_once('.').unwrap().1;
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))
}

#[test]
fn a_box_opens_only_with_its_key_for_its_purpose_and_unchanged() {
    let (ours, theirs) = (keys(), keys());
    let sealed = ours.seal(Purpose::UpstreamAuthorization, "a authorization", &SystemRandom);
    assert_eq!(
        ours.open(Purpose::UpstreamAuthorization, &sealed).unwrap().expose(),
        "a authorization"
    );
    assert_eq!(ours.open(Purpose::RequestUri, &sealed), Err(SealError));
    assert_eq!(theirs.open(Purpose::UpstreamAuthorization, &sealed), Err(SealError));
    for place in 0..sealed.len() {
        let mut changed = sealed.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(
            ours.open(Purpose::UpstreamAuthorization, &changed),
            Err(SealError),
            "changed at {place}"
        );
    }
    for short in ["", "AAAA", "not base64url!", &sealed[..sealed.len() - 4]] {
        assert_eq!(ours.open(Purpose::UpstreamAuthorization, short), Err(SealError));
    }
    assert_ne!(sealed, ours.seal(Purpose::UpstreamAuthorization, "a authorization", &SystemRandom));
}

#[test]
fn bytes_open_only_with_what_they_are_bound_to() {
    let keys = keys();
    let seal = |bound_to: &[u8]| {
        keys.seal_bytes(Purpose::UpstreamAuthorization, bound_to, b"x", &SystemRandom)
    };
    let sealed = seal(b"one");
    let open = |purpose, bound_to: &[u8]| keys.open_bytes(purpose, bound_to, &sealed);
    assert_eq!(**open(Purpose::UpstreamAuthorization, b"one").unwrap(), *b"x");
    for bound_to in [&b"two"[..], b"", b"on", b"one "] {
        assert_eq!(open(Purpose::UpstreamAuthorization, bound_to), Err(SealError));
    }
    assert_eq!(open(Purpose::RequestUri, b"one"), Err(SealError));
    assert_eq!(
        keys.open(Purpose::UpstreamAuthorization, &seal(b"")),
        Err(SealError),
        "another form of the seal"
    );
}

#[test]
fn the_value_of_a_page_is_good_for_its_grant_and_browser_only() {
    let ours = keys();
    let (grant, browser) = (GrantId::from_bytes([1; 16]), BrowserHash::from_bytes([2; 32]));
    let token = ours.csrf_token(grant, browser);
    let token = token.expose();
    assert!(ours.check_csrf_token(token, grant, browser));
    assert!(!ours.check_csrf_token(token, GrantId::from_bytes([3; 16]), browser));
    assert!(!ours.check_csrf_token(token, grant, BrowserHash::from_bytes([3; 32])));
    assert!(!keys().check_csrf_token(token, grant, browser));
    for wrong in ["", "AAAA", "no base64", &token[1..]] {
        assert!(!ours.check_csrf_token(wrong, grant, browser));
    }
}

#[test]
fn the_same_key_file_gives_the_same_keys() {
    let file = KeyFile::draw(&SystemRandom);
    let (one, two) = (Keys::derive(&file), Keys::derive(&file));
    let sealed = one.seal(Purpose::RequestUri, "x", &SystemRandom);
    assert!(two.open(Purpose::RequestUri, &sealed).is_ok());
    assert_eq!(one.access_token_key().kid(), two.access_token_key().kid());
    assert_ne!(one.access_token_key().kid(), keys().access_token_key().kid());
    assert_eq!(one.dpop_nonce(at(0)), two.dpop_nonce(at(0)));
}

#[test]
fn a_nonce_lives_for_its_window_and_the_next() {
    let keys = keys();
    // 1_800_000_000 is a multiple of 60: the window of 0 s is 0..60.
    let nonce = keys.dpop_nonce(at(0));
    assert_eq!(nonce, keys.dpop_nonce(at(59)));
    assert_ne!(nonce, keys.dpop_nonce(at(60)));
    for fresh in [0, 59, 60, 119] {
        assert!(keys.check_dpop_nonce(&nonce, at(fresh)).is_ok(), "at {fresh}");
    }
    for stale in [-1, 120, 600, i64::MAX / 2] {
        assert!(keys.check_dpop_nonce(&nonce, at(stale)).is_err(), "at {stale}");
    }
    let foreign = keys_of_another().dpop_nonce(at(0));
    for made_up in ["", "AAAA", &foreign, &nonce[..20], &format!("{nonce}AAAA")] {
        assert!(keys.check_dpop_nonce(made_up, at(0)).is_err());
    }
}

#[test]
fn a_refresh_token_reads_back_and_has_the_form_of_the_protocol() {
    let keys = keys();
    let family = FamilyId::from_bytes([3; 16]);
    let token = RefreshToken { family, generation: 7, secret: SecretArray::new([5; 32]) };
    let text = keys.write_refresh_token(&token);
    let bytes = URL_SAFE_NO_PAD.decode(text.expose().strip_prefix("kpr_").unwrap()).unwrap();
    assert_eq!(bytes.len(), 16 + 4 + 32 + 16);
    assert_eq!(&bytes[..16], [3; 16]);
    assert_eq!(&bytes[16..20], [0, 0, 0, 7]);
    assert_eq!(&bytes[20..52], [5; 32]);
    assert_eq!(keys.read_refresh_token(&text).unwrap(), token);
    assert!(keys_of_another().read_refresh_token(&text).is_err());
    assert!(RefreshToken { generation: u32::MAX, ..token }.draw_child(&SystemRandom).is_none());
}

#[test]
fn an_access_token_verifies_with_the_published_key() {
    let keys = keys();
    let (claims, key) = (claims(), keys.access_token_key());
    let token = key.sign(&claims);
    assert_eq!(verify(&keys, token.expose()).unwrap(), claims);

    let (signed, signature) = token.expose().rsplit_once('.').unwrap();
    let jwk = key.jwks()["keys"][0].clone();
    let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let point = [vec![4], part("x"), part("y")].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .unwrap();
    assert_eq!(jwk["kid"], key.kid());
    let header = URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().0).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header, serde_json::json!({ "typ": "at+jwt", "alg": "ES256", "kid": key.kid() }));
    assert!(jwk.get("d").is_none(), "the private part stays");
}

#[test]
fn an_access_token_of_another_kind_is_refused() {
    let keys = keys();
    let key = keys.access_token_key();
    let good = key.sign(&claims());
    let good = good.expose();
    let invalid = Err(AccessTokenError::Invalid);
    let kid = key.kid();
    for header in [
        r#"{"alg":"none","typ":"at+jwt"}"#.to_owned(),
        format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"ES256","typ":"JWT","kid":"{kid}"}}"#),
        r#"{"alg":"ES256","typ":"at+jwt","kid":"../../dev/null"}"#.to_owned(),
    ] {
        assert_eq!(verify(&keys, &with_header(good, &header)), invalid, "{header}");
    }
    let (signed, _) = good.rsplit_once('.').unwrap();
    let zero = URL_SAFE_NO_PAD.encode([0; 64]);
    for forged in ["", "..", signed, &format!("{signed}."), &format!("{signed}.{zero}")] {
        assert_eq!(verify(&keys, forged), invalid);
    }
    assert_eq!(verify(&keys_of_another(), good), invalid, "another service's key");
    let other_kind = key.sign_as("JWT", &claims());
    assert_eq!(verify(&keys, other_kind.expose()), invalid, "our signature, another kind");
    for elsewhere in [
        AccessClaims { iss: "https://evil.test".into(), ..claims() },
        AccessClaims { aud: "https://evil.test".into(), ..claims() },
    ] {
        assert_eq!(verify(&keys, key.sign(&elsewhere).expose()), invalid);
    }
}

#[test]
fn an_access_token_is_refused_from_its_last_second_on() {
    let keys = keys();
    let key = keys.access_token_key();
    let token = key.sign(&claims());
    assert!(key.verify(token.expose(), ISSUER, ISSUER, at(299)).is_ok());
    let late = key.verify(token.expose(), ISSUER, ISSUER, at(300));
    assert_eq!(late, Err(AccessTokenError::Expired));
}

/// Whoever read a token that a wrong clock has signed for next year could use it for that year.
#[test]
fn an_access_token_of_the_future_is_refused() {
    let keys = keys();
    let key = keys.access_token_key();
    let at_verify = |iat: i64| {
        let claims =
            AccessClaims { iat: at(iat).seconds(), exp: at(iat + 300).seconds(), ..claims() };
        key.verify(key.sign(&claims).expose(), ISSUER, ISSUER, at(0)).map(drop)
    };
    for near in [-200, 0, 59, 60] {
        assert_eq!(at_verify(near), Ok(()), "{near} s ahead");
    }
    for ahead in [61, 3_600, 200 * 86_400] {
        assert!(at_verify(ahead).is_err(), "{ahead} s ahead");
    }
}

#[test]
fn no_secret_prints() {
    let canary = "canary";
    let token = RefreshToken::draw_first(&SystemRandom);
    let printed = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        SecretText::new(canary),
        AuthorizationCode::received(canary),
        SecretArray::new(*b"canary"),
        keys(),
        KeyFile::draw(&SystemRandom),
        token,
    );
    assert!(!printed.contains(canary));
    assert!(!printed.contains(&format!("{:?}", token.secret.expose())));
}
