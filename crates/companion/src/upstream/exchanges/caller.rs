//! Whom an exchange is charged to.

use std::net::IpAddr;

use crate::domain::{BrowserHash, Thumbprint, site};

/// Whom an exchange is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The address that the callback came from; of IPv6 its network of 64 bits.
    pub peer: IpAddr,
    /// The device key that the request was pushed with.
    pub device: Thumbprint,
    /// The browser that it was opened in.
    pub browser: BrowserHash,
}

impl Caller {
    /// The network that one holder can be assumed to have at most: of IPv6 a /48 (RFC 6177 §2),
    /// else the address.
    pub fn site(&self) -> IpAddr {
        site(self.peer)
    }
}
