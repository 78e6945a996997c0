//! The suite that every engine passes.

pub mod attempts;
pub mod codes;
pub mod grants;
pub mod rotation;
