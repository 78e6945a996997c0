//! The proxies in front of the service whose word about client addresses counts.

use std::net::IpAddr;

use ipnet::IpNet;

/// The addresses and networks of `KEYPORT_TRUSTED_PROXIES`.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Parses addresses and networks (`10.0.0.5`, `10.0.0.0/8`, `fd00::/8`).
    ///
    /// # Errors
    /// The first item that is neither, or that is a network of every address: then any caller could
    /// name its own.
    pub fn parse(items: &[String]) -> Result<Self, String> {
        let network = |item: &String| {
            let parsed = item.parse::<IpNet>().or_else(|_| item.parse::<IpAddr>().map(IpNet::from));
            parsed.ok().filter(|network| network.prefix_len() > 0).ok_or_else(|| item.clone())
        };
        items.iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this address is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}
