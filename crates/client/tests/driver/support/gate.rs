//! What stands before every endpoint of the test companion: the proof, the nonce, and what the test
//! wants to go wrong.

use std::collections::VecDeque;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::companion::{Fault, Fields, Seen, Shared, World};
use super::proof;

impl Shared {
    /// Proof, nonce and fault first; then what the endpoint does.
    #[allow(clippy::too_many_arguments, reason = "one place for what every endpoint checks")]
    pub(super) async fn take(
        &self,
        what: &'static str,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        access_token: Option<&str>,
        fields: Fields,
        then: impl FnOnce(&mut World, &Seen) -> Response,
    ) -> Response {
        let url = format!("{}{path}", self.issuer);
        let proof = headers["dpop"].to_str().unwrap();
        let (thumbprint, jti, nonce) = proof::check(proof, method.as_str(), &url, access_token);
        let expected = {
            let mut world = self.world.lock().unwrap();
            assert!(world.proofs.insert(jti), "a proof is used once");
            format!("nonce-{}", world.nonce)
        };
        if nonce.as_deref() != Some(&expected) {
            return self.asks_for_nonce(what, &expected);
        }
        let fault = {
            let mut world = self.world.lock().unwrap();
            world.faults.get_mut(what).and_then(VecDeque::pop_front)
        };
        let seen = Seen { what: what.to_owned(), fields, thumbprint };
        let response = match fault {
            Some(Fault::Answers(status, body)) => {
                self.note(&seen);
                answer(status, body)
            }
            Some(Fault::AnsweredInBetween(status, body)) => {
                self.note(&seen);
                return (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
            }
            Some(Fault::LosesTheRequest) => {
                self.note(&seen);
                lost()
            }
            Some(Fault::LosesTheAnswer) => {
                self.done(&seen, then);
                lost()
            }
            Some(Fault::Waits(go)) => {
                self.waits(&seen, go).await;
                self.done(&seen, then)
            }
            Some(Fault::WaitsAndAnswers(go, status, body)) => {
                self.waits(&seen, go).await;
                self.note(&seen);
                answer(status, body)
            }
            None => self.done(&seen, then),
        };
        with_nonce(response, &expected)
    }

    fn done(&self, seen: &Seen, then: impl FnOnce(&mut World, &Seen) -> Response) -> Response {
        let response = then(&mut self.world.lock().unwrap(), seen);
        self.note(seen);
        response
    }

    async fn waits(&self, seen: &Seen, mut go: watch::Receiver<bool>) {
        self.note(&Seen { what: format!("{} waits", seen.what), ..seen.clone() });
        let _ = go.wait_for(|go| *go).await;
    }

    fn note(&self, seen: &Seen) {
        self.world.lock().unwrap().seen.push(seen.clone());
        self.changed.send_replace(());
    }

    fn asks_for_nonce(&self, what: &str, nonce: &str) -> Response {
        let resource = ["userinfo", "standing", "report", "cancel"].contains(&what);
        let challenge = [("www-authenticate", "DPoP error=\"use_dpop_nonce\"")];
        let body = Json(json!({"error": "use_dpop_nonce", "request_id": "request-1"}));
        let response = if resource {
            (StatusCode::UNAUTHORIZED, challenge, body).into_response()
        } else {
            (StatusCode::BAD_REQUEST, body).into_response()
        };
        with_nonce(response, nonce)
    }
}

fn answer(status: u16, mut body: Value) -> Response {
    if body.get("error").is_some() {
        body["request_id"] = "request-1".into();
    }
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

fn with_nonce(mut response: Response, nonce: &str) -> Response {
    response.headers_mut().insert(HeaderName::from_static("dpop-nonce"), nonce.parse().unwrap());
    response
}

/// The head of an answer, and then the connection breaks.
fn lost() -> Response {
    let broken = futures_util::stream::once(async {
        Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    Response::new(Body::from_stream(broken))
}
