//! How an effect comes to its end, in each of its ways, and the companion's token endpoint.

use keyport_core::rotation::{RefreshError, RotationEffect, RotationEvent};
use keyport_core::secret::AccessToken;
use keyport_core::{Problem, Tokens};

use super::{OVER, Token, World, session, token};

impl World {
    pub(super) fn answer(&mut self, id: u64, effect: RotationEffect, way: usize) -> RotationEvent {
        match effect {
            RotationEffect::Pause { .. } => RotationEvent::PauseEnded { id },
            RotationEffect::TakeLock { scope, .. } => {
                self.locks.insert(id, scope);
                RotationEvent::LockTaken { id, result: Ok(()) }
            }
            RotationEffect::ReadSession { .. } => {
                RotationEvent::SessionRead { id, result: Ok(self.item.map(session)) }
            }
            RotationEffect::Refresh { session, .. } => {
                self.refused.remove(&id);
                let result = match way {
                    0 => self.answered(id, token(&session.refresh)),
                    1 => {
                        // The answer is lost, not the request.
                        let _ = self.present(token(&session.refresh));
                        Err(RefreshError::NotNow(Problem::Offline))
                    }
                    _ => Err(RefreshError::NotNow(Problem::ServiceUnavailable)),
                };
                RotationEvent::RefreshAnswered { id, result, key: None }
            }
            RotationEffect::SaveChild { child, .. } => {
                match way {
                    0 => self.item = Some(token(&child.refresh)),
                    // The parent went, the child did not come.
                    1 => self.item = None,
                    _ => {}
                }
                RotationEvent::ChildSaved { id, saved: way == 0 }
            }
            RotationEffect::RemoveItem { .. } => {
                match way {
                    0 => self.item = None,
                    _ => self.keychain_answers = false,
                }
                RotationEvent::ItemRemoved { id, removed: way == 0 }
            }
            other => panic!("{other:?} has no answer"),
        }
    }

    fn answered(&mut self, id: u64, presented: Token) -> Result<Tokens, RefreshError> {
        let Some(child) = self.present(presented) else {
            self.refused.insert(id);
            return Err(RefreshError::GrantInvalid(Problem::AccessEnded));
        };
        let (refresh, access) = (session(child).refresh, AccessToken::new("at"));
        Ok(Tokens { refresh, access, access_deadline: OVER, session: None })
    }

    /// The token endpoint: `None` is `invalid_grant`.
    pub(super) fn present(&mut self, (family, generation): Token) -> Option<Token> {
        let known = &mut self.families[family as usize];
        if !known.is_alive {
            return None;
        }
        if generation == known.current {
            known.current = generation + 1;
        } else {
            assert!(
                generation + 1 == known.current,
                "an old token is presented, which ends its family: {family}.{generation}"
            );
        }
        Some((family, known.current))
    }
}
