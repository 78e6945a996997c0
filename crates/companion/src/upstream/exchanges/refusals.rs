//! Whose codes the provider refused a moment ago. A made-up code looks like any other until it has
//! been refused, so the one thing to go by is what became of the earlier ones. Bounded; pure.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;

use super::Caller;
use crate::domain::{BrowserHash, Thumbprint};

/// How long a refusal is held against its caller.
const RECENT: Duration = Duration::from_secs(60);
/// Callers remembered, of each kind.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// How a caller is served when not all can be: lower first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// No refused code from its site, device key or browser.
    Clean,
    /// A refused code from its site (its address, of IPv6 its /48), by another device and browser:
    /// a holder of many networks must not have a clean one for each code.
    SharedSite,
    /// Its own device key or browser has brought a refused code.
    Refused,
}

/// Recent refusals.
pub struct Refusals {
    sites: LruCache<IpAddr, Duration>,
    devices: LruCache<Thumbprint, Duration>,
    browsers: LruCache<BrowserHash, Duration>,
}

impl Default for Refusals {
    fn default() -> Self {
        Self {
            sites: LruCache::new(REMEMBERED),
            devices: LruCache::new(REMEMBERED),
            browsers: LruCache::new(REMEMBERED),
        }
    }
}

impl Refusals {
    /// A code of this caller was refused.
    pub fn note(&mut self, caller: &Caller, now: Duration) {
        self.sites.put(caller.site(), now);
        self.devices.put(caller.device, now);
        self.browsers.put(caller.browser, now);
    }

    /// A code of this caller was good: its device and browser are a person's.
    pub fn forget(&mut self, caller: &Caller) {
        self.devices.pop(&caller.device);
        self.browsers.pop(&caller.browser);
    }

    /// How this caller is served.
    pub fn rank(&self, caller: &Caller, now: Duration) -> Rank {
        let recent = |at: Option<&Duration>| at.is_some_and(|at| now < *at + RECENT);
        if recent(self.devices.peek(&caller.device)) || recent(self.browsers.peek(&caller.browser))
        {
            Rank::Refused
        } else if recent(self.sites.peek(&caller.site())) {
            Rank::SharedSite
        } else {
            Rank::Clean
        }
    }
}
