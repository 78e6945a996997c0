//! The sign-in and session machine: sans-IO, pure and total.
//!
//! [`Machine::step`] takes an event and the time and gives the next machine and what to do about
//! it. There is no async, no clock, no randomness, no file and no network here, and there must not
//! be: the shells (`keyport-client`, the app, the CLI) run the effects. The flow is RFC 8252
//! (native apps) with RFC 9126 (PAR), RFC 7636 (PKCE) and RFC 9207 (`iss`).

pub mod account;
pub mod attempt;
pub mod callback;
pub mod device_session;
pub mod effect;
pub mod event;
pub mod intent;
pub mod machine;
pub mod moment;
pub mod request;
pub mod rotation;
pub mod secret;
pub mod text;
pub mod view;

pub use account::{Account, AccountId, Connection, NewSession, Organization, Stored, Tokens};
pub use attempt::{
    AttemptId, AttemptSeed, CallbackReceiver, Hints, KeptAttempt, Pushed, ReceiverSecrets,
    SessionStore,
};
pub use callback::{AuthorizationResponse, Callback, CallbackError};
pub use device_session::DeviceSession;
pub use effect::{Effect, Outcome};
pub use event::{Event, KeychainContents, Progress, Refreshed};
pub use intent::Intent;
pub use keyport_problems as problem;
pub use keyport_problems::Problem;
pub use machine::Machine;
pub use moment::Moment;
pub use request::{Draws, HintError, HintName, ReceiverOrder, SignInRequest};
pub use view::{Screen, View};
