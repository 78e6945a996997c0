//! A model that knows less than the machine and therefore cannot share its mistakes: it watches events and effects, and keeps
//! the books on attempts, codes and sessions.

use std::collections::BTreeSet;

use keyport_core::machine::{LOAD_LIFETIME, REFRESH_LIFETIME};
use keyport_core::{AccountId, AttemptId, Effect, Event, Moment, Refreshed};

#[derive(Default)]
pub struct Model {
    loaded: bool,
    accounts: BTreeSet<AccountId>,
    /// The attempt whose doors may be open, and whether its code went out.
    under_way: Option<AttemptId>,
    exchanged: BTreeSet<AttemptId>,
    saving: Option<(u64, AccountId)>,
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
                if let Ok(vault) = result {
                    self.accounts.extend(vault.accounts.iter().map(|a| a.id.clone()));
                    self.under_way = vault.kept.as_ref().map(|kept| kept.id.clone());
                }
            }
            // The keychain was too slow: its deadline has answered in its place.
            Event::Tick => {
                self.loaded |= now >= Moment(0).after(LOAD_LIFETIME);
                self.refreshing.retain(|(_, _, deadline)| *deadline > now);
            }
            Event::Saved { ticket, result: Ok(()) } => {
                if let Some((_, account)) = self.saving.take_if(|(saving, _)| saving == ticket) {
                    self.accounts.insert(account);
                }
            }
            Event::Refreshed { ticket, result } => {
                let asked = self.refreshing.iter().position(|(t, ..)| t == ticket);
                if let Some((_, account, _)) = asked.map(|at| self.refreshing.remove(at))
                    && *result == Refreshed::Ended
                {
                    self.accounts.remove(&account);
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
                if !matches!(event, Event::Called(_) | Event::Loaded { .. }) {
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
                self.saving = Some((*ticket, session.account.id.clone()));
            }
            Effect::Hold { session } => {
                self.saving = None;
                self.accounts.insert(session.account.id.clone());
                // A new session of the same account makes an answer to the older one's refresh stale.
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
            Effect::SignOut { account } => self.sign_out(account),
            // An erasure after a late save is of a session that lives on in memory; this one is of an account that goes.
            Effect::Erase { account } if *event == Event::SignOutWanted => self.sign_out(account),
            Effect::Revoke { .. } => self.saving = None,
            _ => {}
        }
        Ok(())
    }

    fn sign_out(&mut self, account: &AccountId) {
        self.accounts.remove(account);
        self.refreshing.retain(|(_, refreshing, _)| refreshing != account);
    }
}
