//! The world around the rotations: what keychain, companion, other processes and the person can do
//! to one account, one move at a time. It checks each effect as it is asked for.

mod answers;
mod checks;

use std::collections::{BTreeMap, BTreeSet};

use keyport_core::rotation::{
    Access, KeptSession, LockScope, RotationEffect, RotationEvent, RotationGoal, Rotations,
};
use keyport_core::secret::{AccessToken, RefreshToken};
use keyport_core::{AccountId, Moment};

use crate::samples;

const NOW: Moment = Moment(1_000_000);
/// Of every token here: over at once, so that each rotation is done.
const OVER: Moment = Moment(1_000_000);

/// A token: its family, and its generation.
type Token = (u32, u32);

/// What the companion knows of one family.
#[derive(Clone, Debug)]
struct Family {
    is_alive: bool,
    /// The generation of its newest token. Its parent gives it again.
    current: u32,
}

/// One thing that can happen next.
#[derive(Clone, Copy, Debug)]
pub enum Move {
    /// A task of this process wants a rotation.
    Want,
    /// The effect of this rotation comes to its end, in its n-th way.
    Answer(u64, usize),
    /// Another process rotates what the keychain holds.
    OtherRotates,
    /// Another process signs out.
    OtherSignsOut,
    /// A new sign-in of this process, held in memory.
    SignInInMemory,
    /// The person signs out in this process.
    SignOut,
    /// A sign-in whose save was given up: the item is there after all, or not.
    SaveGivenUp(bool),
    /// The companion ends the session that the keychain holds.
    CompanionEnds,
}

#[derive(Clone)]
pub struct World {
    pub machine: Rotations,
    item: Option<Token>,
    families: Vec<Family>,
    /// Effects that have an answer.
    pending: BTreeMap<u64, RotationEffect>,
    locks: BTreeMap<u64, LockScope>,
    /// The last thing that the companion said to each rotation.
    refused: BTreeSet<u64>,
    /// False once an item could not be removed: no other process reads it either.
    keychain_answers: bool,
    wants: usize,
    others: usize,
    sign_ins: usize,
    pub reached: BTreeSet<String>,
}

pub fn access(deadline: Moment) -> Access {
    Access { token: AccessToken::new("at"), deadline }
}

fn session((family, generation): Token) -> KeptSession {
    let account = samples::account("1");
    let refresh = RefreshToken::new(format!("{family}.{generation}"));
    KeptSession { account, refresh, fresh_until: OVER, key: None, session: None }
}

fn token(refresh: &RefreshToken) -> Token {
    let (family, generation) = refresh.expose().split_once('.').unwrap();
    (family.parse().unwrap(), generation.parse().unwrap())
}

impl World {
    /// With a session in the keychain, and with none.
    pub fn starts() -> Vec<Self> {
        let family = Family { is_alive: true, current: 0 };
        let kept = Self {
            machine: Rotations::of(samples::account("1").issuer),
            item: Some((0, 0)),
            families: vec![family],
            pending: BTreeMap::new(),
            locks: BTreeMap::new(),
            refused: BTreeSet::new(),
            keychain_answers: true,
            wants: 3,
            others: 1,
            sign_ins: 1,
            reached: BTreeSet::new(),
        };
        let mut empty = kept.clone();
        (empty.item, empty.families) = (None, Vec::new());
        vec![kept, empty]
    }

    pub fn account(&self) -> AccountId {
        samples::account("1").id
    }

