//! The suite that every engine passes.

pub mod attempts;
pub mod codes;
pub mod device_keys;
pub mod ended_access;
pub mod event_histories;
pub mod events;
pub mod grants;
pub mod limits;
pub mod listings;
pub mod rotation;
