//! A pushed authorization request as data (RFC 9126). How it is read and sealed stands beside it.

use crate::admission::UpstreamSelector;
use crate::domain::{AttemptId, Thumbprint};

/// What was pushed, proved and admitted. No `Debug`: it holds the client's `state`.
#[derive(Clone)]
pub struct PushedRequest {
    /// The app.
    pub client_id: String,
    /// Where the code goes.
    pub redirect_uri: String,
    /// The app's own `state`; empty if it sent none.
    pub state: String,
    /// S256.
    pub code_challenge: String,
    /// Granted scope.
    pub scope: String,
    /// The device key.
    pub jkt: Thumbprint,
    /// The one selector that goes upstream.
    pub selector: UpstreamSelector,
    /// An email to fill in upstream.
    pub login_hint: Option<String>,
    /// What the device says of itself.
    pub device_name: Option<String>,
    /// The client's attempt.
    pub attempt: Option<AttemptId>,
    /// First second at which it may not be opened any more.
    pub deadline: i64,
}
