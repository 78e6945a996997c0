//! Network addresses of callers: used to share what is scarce between them, never to admit anyone.
//! How the address of a request is found is not decided here.

use std::net::{IpAddr, Ipv6Addr};

/// The address that a request comes from. Every request carries one as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PeerAddress(pub IpAddr);

impl PeerAddress {
    /// What one caller can be assumed to have: an IPv4 address, or an IPv6 network of 64 bits.
    #[must_use]
    pub fn network(self) -> IpAddr {
        network_of(self.0, 64)
    }
}

/// What one holder can be assumed to have at most: an IPv4 address, or an IPv6 network of 48 bits
/// (RFC 6177 §2).
pub fn site(address: IpAddr) -> IpAddr {
    network_of(address, 48)
}

/// An IPv4 address itself; of an IPv6 address its network of so many bits.
fn network_of(address: IpAddr, bits: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let hosts = u128::MAX.checked_shr(bits).unwrap_or_default();
            IpAddr::V6(Ipv6Addr::from(u128::from(address) & !hosts))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_has_an_ipv6_network_and_one_ipv4_address() {
        let network = |text: &str| PeerAddress(text.parse().unwrap()).network().to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
        let site = |text: &str| site(text.parse().unwrap()).to_string();
        assert_eq!(site("2001:db8:1:2:3:4:5:6"), "2001:db8:1::");
        assert_eq!(site("203.0.113.7"), "203.0.113.7");
    }
}
