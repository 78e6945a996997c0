//! What people see in the browser: pages as data, and how each is drawn. Works without scripts and
//! with styles off; nothing external; every sentence comes from `keyport-messages`. Which page is
//! due is decided elsewhere.

mod draw;
mod layout;
mod rendered;

pub use layout::document;
pub use rendered::PageContext;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use keyport_problems::Problem;

use crate::domain::{AttemptId, GrantId, SecretText};

/// One page, before it is drawn.
#[derive(Debug, Clone)]
pub enum Page {
    /// `GET /`.
    Home,
    /// No such address.
    NotFound,
    /// The browser did something that no page of ours asks for.
    Refused,
    /// Our own fault, or the database's.
    Failed,
    /// The sign-in ended, and why.
    Problem(ProblemPage),
    /// A device that is new to this person.
    Confirm(ConfirmPage),
    /// The way back to the app; carries the code.
    Go(GoPage),
    /// The app is at work. `shown`: the statuses that this page stands for.
    Finishing {
        /// Which hand-off.
        grant: GrantId,
        /// Statuses that leave the page as it is, blanks between.
        shown: &'static str,
    },
    /// The app has said so.
    SignedIn {
        /// Who.
        email: String,
        /// Kept in memory only.
        memory: bool,
    },
    /// An app that does not tell how it ends.
    Return,
    /// The status frame of pages without scripts.
    Frame(FramePage),
}

/// A problem.
#[derive(Debug, Clone)]
pub struct ProblemPage {
    /// Which.
    pub problem: Problem,
    /// The attempt to name to IT; none: the request's own id is named.
    pub attempt: Option<AttemptId>,
    /// An address that opens the app, where the person must start there.
    pub open: Option<String>,
    /// HTTP status of the answer.
    pub status: StatusCode,
}

/// Asks whether the person wants to be signed in on that device.
#[derive(Debug, Clone)]
pub struct ConfirmPage {
    /// Which hand-off.
    pub grant: GrantId,
    /// Who signed in.
    pub email: String,
    /// What the device says of itself.
    pub device: Option<String>,
    /// The number to compare; none for an app that cannot show it.
    pub number: Option<u8>,
    /// What an answer to this page has to bring.
    pub csrf_token: Arc<SecretText>,
}

/// Leads back to the app.
#[derive(Debug, Clone)]
pub struct GoPage {
    /// Which hand-off.
    pub grant: GrantId,
    /// Redirect URI with code, state and issuer.
    pub target: Arc<SecretText>,
}

/// What the frame says, and how often it has asked.
#[derive(Debug, Clone)]
pub struct FramePage {
    /// Which hand-off.
    pub grant: GrantId,
    /// How it stands.
    pub status: FrameStatus,
    /// How many times the frame has refreshed itself.
    pub asked: u32,
}

/// What the frame can say.
#[derive(Debug, Clone)]
pub enum FrameStatus {
    /// Not there yet.
    Underway,
    /// The person is asked something on the page itself, or it has ended: the page has more to say.
    GoOn,
    /// Done.
    SignedIn {
        /// Who.
        email: String,
        /// Kept in memory only.
        memory: bool,
    },
}

impl Page {
    /// A problem that belongs to no attempt.
    pub fn problem(problem: Problem) -> Self {
        Self::Problem(ProblemPage {
            problem,
            attempt: None,
            open: None,
            status: StatusCode::BAD_REQUEST,
        })
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Refused => StatusCode::FORBIDDEN,
            Self::Failed => StatusCode::SERVICE_UNAVAILABLE,
            Self::Problem(page) => page.status,
            _ => StatusCode::OK,
        }
    }
}

/// The page travels as data to `web::present`, which knows the request id and draws it.
impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<crate::storage::StorageError> for Page {
    fn from(cause: crate::storage::StorageError) -> Self {
        tracing::error!(%cause, "storage failed");
        Self::Failed
    }
}
