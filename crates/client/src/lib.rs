//! Runs the core's effects: HTTP, browser, loopback listener, keychain, locks, timers. For the app
//! and the CLI alike. It takes no decision of the sign-in itself; that is `keyport-core`.

pub mod browser;
pub mod config;
pub mod driver;
pub mod http;
pub mod keychain;
pub mod locks;
pub mod platform;
pub mod receivers;
pub mod session;

pub use config::{Channel, Config};
pub use driver::{Client, ClientNotice, Intent};
pub use keyport_messages::Messages;
pub use platform::{Clipboard, Clock, Platform, Random, SystemClock, SystemRandomness};
pub use session::Sessions;
