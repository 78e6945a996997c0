//! Signs people in to a native app with their company's single sign-on, and keeps their sessions:
//! HTTP, browser, callback receivers, keychain, locks, timers. For the app and the CLI alike. It
//! takes no decision of the sign-in itself; that is `keyport-core`.
//!
//! Getting started, with an app that the companion knows as the client record `acme-notes`:
//!
//! ```no_run
//! use keyport_client::{Client, ClientNotice, Hints};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let client = Client::builder("https://sign-in.acme.test")
//!         .app("acme-notes", "test.acme.notes:/callback")
//!         .build()?;
//!     let mut notices = client.notices();
//!     client.sign_in(Hints { email: Some("ada@acme.test".into()), ..Hints::default() });
//!     while let Ok(notice) = notices.recv().await {
//!         match notice {
//!             ClientNotice::Confirm(number) => println!("Does your browser show {number}?"),
//!             ClientNotice::SignedIn { account, .. } => {
//!                 let access = client.sessions().access_token(&account.id).await;
//!                 println!("{} is signed in: {access:?}", account.shown_email());
//!                 break;
//!             }
//!             ClientNotice::Problem { problem, .. } => return Err(problem.code().into()),
//!             ClientNotice::AuthorizationUrl(_) | ClientNotice::Raise => {}
//!         }
//!     }
//!     client.shut_down().await;
//!     Ok(())
//! }
//! ```
//!
//! [`Client::views`] gives what a screen shows at each moment, [`Client::sessions`] the access
//! tokens and the proof for a request. An app with a keychain or a browser of its own hands them to
//! the builder; [`Client::start`] takes everything at once.

pub mod browser;
pub mod builder;
pub mod config;
pub mod driver;
pub mod http;
pub mod keychain;
pub mod locks;
pub mod platform;
pub mod receivers;
pub mod session;

pub use builder::{ClientBuildError, ClientBuilder};
pub use config::{Channel, Config};
pub use driver::{Client, ClientNotice};
pub use keyport_core::{
    CallbackReceiver, Hints, Intent, Problem, ReceiverOrder, SessionStore, SignInRequest,
};
pub use keyport_messages::Messages;
pub use platform::{Clipboard, Clock, Platform, Random, SystemClock, SystemRandomness};
pub use session::Sessions;
