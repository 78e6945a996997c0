//! The person's own sessions at the companion: listed, and ended one by one or all together. With
//! an access token of one of them and a proof over it (RFC 9449 §7).

use http::{Method, Request, Response, StatusCode};
use keyport_core::secret::AccessToken;
use keyport_core::{DeviceSession, Moment, Problem};
use serde_json::Value;
use url::Url;

use super::companion::CompanionClient;
use super::dpop::DeviceKey;
use super::error;
use super::token::session_id;
use super::wire::Body;

/// What the companion said to a request with an access token.
#[derive(Debug)]
pub(crate) enum Resource<T> {
    /// What was asked for.
    Answered(T),
    /// 401: the access token is not taken (any more).
    TokenRefused,
}

impl CompanionClient {
    /// Every living session of the person.
    pub(crate) async fn sessions(
        &self,
        key: &DeviceKey,
        token: &AccessToken,
    ) -> Result<Resource<Vec<DeviceSession>>, Problem> {
        let response = self.ask_sessions(Method::GET, None, key, token).await?;
        if is_refused(&response) {
            return Ok(Resource::TokenRefused);
        }
        if response.status() != StatusCode::OK {
            return Err(error::of_answer(&response));
        }
        let answer: Value =
            serde_json::from_slice(response.body()).map_err(|_| Problem::UnexpectedAnswer)?;
        let listed = answer["sessions"].as_array().ok_or(Problem::UnexpectedAnswer)?;
        Ok(Resource::Answered(listed.iter().filter_map(read).collect()))
    }

    /// Ends one session of the person, or with `None` all of them. One that there is not (any more)
    /// is as good as ended.
    pub(crate) async fn end_sessions(
        &self,
        session: Option<&str>,
        key: &DeviceKey,
        token: &AccessToken,
    ) -> Result<Resource<()>, Problem> {
        let response = self.ask_sessions(Method::DELETE, session, key, token).await?;
        if is_refused(&response) {
            return Ok(Resource::TokenRefused);
        }
        let is_gone = session.is_some() && error::is_not_found(&response);
        if response.status() == StatusCode::NO_CONTENT || is_gone {
            return Ok(Resource::Answered(()));
        }
        Err(error::of_answer(&response))
    }

    async fn ask_sessions(
        &self,
        method: Method,
        session: Option<&str>,
        key: &DeviceKey,
        token: &AccessToken,
    ) -> Result<Response<Body>, Problem> {
        let endpoints = self.endpoints().await.map_err(|e| e.as_problem(Problem::Internal))?;
        // A companion of an earlier version has none.
        let endpoint = endpoints.sessions.as_ref().ok_or(Problem::UnexpectedAnswer)?;
        let url = match session {
            Some(session) => below(endpoint, session).ok_or(Problem::Internal)?,
            None => endpoint.clone(),
        };
        let request = Request::builder().method(method).uri(url.as_str()).body(Body::default());
        self.send_proven(key, Some(token), request.map_err(|_| Problem::Internal)?).await
    }
}

fn is_refused(response: &Response<Body>) -> bool {
    response.status() == StatusCode::UNAUTHORIZED
}

/// The address of one session.
fn below(endpoint: &Url, session: &str) -> Option<Url> {
    let mut url = endpoint.clone();
    url.path_segments_mut().ok()?.push(session);
    Some(url)
}

/// One without a name could not be ended, so it is not shown.
fn read(listed: &Value) -> Option<DeviceSession> {
    let text = |name: &str| {
        let text = listed[name].as_str().filter(|text| !text.trim().is_empty());
        text.map(str::to_owned)
    };
    let moment = |name: &str| Some(Moment(listed[name].as_u64()?.saturating_mul(1000)));
    let signed_in_at = moment("created_at")?;
    Some(DeviceSession {
        id: session_id(&listed["id"])?,
        is_this: listed["current"].as_bool().unwrap_or_default(),
        app: text("client_name"),
        device: text("device_name"),
        signed_in_at,
        last_used: moment("last_used_at").unwrap_or(signed_in_at),
        address: text("address"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_session_is_read_with_what_is_known_of_it() {
        let bare = json!({"id": "session_1", "created_at": 7});
        let wanted = DeviceSession {
            id: "session_1".into(),
            is_this: false,
            app: None,
            device: None,
            signed_in_at: Moment(7_000),
            last_used: Moment(7_000),
            address: None,
        };
        assert_eq!(read(&bare), Some(wanted.clone()));
        let whole = json!({
            "id": "session_1", "created_at": 7, "last_used_at": 9, "current": true,
            "client_name": "Keyport", "device_name": "Ada's laptop", "address": "192.0.2.7",
        });
        let (app, device) = (Some("Keyport".into()), Some("Ada's laptop".into()));
        let address = Some("192.0.2.7".into());
        let last_used = Moment(9_000);
        let wanted = DeviceSession { is_this: true, app, device, last_used, address, ..wanted };
        assert_eq!(read(&whole), Some(wanted));
        for other in [json!({"created_at": 7}), json!({"id": "a/b", "created_at": 7}), json!(7)] {
            assert_eq!(read(&other), None, "{other}");
        }
    }
}
