//! The token-exchange service: an OAuth 2.1 authorization server in front of WorkOS.
pub mod domain;
pub mod keys;
pub mod storage;
