//! The proxies in front of the service whose word about client addresses counts.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// The addresses and networks of `KEYPORT_TRUSTED_PROXIES`.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Parses addresses and networks (`10.0.0.5`, `10.0.0.0/8`, `fd00::/8`). IPv4-mapped IPv6 ones
    /// (RFC 4291 §2.5.5.2) are those of IPv4.
    ///
    /// # Errors
    /// The first item that is neither, or that is a network of every address, IPv4 or IPv6: then
    /// any caller could name its own.
    pub fn parse(items: &[String]) -> Result<Self, String> {
        let network = |item: &String| {
            let parsed = item.parse::<IpNet>().or_else(|_| item.parse::<IpAddr>().map(IpNet::from));
            let network =
                parsed.ok().and_then(canonical).filter(|network| network.prefix_len() > 0);
            network.ok_or_else(|| item.clone())
        };
        items.iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this address is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An IPv4-mapped network as the IPv4 network that it is; `None` if it holds other addresses too.
fn canonical(network: IpNet) -> Option<IpNet> {
    let IpNet::V6(mapped) = network else { return Some(network) };
    let Some(address) = mapped.addr().to_ipv4_mapped() else { return Some(network) };
    Ipv4Net::new(address, mapped.prefix_len().checked_sub(96)?).ok().map(IpNet::V4)
}
