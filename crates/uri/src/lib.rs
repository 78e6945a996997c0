//! Rules about URIs that app and service share, so that one does not refuse what the other takes:
//! whether a host is on this machine, and what a private-use redirect URI is (RFC 8252). Pure: no
//! name is resolved, nothing is read.

#![warn(missing_docs)]

mod loopback;
mod private_use;

pub use loopback::is_loopback_host;
pub use private_use::{
    LONGEST_REDIRECT_URI, RedirectUriError, check_characters, check_private_use,
};
