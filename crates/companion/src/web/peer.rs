//! Whom a request comes from: the address of the connection, or, behind a proxy that the settings
//! name, the client address that the proxy forwarded. Used to share what is scarce between callers,
//! never to admit anyone.

use std::net::IpAddr;

use axum::http::HeaderMap;

use crate::config::TrustedProxies;
use crate::domain::PeerAddress;

/// The peer of a request on a connection from `remote`. `X-Forwarded-For` and `Forwarded`
/// (RFC 7239) count on connections from a trusted proxy only. Read from the end, the first address
/// that is no trusted proxy is the client. Where both headers are there and disagree, one of them
/// was sent by the client itself and neither is believed.
pub fn peer_of(remote: IpAddr, headers: &HeaderMap, proxies: &TrustedProxies) -> PeerAddress {
    let remote = remote.to_canonical();
    if !proxies.contains(remote) {
        return PeerAddress(remote);
    }
    let de_facto = last_untrusted(x_forwarded_for(headers), proxies);
    let standard = last_untrusted(forwarded(headers), proxies);
    let client = match (de_facto, standard) {
        (Hops::Client(one), Hops::Client(other)) if one == other => Some(one),
        (Hops::Client(client), Hops::Absent) | (Hops::Absent, Hops::Client(client)) => Some(client),
        _ => None,
    };
    PeerAddress(client.unwrap_or(remote))
}

/// What a forwarding header says.
enum Hops {
    /// The header is not there.
    Absent,
    /// It names no client: an obfuscated or unreadable hop, or trusted proxies only.
    Unknown,
    /// The last hop that is no trusted proxy.
    Client(IpAddr),
}

fn last_untrusted(hops: Option<Vec<Option<IpAddr>>>, proxies: &TrustedProxies) -> Hops {
    let Some(hops) = hops else { return Hops::Absent };
    let client = hops.into_iter().rev().find(|hop| hop.is_none_or(|hop| !proxies.contains(hop)));
    client.flatten().map_or(Hops::Unknown, Hops::Client)
}

fn x_forwarded_for(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    let text = all(headers, "x-forwarded-for")?;
    Some(text.split(',').map(|hop| address(hop.trim())).collect())
}

fn forwarded(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    let text = all(headers, "forwarded")?;
    let parsed = rfc7239::parse(&text).map(|node| {
        let identifier = node.ok()?.forwarded_for?;
        match identifier.name {
            rfc7239::NodeName::Ip(address) => Some(address.to_canonical()),
            _ => None,
        }
    });
    Some(parsed.collect())
}

/// All lines of a header as one list (RFC 9110 §5.2).
fn all(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines: Vec<&str> = headers
        .get_all(name)
        .into_iter()
        .map(|line| line.to_str().unwrap_or("unreadable"))
        .collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

/// An address, with or without port; some proxies write one.
fn address(text: &str) -> Option<IpAddr> {
    let parsed =
        text.parse().or_else(|_| text.parse().map(|address: std::net::SocketAddr| address.ip()));
    parsed.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn peer(remote: &str, lines: &[(&str, &str)]) -> String {
        let headers = lines
            .iter()
            .map(|(name, value)| {
                (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
            })
            .collect();
        let proxies = TrustedProxies::parse(&["10.0.0.0/8".into(), "::1".into()]).unwrap();
        peer_of(remote.parse().unwrap(), &headers, &proxies).0.to_string()
    }

    #[test]
    fn believes_a_forwarded_address_only_from_a_trusted_proxy() {
        let spoofed = [("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=203.0.113.7")];
        assert_eq!(peer("198.51.100.1", &spoofed), "198.51.100.1");
        assert_eq!(peer("10.0.0.1", &spoofed), "203.0.113.7");
        assert_eq!(peer("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn takes_the_last_hop_that_is_no_trusted_proxy() {
        for (line, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("198.51.100.9, 203.0.113.7", "203.0.113.7"),
            ("198.51.100.9, 203.0.113.7, 10.1.1.1", "203.0.113.7"),
            ("198.51.100.9,::ffff:203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:4711", "203.0.113.7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("198.51.100.9, unknown", "10.0.0.1"),
            ("10.1.1.1", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(peer("10.0.0.1", &[("x-forwarded-for", line)]), expected, "{line}");
        }
        let lines = [("x-forwarded-for", "198.51.100.9"), ("x-forwarded-for", "203.0.113.7")];
        assert_eq!(peer("10.0.0.1", &lines), "203.0.113.7");
    }

    #[test]
    fn reads_the_standard_header() {
        for (line, expected) in [
            ("for=198.51.100.9, for=203.0.113.7;proto=https", "203.0.113.7"),
            ("for=\"[2001:db8::7]:4711\"", "2001:db8::7"),
            ("for=198.51.100.9, for=_hidden", "10.0.0.1"),
            ("for=198.51.100.9, nonsense", "10.0.0.1"),
        ] {
            assert_eq!(peer("10.0.0.1", &[("forwarded", line)]), expected, "{line}");
        }
    }

    #[test]
    fn believes_neither_of_two_headers_that_disagree() {
        let lines = [("forwarded", "for=198.51.100.9"), ("x-forwarded-for", "203.0.113.7")];
        assert_eq!(peer("10.0.0.1", &lines), "10.0.0.1");
        let lines = [("forwarded", "nonsense"), ("x-forwarded-for", "203.0.113.7")];
        assert_eq!(peer("10.0.0.1", &lines), "10.0.0.1");
    }
}
