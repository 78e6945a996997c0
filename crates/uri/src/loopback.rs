//! Whether a host is on this machine. It resolves no name.

use std::net::IpAddr;

/// Whether this host of a URL or of a connection is on this machine: `localhost` (RFC 6761 §6.3),
/// an address of 127.0.0.0/8 or ::1 (RFC 8252 §8.3), the latter with or without its brackets.
///
/// ```
/// use keyport_uri::is_loopback_host;
///
/// assert!(is_loopback_host("127.0.0.1") && is_loopback_host("[::1]"));
/// assert!(!is_loopback_host("localhost.example.com"));
/// ```
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_address_or_its_name_is_on_this_machine() {
        for host in ["localhost", "127.0.0.1", "127.0.0.2", "::1", "[::1]"] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in [
            "",
            "LOCALHOST",
            "localhost.",
            "localhost.a.test",
            "0.0.0.0",
            "10.0.0.1",
            "128.0.0.1",
            "127.1",
            "::",
            "[::1",
            "::ffff:127.0.0.1",
            "a.test",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
