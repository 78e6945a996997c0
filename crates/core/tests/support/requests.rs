//! The books on requests to sign in: what was asked for last, which receivers were tried for it,
//! and whether memory was chosen. Each attempt that the machine prepares must follow from them.

use std::collections::BTreeSet;

use keyport_core::problem::NextStep;
use keyport_core::{
    AttemptId, AttemptSeed, CallbackReceiver, Draws, Effect, Event, Hints, Intent, Screen,
    SessionStore, SignInRequest, View,
};

use crate::samples;

#[derive(Default)]
pub struct Requests {
    last: SignInRequest,
    tried: BTreeSet<CallbackReceiver>,
    store: SessionStore,
    /// Asked for while the keychain was read.
    noted: Option<(SignInRequest, AttemptId)>,
}

impl Requests {
    /// Takes one step into the books; `shown` is what the person saw before it.
    pub fn observe(
        &mut self,
        event: &Event,
        effects: &[Effect],
        shown: &View,
    ) -> Result<(), String> {
        let seed = effects.iter().find_map(|effect| match effect {
            Effect::Prepare(seed) => Some(seed),
            _ => None,
        });
        if let Event::Intended { intent: Intent::ContinueWithoutSaving, .. } = event
            && is_about_the_keychain(&shown.screen)
        {
            (self.store, self.last.store) = (SessionStore::Memory, SessionStore::Memory);
        }
        match (event, seed) {
            (Event::Intended { intent, draws }, Some(seed)) => {
                self.attempt_of(intent, draws, seed, shown)
            }
            (Event::Intended { intent, draws }, None) => {
                let request = self.asked_for(intent).map(|r| (r, draws.attempt.clone()));
                self.noted = request.or_else(|| self.noted.take());
                Ok(())
            }
            // The keychain has answered, or its deadline has.
            (Event::Loaded { .. } | Event::Tick, Some(seed)) => {
                let (request, attempt) = self.noted.take().ok_or("nothing was noted")?;
                self.begun(request, true, &attempt, seed)
            }
            (Event::Loaded { .. }, None) => {
                // An attempt of an earlier process is taken up again.
                if effects.iter().any(|effect| matches!(effect, Effect::Watch { .. })) {
                    self.tried = [CallbackReceiver::Link].into();
                }
                Ok(())
            }
            (_, Some(seed)) => Err(format!("{event:?} prepared {seed:?}")),
            (_, None) => Ok(()),
        }
    }

    fn attempt_of(
        &mut self,
        intent: &Intent,
        draws: &Draws,
        seed: &AttemptSeed,
        shown: &View,
    ) -> Result<(), String> {
        if let Some(request) = self.asked_for(intent) {
            return self.begun(request, true, &draws.attempt, seed);
        }
        let mut request = self.last.clone();
        match intent {
            Intent::TryAgain | Intent::ContinueWithoutSaving => {}
            Intent::AnotherWay if shown.another_way => {
                let receivers = seed.receivers.iter().map(|drawn| drawn.receiver);
                request.receivers = receivers.collect();
                if request.receivers.iter().any(|receiver| self.tried.contains(receiver)) {
                    return Err(format!("{:?} was tried", request.receivers));
                }
            }
            other => return Err(format!("{other:?} began an attempt")),
        }
        self.begun(request, false, &draws.attempt, seed)
    }

    /// The request that this intent is, unless it is about the last one.
    fn asked_for(&self, intent: &Intent) -> Option<SignInRequest> {
        match intent {
            Intent::SignIn { email } => {
                let hints = Hints { email: email.clone(), ..Hints::default() };
                Some(SignInRequest { hints, receivers: Vec::new(), store: self.store })
            }
            Intent::SignInWith(request) => Some(request.clone()),
            _ => None,
        }
    }

    fn begun(
        &mut self,
        mut request: SignInRequest,
        is_new: bool,
        attempt: &AttemptId,
        seed: &AttemptSeed,
    ) -> Result<(), String> {
        if request.receivers.is_empty() {
            request.receivers.push(samples::receivers().usual());
        }
        let receivers: Vec<_> = seed.receivers.iter().map(|drawn| drawn.receiver).collect();
        let (wanted, got) = (
            (&request.hints, &request.receivers, request.store, attempt),
            (&seed.hints, &receivers, seed.store, &seed.id),
        );
        if wanted != got {
            return Err(format!("{wanted:?} was asked for, {got:?} begun"));
        }
        if is_new {
            self.tried.clear();
        }
        self.tried.extend(receivers);
        self.last = request;
        Ok(())
    }
}

/// What an intent must do in view of the screen that offers it, and of any other.
pub fn check_offers(shown: &View, intent: &Intent, effects: &[Effect]) {
    let prepares = effects.iter().any(|effect| matches!(effect, Effect::Prepare(_)));
    let loads = effects.iter().any(|effect| matches!(effect, Effect::Load { .. }));
    let signs_out = effects.iter().any(|effect| matches!(effect, Effect::SignOut { .. }));
    // A problem without an attempt is of a reading or a sign-out: no sign-in repeats it.
    let problem = match &shown.screen {
        Screen::Problem { code, next, attempt, .. } => Some((*code, *next, attempt.is_some())),
        _ => None,
    };
    match intent {
        // The same random values as those of the attempt under way: the same event twice.
        Intent::AnotherWay if shown.screen == Screen::Preparing && !prepares => {}
        Intent::AnotherWay => assert_eq!(prepares, shown.another_way, "{shown:?}"),
        Intent::TryAgain => match problem {
            Some((code, next, is_of_attempt)) => {
                assert!(!signs_out || code == "not_signed_out", "{shown:?}");
                let reads = matches!(next, NextStep::LoadAgain | NextStep::KeychainAgain);
                assert_eq!(
                    (loads, prepares),
                    (reads && !is_of_attempt, is_of_attempt),
                    "{shown:?}"
                );
            }
            None => assert!(!loads && !signs_out, "{shown:?}"),
        },
        Intent::ContinueWithoutSaving => {
            let goes_on = matches!(problem, Some((_, NextStep::KeychainAgain, true)));
            assert_eq!((loads, prepares), (false, goes_on), "{shown:?}");
        }
        Intent::Dismiss => {
            let says_who_is_left = problem.is_some_and(|(code, ..)| code == "not_signed_out");
            assert_eq!((loads, prepares), (says_who_is_left, false), "{shown:?}");
        }
        _ => assert!(!loads),
    }
}

fn is_about_the_keychain(screen: &Screen) -> bool {
    use NextStep::{KeychainAgain, LoadAgain};
    matches!(screen, Screen::Problem { next: KeychainAgain | LoadAgain, .. })
}
