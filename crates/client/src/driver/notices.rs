//! What the machine's task tells beside its effects: the view, and the notices that no reader of
//! views may miss.

use keyport_core::effect::Outcome;
use keyport_core::{Effect, Moment, Problem, Screen, View};

use super::engine::Engine;
use super::{ClientNotice, short};

impl Engine {
    pub(super) fn announce(&self, effect: &Effect) {
        match effect {
            Effect::OpenBrowser { url, .. } => {
                self.notify(ClientNotice::AuthorizationUrl(url.clone()));
            }
            Effect::CopyLink { url } if self.platform.clipboard.is_none() => {
                self.notify(ClientNotice::AuthorizationUrl(url.clone()));
            }
            Effect::Raise => self.notify(ClientNotice::Raise),
            Effect::Report { attempt, outcome: Outcome::Stored | Outcome::Memory } => {
                if let Some((account, stored)) = self.machine.signed_in() {
                    tracing::info!(attempt = short(attempt), ?stored, "session stored");
                    let (account, not_saved) =
                        (Box::new(account.clone()), self.machine.not_saved());
                    self.notify(ClientNotice::SignedIn { account, stored, not_saved });
                }
            }
            _ => {}
        }
    }

    pub(super) fn draw_view(&self, now: Moment) {
        let view = View::of(&self.machine, now);
        let before = self.views.borrow().clone();
        match &view.screen {
            Screen::Confirm { number, .. } if !shows_number(&before, number) => {
                self.notify(ClientNotice::Confirm(number.clone()));
            }
            Screen::Problem { code, attempt, .. } if view != before => {
                let problem = Problem::from_code(code).unwrap_or(Problem::Internal);
                tracing::info!(attempt, problem = code, "a problem is shown");
                self.notify(ClientNotice::Problem { problem, attempt: attempt.clone() });
            }
            _ => {}
        }
        if view != before {
            self.views.send_replace(view);
        }
    }

    fn notify(&self, notice: ClientNotice) {
        // Listening is optional.
        let _ = self.notices.send(notice);
    }
}

fn shows_number(view: &View, shown: &str) -> bool {
    matches!(&view.screen, Screen::Confirm { number, .. } if number == shown)
}
