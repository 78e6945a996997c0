//! Runs the core's effects: HTTP, browser, loopback listener, keychain, locks, timers. For the app and the CLI alike.
//! It takes no decision of the sign-in itself; that is `keyport-core`.

pub mod browser;
pub mod http;
pub mod keychain;
pub mod loopback;
pub mod surroundings;
