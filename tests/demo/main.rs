//! The demo, placeholder until the pieces exist.
fn main() {}
