//! A model that knows less than the machine and therefore cannot share its mistakes: it watches
//! events and effects, and keeps the books on attempts, codes and sessions.

use std::collections::{BTreeMap, BTreeSet};

use keyport_core::machine::{LOAD_LIFETIME, REFRESH_LIFETIME};
use keyport_core::secret::RefreshToken;
use keyport_core::{
    AccountId, AttemptId, Effect, Event, Intent, KeychainContents, Moment, Refreshed, Stored,
};

#[derive(Default)]
pub struct Model {
    loaded: bool,
    accounts: BTreeMap<AccountId, Stored>,
    /// The reading under way after the first, when it counts as unanswered, and what it may not
    /// bring back.
    rereading: Option<(u64, Moment)>,
    leaving: BTreeSet<AccountId>,
    /// The attempt whose receivers may be open, and whether its code went out.
    under_way: Option<AttemptId>,
    exchanged: BTreeSet<AttemptId>,
    /// Ticket, account, and the token by which a revocation is of this session.
    saving: Option<(u64, AccountId, RefreshToken)>,
    /// Ticket, account, and when it counts as unanswered.
    refreshing: Vec<(u64, AccountId, Moment)>,
}

impl Model {
    pub fn is_signed_in(&self) -> bool {
        !self.accounts.is_empty()
    }

    /// Takes one step into the books, or says which rule it broke.
    pub fn observe(
        &mut self,
        event: &Event,
        effects: &[Effect],
        now: Moment,
    ) -> Result<(), String> {
        self.observe_event(event, now);
        for effect in effects {
            self.observe_effect(effect, event, now)?;
        }
        Ok(())
    }

    fn observe_event(&mut self, event: &Event, now: Moment) {
        match event {
            Event::Loaded { ticket: 0, result } if !self.loaded => {
                self.loaded = true;
                if let Ok(contents) = result {
                    self.follow(contents);
                    self.under_way = contents.kept.as_ref().map(|kept| kept.id.clone());
                }
            }
            Event::Loaded { ticket, result }
                if self.rereading.is_some_and(|(asked, _)| asked == *ticket) =>
            {
                self.rereading = None;
                if let Ok(contents) = result {
                    self.follow(contents);
                    if let (None, Some(kept)) = (&self.under_way, &contents.kept) {
                        // Of use only to the first reading that was answered; the machine knows.
                        self.under_way = Some(kept.id.clone());
                    }
                }
            }
            Event::SignedOut { account } | Event::SignOutUnfinished { account, .. } => {
                self.leaving.remove(account);
            }
            // The keychain was too slow: its deadline has answered in its place.
            Event::Tick => {
                self.loaded |= now >= Moment(0).after(LOAD_LIFETIME);
                self.rereading.take_if(|(_, deadline)| *deadline <= now);
                self.refreshing.retain(|(_, _, deadline)| *deadline > now);
            }
            Event::Saved { ticket, result: Ok(()) } => {
                if let Some((_, account, _)) = self.saving.take_if(|(saving, ..)| saving == ticket)
                {
                    self.keep(account, Stored::Keychain);
                }
            }
            Event::Refreshed { ticket, result } => {
                let asked = self.refreshing.iter().position(|(t, ..)| t == ticket);
                let account = asked.map(|at| self.refreshing.remove(at).1);
                match (account, result) {
                    (Some(account), Refreshed::Ended(_)) => {
                        self.rereading = None;
                        self.accounts.remove(&account);
                    }
                    (Some(account), Refreshed::Done { stored, .. }) => {
                        self.accounts.insert(account, *stored);
                    }
                    (Some(_), Refreshed::Later(_)) | (None, _) => {}
                }
            }
            _ => {}
        }
    }

    fn observe_effect(
        &mut self,
        effect: &Effect,
        event: &Event,
        now: Moment,
    ) -> Result<(), String> {
        match effect {
            Effect::Prepare(seed) => self.under_way = Some(seed.id.clone()),
            Effect::ExchangeCode { attempt, .. } => {
                if self.under_way.as_ref() != Some(attempt) {
                    return Err(format!(
                        "a code of {attempt:?} was exchanged, which is not under way"
                    ));
                }
                if !matches!(event, Event::CallbackReceived(_) | Event::Loaded { .. }) {
                    return Err(format!("{event:?} exchanged a code at {now:?}"));
                }
                self.under_way = None;
                self.exchanged.insert(attempt.clone());
            }
            Effect::Save { ticket, session } => {
                let Event::Exchanged { attempt, .. } = event else {
                    return Err(format!("{event:?} had a session saved"));
                };
                if !self.exchanged.contains(attempt) {
                    return Err(format!(
                        "a session of {attempt:?} was saved, whose code never went out"
                    ));
                }
                let token = session.tokens.refresh.clone();
                self.saving = Some((*ticket, session.account.id.clone(), token));
            }
            Effect::Hold { session } => {
                self.saving = None;
                self.keep(session.account.id.clone(), Stored::Memory);
                // A new session of the same account makes an answer to the older one's refresh
                // stale.
                self.refreshing.retain(|(_, account, _)| *account != session.account.id);
            }
            Effect::Refresh { ticket, account } => {
                if self.refreshing.iter().any(|(t, ..)| t == ticket) {
                    return Err(format!("ticket {ticket} was given twice"));
                }
                self.refreshing.retain(|(_, refreshing, _)| refreshing != account);
                let deadline = now.after(REFRESH_LIFETIME);
                self.refreshing.push((*ticket, account.clone(), deadline));
            }
            // Following has no deadline: nothing waits for it.
            Effect::Load { ticket } if self.follows(event) => {
                self.rereading = Some((*ticket, Moment(u64::MAX)));
            }
            Effect::Load { ticket } => {
                self.rereading = Some((*ticket, now.after(LOAD_LIFETIME)));
            }
            Effect::SignOut { account } => {
                self.sign_out(account);
                self.leaving.insert(account.clone());
            }
            // An erasure after a late save is of a session that lives on in memory; this one is of
            // an account that goes.
            Effect::Erase { account }
                if matches!(event, Event::Intended { intent: Intent::SignOut, .. }) =>
            {
                self.sign_out(account);
            }
            Effect::Revoke { token } => {
                self.saving.take_if(|(.., saving)| saving == token);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether what is read now only follows the keychain: who is signed in stays in view.
    fn follows(&self, event: &Event) -> bool {
        match event {
            Event::KeychainChanged => true,
            Event::Intended { intent: Intent::Dismiss, .. } => true,
            Event::Intended { intent: Intent::TryAgain, .. } => !self.accounts.is_empty(),
            _ => false,
        }
    }

    /// What the keychain lists, and what is in memory.
    fn follow(&mut self, contents: &KeychainContents) {
        let listed = contents.accounts.iter().map(|account| account.id.clone());
        let listed: BTreeSet<_> = listed.filter(|id| !self.leaving.contains(id)).collect();
        self.accounts.retain(|id, stored| *stored == Stored::Memory || listed.contains(id));
        let accounts = &self.accounts;
        self.refreshing.retain(|(_, account, _)| accounts.contains_key(account));
        for id in listed {
            self.accounts.entry(id).or_insert(Stored::Keychain);
        }
    }

    fn keep(&mut self, account: AccountId, stored: Stored) {
        self.rereading = None;
        self.leaving.remove(&account);
        self.accounts.insert(account, stored);
    }

    fn sign_out(&mut self, account: &AccountId) {
        self.rereading = None;
        self.accounts.remove(account);
        self.refreshing.retain(|(_, refreshing, _)| refreshing != account);
    }
}
