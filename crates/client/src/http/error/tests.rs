use super::*;

fn answer(status: u16, body: &str) -> Response<Body> {
    let json = "application/json; charset=utf-8";
    let answer = Response::builder().status(status).header("content-type", json);
    answer.body(Body::new(body.as_bytes().to_vec())).unwrap()
}

fn of_kind(kind: &'static str, mut answer: Response<Body>) -> Response<Body> {
    answer.headers_mut().insert("content-type", kind.parse().unwrap());
    answer
}

const ENDS: &str = r#"{"error":"invalid_grant","request_id":"r1"}"#;

/// An error as the companion writes it.
fn refused(error: &str) -> String {
    format!(r#"{{"error":"{error}","error_description":"…","request_id":"r1"}}"#)
}

#[test]
fn only_the_refusal_of_a_token_endpoint_ends_anything() {
    let ended = HttpError::GrantInvalid { why: None };
    assert_eq!(of_token_answer(&answer(400, ENDS)), ended);
    for (what, refused) in [
        ("401", answer(401, ENDS)),
        ("403", answer(403, ENDS)),
        ("404", answer(404, ENDS)),
        ("500", answer(500, ENDS)),
        ("302", answer(302, ENDS)),
        ("200", answer(200, ENDS)),
        ("a page", of_kind("text/html", answer(400, ENDS))),
        ("text", of_kind("text/plain", answer(400, ENDS))),
        ("no kind", of_kind("", answer(400, ENDS))),
        ("no id", answer(400, r#"{"error":"invalid_grant"}"#)),
        ("an empty id", answer(400, r#"{"error":"invalid_grant","request_id":""}"#)),
        ("an id that is no text", answer(400, r#"{"error":"invalid_grant","request_id":7}"#)),
        ("a list", answer(400, r#"["invalid_grant","r1"]"#)),
        ("a string", answer(400, r#""invalid_grant""#)),
        ("more", answer(400, &refused("invalid_grant "))),
        ("two", answer(400, r#"{"error":"x","error":"invalid_grant","request_id":"r1"}"#)),
        ("a tail", answer(400, &format!("{ENDS}<html>"))),
    ] {
        assert!(matches!(of_token_answer(&refused), HttpError::Problem(_)), "{what}");
    }
    assert_eq!(of_answer(&answer(400, ENDS)), Problem::ServiceRefused, "elsewhere");
}

#[test]
fn only_the_end_of_a_session_counts_as_its_reason() {
    let why = |problem: &str| {
        let body = ENDS.replace('}', &format!(r#","keyport_problem":{problem}}}"#));
        match of_token_answer(&answer(400, &body)) {
            HttpError::GrantInvalid { why } => why,
            HttpError::Problem(problem) => panic!("{problem:?}"),
        }
    };
    assert_eq!(why("\"access_ended\""), Some(Problem::AccessEnded));
    assert_eq!(why("\"signed_out_elsewhere\""), Some(Problem::SignedOutElsewhere));
    for other in ["\"offline\"", "\"keychain_locked\"", "\"ACCESS_ENDED\"", "\"\"", "null"] {
        assert_eq!(why(other), None, "{other}");
    }
}

#[test]
fn a_page_is_no_revocation() {
    assert!(is_revoked(&of_kind("text/plain", answer(200, ""))));
    assert!(is_revoked(&answer(200, "{}")) && is_revoked(&answer(200, " {\n}")));
    for (what, refused) in [
        ("a page", of_kind("text/html", answer(200, "<html>"))),
        ("text", of_kind("text/plain", answer(200, "ok"))),
        ("an error", answer(200, r#"{"error":"forbidden"}"#)),
        ("our error", answer(200, ENDS)),
        ("success", answer(200, r#"{"ok":true}"#)),
        ("a list", answer(200, "[]")),
        ("null", answer(200, "null")),
        ("a tail", answer(200, "{}<html>")),
        ("an object in a page", of_kind("text/html", answer(200, "{}"))),
        ("201", answer(201, "")),
        ("204", answer(204, "")),
        ("302", answer(302, "")),
        ("503", answer(503, "")),
    ] {
        assert!(!is_revoked(&refused), "{what}");
    }
}

#[test]
fn what_is_refused_has_a_problem_and_ends_nothing() {
    for (status, body, problem) in [
        (400, &*refused("invalid_request"), Problem::ServiceRefused),
        (401, &*refused("invalid_client"), Problem::ServiceRefused),
        (400, &*refused("invalid_dpop_proof"), Problem::ServiceRefused),
        (400, &*refused("access_denied"), Problem::AccessDenied),
        (407, "", Problem::ProxyRefused),
        (429, "slow down", Problem::TooManyRequests),
        (500, ENDS, Problem::ServiceUnavailable),
        (503, &*refused("temporarily_unavailable"), Problem::ServiceUnavailable),
        (302, "", Problem::UnexpectedAnswer),
        (404, "<html>", Problem::UnexpectedAnswer),
    ] {
        assert_eq!(of_answer(&answer(status, body)), problem, "{status} {body}");
    }
}

#[test]
fn what_something_in_between_answers_is_no_word_of_the_companion() {
    for status in [400, 401, 403, 404, 451] {
        for body in [
            r#"{"error":"forbidden","message":"Sign in to the network"}"#,
            r#"{"error":"access_denied","keyport_problem":"domain_unknown"}"#,
            r#"{"error":"access_denied","request_id":""}"#,
            r#"{"error":"access_denied","request_id":null}"#,
            r#"{"error":{"code":403},"request_id":"r1"}"#,
            r#"["access_denied","r1","domain_unknown"]"#,
            "{}",
        ] {
            let problem = of_answer(&answer(status, body));
            assert_eq!(problem, Problem::UnexpectedAnswer, "{status} {body}");
        }
        let page = of_kind("text/html", answer(status, &refused("access_denied")));
        assert_eq!(of_answer(&page), Problem::UnexpectedAnswer, "{status}");
    }
}

#[test]
fn takes_the_named_problem_if_this_version_knows_it() {
    let named = |code: &str| {
        of_answer(&answer(400, &refused(&format!(r#"access_denied","keyport_problem":"{code}"#))))
    };
    assert_eq!(named("domain_unknown"), Problem::DomainUnknown);
    assert_eq!(named("of_another_version"), Problem::AccessDenied);
}
