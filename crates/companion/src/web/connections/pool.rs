//! Which of many connections is closed for another. The site with the most loses, unless none has
//! more than a few: then a flood from many sites would pick out whoever has two connections, and
//! all sites are looked at together. There, the phase that most connections are in loses its
//! oldest: a flood is known by what it has most of. Pure; order is counted, not timed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use super::Phase;

/// A connection, where it comes from, its phase and when that began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) id: u64,
    pub(super) site: IpAddr,
    pub(super) phase: Phase,
    pub(super) since: u64,
}

/// The connections that may be closed.
pub(super) struct Pool {
    /// What a browser and an app of one person have at once: with no more a site is not busy.
    few: usize,
    all: Group,
    sites: HashMap<IpAddr, Group>,
    /// The sites by how many connections they have here.
    ranking: BTreeSet<(usize, IpAddr)>,
}

#[derive(Default)]
struct Group {
    count: usize,
    /// Connections of each phase by the beginning of it.
    phases: BTreeMap<Phase, BTreeMap<u64, u64>>,
}

impl Pool {
    pub(super) fn new(few: usize) -> Self {
        let (all, sites, ranking) = (Group::default(), HashMap::new(), BTreeSet::new());
        Self { few, all, sites, ranking }
    }

    pub(super) fn len(&self) -> usize {
        self.all.count
    }

    pub(super) fn insert(&mut self, member: Member) {
        self.all.insert(member);
        let group = self.sites.entry(member.site).or_default();
        self.ranking.remove(&(group.count, member.site));
        group.insert(member);
        self.ranking.insert((group.count, member.site));
    }

    /// Does nothing for one that is not here.
    pub(super) fn remove(&mut self, member: Member) {
        if !self.all.remove(member) {
            return;
        }
        let Some(group) = self.sites.get_mut(&member.site) else { return };
        self.ranking.remove(&(group.count, member.site));
        group.remove(member);
        if group.count == 0 {
            self.sites.remove(&member.site);
        } else {
            self.ranking.insert((group.count, member.site));
        }
    }

    /// The connection to close for another; `None` if there is none.
    pub(super) fn loser(&self) -> Option<u64> {
        let busiest = self.ranking.last().filter(|(count, _)| *count > self.few);
        let group = busiest.and_then(|(_, site)| self.sites.get(site)).unwrap_or(&self.all);
        group.loser()
    }
}

impl Group {
    fn insert(&mut self, Member { id, phase, since, .. }: Member) {
        self.phases.entry(phase).or_default().insert(since, id);
        self.count += 1;
    }

    fn remove(&mut self, Member { phase, since, .. }: Member) -> bool {
        let was_here = self.phases.get_mut(&phase).is_some_and(|of| of.remove(&since).is_some());
        self.count -= usize::from(was_here);
        was_here
    }

    fn loser(&self) -> Option<u64> {
        // Of two phases that are alike the one in which less was done.
        let fullest = self.phases.iter().max_by_key(|(phase, of)| (of.len(), Reverse(**phase)));
        fullest.and_then(|(_, of)| of.values().next().copied())
    }
}
