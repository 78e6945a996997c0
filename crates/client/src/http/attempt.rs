//! The side channel of one sign-in, `docs/protocol.md` "Attempt": how far the browser is, how it
//! ended here, and cancelling. One request each; how often to ask is `driver::watch`'s.

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use keyport_core::effect::Outcome;
use keyport_core::{AttemptId, Problem};
use serde::{Deserialize, Serialize};

use super::companion::CompanionClient;
use super::dpop::DeviceKey;
use super::error::{self, HttpError};
use super::wire::Body;

/// How far an attempt is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptStatus {
    /// Nothing came back yet.
    Waiting,
    /// The page shows this number.
    Confirm(String),
    /// The browser is on its way back.
    Minted,
    /// Its code was redeemed.
    Redeemed,
    /// It ended over there.
    Failed(Problem),
    /// Anything that says nothing new to one who waits, or that only a newer companion knows.
    Other,
}

#[derive(Deserialize)]
struct StatusResponse {
    state: String,
    number: Option<String>,
    problem: Option<String>,
}

#[derive(Serialize)]
struct OutcomeRequest {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl CompanionClient {
    /// Asks how far the attempt is.
    ///
    /// # Errors
    /// When it does not say. Says nothing about the attempt itself.
    pub async fn attempt_status(
        &self,
        key: &DeviceKey,
        attempt: &AttemptId,
    ) -> Result<AttemptStatus, HttpError> {
        let response = self.send_about(key, attempt, Method::GET, Body::default()).await?;
        if response.status() != StatusCode::OK {
            return Err(error::of_answer(&response).into());
        }
        let response_body: StatusResponse =
            serde_json::from_slice(response.body()).map_err(|_| Problem::UnexpectedAnswer)?;
        Ok(response_body.status())
    }

    /// Says how the attempt ended here, so that its page tells the truth.
    ///
    /// # Errors
    /// When the companion did not take it.
    pub async fn report_attempt(
        &self,
        key: &DeviceKey,
        attempt: &AttemptId,
        outcome: Outcome,
    ) -> Result<(), HttpError> {
        let outcome = match outcome {
            Outcome::Stored => OutcomeRequest { outcome: "stored", code: None },
            Outcome::Memory => OutcomeRequest { outcome: "memory", code: None },
            Outcome::Failed(problem) => {
                OutcomeRequest { outcome: "failed", code: Some(problem.code()) }
            }
        };
        let body = serde_json::to_vec(&outcome).map_err(|_| Problem::Internal)?.into();
        let response = self.send_about(key, attempt, Method::POST, body).await?;
        taken(&response)
    }

    /// Says that the person cancelled.
    ///
    /// # Errors
    /// When the companion did not take it.
    pub async fn cancel_attempt(
        &self,
        key: &DeviceKey,
        attempt: &AttemptId,
    ) -> Result<(), HttpError> {
        let response = self.send_about(key, attempt, Method::DELETE, Body::default()).await?;
        taken(&response)
    }

    async fn send_about(
        &self,
        key: &DeviceKey,
        attempt: &AttemptId,
        method: Method,
        body: Body,
    ) -> Result<Response<Body>, HttpError> {
        let endpoint = &self.endpoints().await?.attempt;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{endpoint}/{}", attempt.0))
            .header(ACCEPT, "application/json");
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(body).map_err(|_| Problem::Internal)?;
        Ok(self.send_proven(key, None, request).await?)
    }
}

impl StatusResponse {
    fn status(self) -> AttemptStatus {
        let is_number = |n: &String| n.len() == 2 && n.bytes().all(|b| b.is_ascii_digit());
        let named = self.problem.as_deref().and_then(Problem::from_code);
        match (self.state.as_str(), self.number.filter(is_number)) {
            ("waiting", _) => AttemptStatus::Waiting,
            ("confirm", Some(number)) => AttemptStatus::Confirm(number),
            ("minted", _) => AttemptStatus::Minted,
            ("redeemed" | "stored" | "memory", _) => AttemptStatus::Redeemed,
            ("failed", _) => AttemptStatus::Failed(named.unwrap_or(Problem::Internal)),
            ("cancelled", _) => AttemptStatus::Failed(named.unwrap_or(Problem::Cancelled)),
            _ => AttemptStatus::Other,
        }
    }
}

fn taken(response: &Response<Body>) -> Result<(), HttpError> {
    if response.status().is_success() { Ok(()) } else { Err(error::of_answer(response).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(json: &str) -> AttemptStatus {
        serde_json::from_str::<StatusResponse>(json).unwrap().status()
    }

    #[test]
    fn reads_the_attempt_status_and_ignores_unknown_states() {
        for (json, expected) in [
            (r#"{"state":"waiting"}"#, AttemptStatus::Waiting),
            (r#"{"state":"confirm","number":"42"}"#, AttemptStatus::Confirm("42".into())),
            (r#"{"state":"confirm"}"#, AttemptStatus::Other),
            (r#"{"state":"confirm","number":"<b>"}"#, AttemptStatus::Other),
            (r#"{"state":"minted"}"#, AttemptStatus::Minted),
            (
                r#"{"state":"failed","problem":"access_denied"}"#,
                AttemptStatus::Failed(Problem::AccessDenied),
            ),
            (r#"{"state":"failed","problem":"newer"}"#, AttemptStatus::Failed(Problem::Internal)),
            (r#"{"state":"cancelled"}"#, AttemptStatus::Failed(Problem::Cancelled)),
            (r#"{"state":"cancelled","problem":"not_me"}"#, AttemptStatus::Failed(Problem::NotMe)),
            (
                r#"{"state":"cancelled","problem":"newer"}"#,
                AttemptStatus::Failed(Problem::Cancelled),
            ),
            (r#"{"state":"redeemed"}"#, AttemptStatus::Redeemed),
            (r#"{"state":"stored"}"#, AttemptStatus::Redeemed),
            (r#"{"state":"memory"}"#, AttemptStatus::Redeemed),
            (r#"{"state":"queued"}"#, AttemptStatus::Other),
        ] {
            assert_eq!(status(json), expected, "{json}");
        }
    }
}
