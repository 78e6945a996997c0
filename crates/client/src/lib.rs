//! Runs the core's effects: HTTP, browser, loopback listener, keychain, locks, timers. For the app
//! and the CLI alike. It takes no decision of the sign-in itself; that is `keyport-core`.

pub mod browser;
pub mod config;
pub mod driver;
pub mod http;
pub mod keychain;
pub mod locks;
pub mod loopback;
pub mod session;
pub mod surroundings;

pub use config::{Channel, Config, ListenerWords};
pub use driver::{Client, Intent, Notice};
pub use session::Sessions;
pub use surroundings::{Clipboard, Clock, Platform, Random, SystemClock, SystemRandomness};
