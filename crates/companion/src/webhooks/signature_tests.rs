//! Signatures, the forged ones first. Made here from the description of WorkOS.

use super::*;

const NOW: i64 = 1_800_000_000;
const BODY: &[u8] = b"{\"id\":\"event_1\"}";
const SECRET: &str = "whsec_of_this_endpoint";

fn hex(secret: &str, millis: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signed = [millis.to_string().as_bytes(), b".", body].concat();
    base16ct::lower::encode_string(hmac::sign(&key, &signed).as_ref())
}

fn header(secret: &str, millis: i64, body: &[u8]) -> String {
    format!("t={millis}, v1={}", hex(secret, millis, body))
}

fn checked(header: &str, body: &[u8]) -> Result<(), SignatureError> {
    let secrets = [SecretText::new("whsec_of_before_it"), SecretText::new(SECRET)];
    check(header, body, &secrets, Timestamp::from_seconds(NOW))
}

#[test]
fn a_signature_of_another_form_is_refused() {
    let now = NOW * 1000;
    let good = hex(SECRET, now, BODY);
    for header in [
        String::new(),
        "t=".into(),
        good.clone(),
        format!("t={now}"),
        format!("v1={good}"),
        format!("v1={good}, t={now}"),
        format!("t={now},v1={good}"),
        format!("t={now},  v1={good}"),
        format!(" t={now}, v1={good}"),
        format!("t={now}, v1={good} "),
        format!("t={now}, v1={good}, v1={good}"),
        format!("t={now}, v1={}, v1={good}", hex("x", now, BODY)),
        format!("t={now}, v1={good}, v2=x"),
        format!("t={now}, t={now}, v1={good}"),
        format!("t={now}, v1={}", good.to_uppercase()),
        format!("t={now}, v1={}", &good[2..]),
        format!("t={now}, v1={good}00"),
        format!("t={now}, v1="),
        format!("t=+{now}, v1={good}"),
        format!("t=-1, v1={good}"),
        format!("t={now}.0, v1={good}"),
        format!("t={}, v1={good}", "9".repeat(17)),
        format!("T={now}, V1={good}"),
    ] {
        assert_eq!(checked(&header, BODY), Err(SignatureError::Malformed), "{header:?}");
    }
}

#[test]
fn a_signature_of_the_past_or_the_future_is_refused() {
    for (off, is_good) in
        [(0, true), (180_000, true), (-180_000, true), (180_001, false), (-180_001, false)]
    {
        let answer = checked(&header(SECRET, NOW * 1000 + off, BODY), BODY);
        assert_eq!(answer.is_ok(), is_good, "{off}");
    }
    for far in [0, 9_999_999_999_999_999, NOW] {
        assert_eq!(checked(&header(SECRET, far, BODY), BODY), Err(SignatureError::Time), "{far}");
    }
}

#[test]
fn a_signature_of_another_secret_or_body_is_refused() {
    let now = NOW * 1000;
    for (header, body) in [
        (header("whsec_of_another", now, BODY), BODY),
        (header("", now, BODY), BODY),
        (header(SECRET, now, BODY), &b"{\"id\":\"event_2\"}"[..]),
        (header(SECRET, now, BODY), b""),
        (header(SECRET, now, b""), BODY),
        (format!("t={}, v1={}", now + 1, hex(SECRET, now, BODY)), BODY),
        (format!("t=0{now}, v1={}", hex(SECRET, now, BODY)), BODY),
    ] {
        assert_eq!(checked(&header, body), Err(SignatureError::Mismatch), "{header}");
    }
    let at = Timestamp::from_seconds(NOW);
    let none = check(&header(SECRET, now, BODY), BODY, &[], at);
    assert_eq!(none, Err(SignatureError::Mismatch), "without a secret");
}

#[test]
fn a_signature_of_any_of_the_secrets_is_good() {
    let now = NOW * 1000;
    for secret in ["whsec_of_before_it", SECRET] {
        assert_eq!(checked(&header(secret, now, BODY), BODY), Ok(()));
    }
    assert_eq!(checked(&header(SECRET, now, b""), b""), Ok(()), "an empty body is one");
}

/// Of the test of the official crate.
#[test]
fn the_known_answer() {
    let secrets = [SecretText::new("secret")];
    let at = Timestamp::from_seconds(1_700_000_000);
    let sent = header("secret", 1_700_000_000_000, b"body");
    assert_eq!(check(&sent, b"body", &secrets, at), Ok(()));
}
