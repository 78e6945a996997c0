//! The companion over real HTTP, hostile first. Full-system runs with the emulator are in the `tests` package.

mod attempt;
mod authorize;
mod callback;
mod dpop;
mod handoff;
mod limits;
mod par;
mod support;
mod token;