    /// Everything but what was reached.
    pub fn key(&self) -> String {
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {} {} {} {} {}",
            self.machine,
            self.item,
            self.families,
            self.pending,
            self.locks,
            self.refused,
            self.keychain_answers,
            self.wants,
            self.others,
            self.sign_ins,
            self.tokens()
        )
    }

    /// Secrets print nothing of themselves.
    fn tokens(&self) -> String {
        let known = self.known();
        let pending = self.pending.values().filter_map(|effect| match effect {
            RotationEffect::Refresh { session, .. } => Some(token(&session.refresh)),
            RotationEffect::SaveChild { child, .. } => Some(token(&child.refresh)),
            _ => None,
        });
        format!("{known:?} {:?}", pending.collect::<Vec<_>>())
    }

    fn known(&self) -> Vec<Token> {
        self.machine.known_sessions(&self.account()).map(|known| token(&known.refresh)).collect()
    }

    pub fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        if self.wants > 0 {
            moves.push(Move::Want);
        }
        for (id, effect) in &self.pending {
            moves.extend((0..self.ways(*id, effect)).map(|way| Move::Answer(*id, way)));
        }
        let is_free = self.locks.values().all(|scope| *scope != LockScope::Keychain);
        if self.others > 0 && self.item.is_some() {
            moves.push(Move::CompanionEnds);
        }
        if self.others > 0 && is_free && self.item.is_some() && self.keychain_answers {
            moves.extend([Move::OtherRotates, Move::OtherSignsOut]);
        }
        if self.sign_ins > 0 {
            moves.push(Move::SignInInMemory);
            if is_free {
                moves.extend([Move::SignOut, Move::SaveGivenUp(true), Move::SaveGivenUp(false)]);
            }
        }
        moves
    }

    fn ways(&self, id: u64, effect: &RotationEffect) -> usize {
        match effect {
            // The lock of the keychain is the lock of this process too.
            RotationEffect::TakeLock { .. } if self.locks.keys().any(|other| *other != id) => 0,
            RotationEffect::Refresh { .. } | RotationEffect::SaveChild { .. } => 3,
            RotationEffect::RemoveItem { .. } => 2,
            _ => 1,
        }
    }

    pub fn take(&mut self, next: Move) {
        let account = self.account();
        match next {
            Move::Want => {
                self.wants -= 1;
                let known = self.item.map(|item| session(item).refresh);
                self.step(RotationEvent::Wanted {
                    account,
                    goal: RotationGoal::Rotation { known },
                });
            }
            Move::Answer(id, way) => {
                let effect = self.pending.remove(&id).unwrap();
                let event = self.answer(id, effect, way);
                self.step(event);
            }
            Move::OtherRotates => {
                self.others -= 1;
                let item = self.item.unwrap();
                match self.present(item) {
                    Some(child) => self.item = Some(child),
                    None => self.item = None,
                }
            }
            Move::OtherSignsOut => {
                self.others -= 1;
                let item = self.item.take().unwrap();
                self.families[item.0 as usize].is_alive = false;
            }
            Move::SignInInMemory => self.hold_new_session(),
            Move::SaveGivenUp(happened) => {
                self.step(RotationEvent::SaveBegan { account });
                // The companion ends the older session of the same device key.
                if let Some(older) = self.item {
                    self.families[older.0 as usize].is_alive = false;
                }
                self.hold_new_session();
                if happened {
                    self.item = self.known().first().copied();
                }
            }
            Move::CompanionEnds => {
                self.others -= 1;
                let over = self.item.unwrap();
                self.families[over.0 as usize].is_alive = false;
            }
            Move::SignOut => {
                self.sign_ins -= 1;
                for over in self.known().into_iter().chain(self.item.take()) {
                    self.families[over.0 as usize].is_alive = false;
                }
                self.step(RotationEvent::Forgotten { account });
            }
        }
    }

    fn hold_new_session(&mut self) {
        self.sign_ins -= 1;
        let family = u32::try_from(self.families.len()).unwrap();
        self.families.push(Family { is_alive: true, current: 0 });
        let (session, access) = (Box::new(session((family, 0))), access(OVER));
        self.step(RotationEvent::Held { session, access });
    }

    fn step(&mut self, event: RotationEvent) {
        let (machine, effects) = self.machine.clone().step(event, NOW);
        self.machine = machine;
        for effect in effects {
            let name = format!("{effect:?}");
            self.reached.insert(name.split(' ').next().unwrap_or_default().to_owned());
            self.run(effect);
        }
    }

    fn run(&mut self, effect: RotationEffect) {
        match effect {
            RotationEffect::Refresh { id, ref session, .. } => {
                self.check_presented(id, token(&session.refresh));
                self.pending.insert(id, effect);
            }
            RotationEffect::Pause { id, .. }
            | RotationEffect::TakeLock { id, .. }
            | RotationEffect::ReadSession { id, .. }
            | RotationEffect::ReadAccess { id, .. }
            | RotationEffect::SaveChild { id, .. }
            | RotationEffect::RemoveItem { id, .. } => {
                self.pending.insert(id, effect);
            }
            RotationEffect::ReleaseLock { id } => {
                self.locks.remove(&id);
            }
            RotationEffect::Revoke { token: revoked } => {
                self.families[token(&revoked).0 as usize].is_alive = false;
            }
            RotationEffect::KeepAccess { session, .. } => {
                assert_eq!(self.item, Some(token(&session.refresh)), "kept beside its session");
            }
            RotationEffect::ForgetKey { .. } | RotationEffect::ForgetLostTokens { .. } => {}
            RotationEffect::Done { id, result } => self.check_end(id, &result),
        }
    }
}
