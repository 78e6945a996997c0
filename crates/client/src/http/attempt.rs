//! The side channel of one sign-in, `docs/protocol.md` "Attempt": how far the browser is, how it
//! ended here, and cancelling. One request each; how often to ask is `driver::watch`'s.

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use keyport_core::effect::Outcome;
use keyport_core::{AttemptId, Problem};
use serde::{Deserialize, Serialize};

use super::authorized::Companion;
use super::dpop::DeviceKey;
use super::trouble::{self, Trouble};
use super::wire::Body;

/// How far an attempt is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing came back yet.
    Waiting,
    /// The page shows this number.
    Confirm(String),
    /// The browser is on its way back.
    Minted,
    /// It ended over there.
    Failed(Problem),
    /// Anything that says nothing new to one who waits, or that only a newer companion knows.
    Other,
}

#[derive(Deserialize)]
struct Said {
    state: String,
    number: Option<String>,
    problem: Option<String>,
}

#[derive(Serialize)]
struct Told {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl Companion {
    /// Asks how far the attempt is.
    ///
    /// # Errors
    /// When it does not say. Says nothing about the attempt itself.
    pub async fn attempt_standing(
        &self,
        key: &DeviceKey,
        attempt: &AttemptId,
    ) -> Result<Standing, Trouble> {
        let response = self.send_about(key, attempt, Method::GET, Body::default()).await?;
        if response.status() != StatusCode::OK {
            return Err(trouble::of_answer(&response).into());
        }
        let said: Said =
            serde_json::from_slice(response.body()).map_err(|_| Problem::UnexpectedAnswer)?;
        Ok(said.standing())
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
    ) -> Result<(), Trouble> {
        let told = match outcome {
            Outcome::Stored => Told { outcome: "stored", code: None },
            Outcome::Memory => Told { outcome: "memory", code: None },
            Outcome::Failed(problem) => Told { outcome: "failed", code: Some(problem.code()) },
        };
        let body = serde_json::to_vec(&told).map_err(|_| Problem::Internal)?.into();
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
    ) -> Result<(), Trouble> {
        let response = self.send_about(key, attempt, Method::DELETE, Body::default()).await?;
        taken(&response)
    }

    async fn send_about(
        &self,
        key: &DeviceKey,
        attempt: &AttemptId,
        method: Method,
        body: Body,
    ) -> Result<Response<Body>, Trouble> {
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

impl Said {
    fn standing(self) -> Standing {
        let is_number = |n: &String| n.len() == 2 && n.bytes().all(|b| b.is_ascii_digit());
        let named = self.problem.as_deref().and_then(Problem::from_code);
        match (self.state.as_str(), self.number.filter(is_number)) {
            ("waiting", _) => Standing::Waiting,
            ("confirm", Some(number)) => Standing::Confirm(number),
            ("minted", _) => Standing::Minted,
            ("failed", _) => Standing::Failed(named.unwrap_or(Problem::Internal)),
            ("cancelled", _) => Standing::Failed(named.unwrap_or(Problem::Cancelled)),
            _ => Standing::Other,
        }
    }
}

fn taken(response: &Response<Body>) -> Result<(), Trouble> {
    if response.status().is_success() { Ok(()) } else { Err(trouble::of_answer(response).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(json: &str) -> Standing {
        serde_json::from_str::<Said>(json).unwrap().standing()
    }

    #[test]
    fn a_standing_is_read_as_the_protocol_says_and_the_unknown_is_no_news() {
        for (json, expected) in [
            (r#"{"state":"waiting"}"#, Standing::Waiting),
            (r#"{"state":"confirm","number":"42"}"#, Standing::Confirm("42".into())),
            (r#"{"state":"confirm"}"#, Standing::Other),
            (r#"{"state":"confirm","number":"<b>"}"#, Standing::Other),
            (r#"{"state":"minted"}"#, Standing::Minted),
            (
                r#"{"state":"failed","problem":"access_denied"}"#,
                Standing::Failed(Problem::AccessDenied),
            ),
            (r#"{"state":"failed","problem":"newer"}"#, Standing::Failed(Problem::Internal)),
            (r#"{"state":"cancelled"}"#, Standing::Failed(Problem::Cancelled)),
            (r#"{"state":"cancelled","problem":"not_me"}"#, Standing::Failed(Problem::NotMe)),
            (r#"{"state":"cancelled","problem":"newer"}"#, Standing::Failed(Problem::Cancelled)),
            (r#"{"state":"redeemed"}"#, Standing::Other),
            (r#"{"state":"queued"}"#, Standing::Other),
        ] {
            assert_eq!(standing(json), expected, "{json}");
        }
    }
}
