//! What is told beside the view: the notices that no reader of views may miss. Listening is
//! optional.

use keyport_core::{Machine, Problem, Screen, View};
use tokio::sync::broadcast;

use super::ClientNotice;

#[derive(Clone)]
pub(super) struct Notices(pub(super) broadcast::Sender<ClientNotice>);

impl Notices {
    pub(super) fn send(&self, notice: ClientNotice) {
        let _ = self.0.send(notice);
    }

    /// The session of this sign-in is where it belongs.
    pub(super) fn signed_in(&self, machine: &Machine) {
        if let Some((account, stored)) = machine.signed_in() {
            let (account, not_saved) = (Box::new(account.clone()), machine.not_saved());
            self.send(ClientNotice::SignedIn { account, stored, not_saved });
        }
    }

    /// What a new view shows for the first time.
    pub(super) fn of_view(&self, before: &View, view: &View) {
        if let Screen::Confirm { number, .. } = &view.screen
            && !shows_number(before, number)
        {
            self.send(ClientNotice::Confirm(number.clone()));
        }
        if let Screen::Problem { code, attempt, .. } = &view.screen {
            let problem = Problem::from_code(code).unwrap_or(Problem::Internal);
            tracing::info!(attempt, problem = code, "a problem is shown");
            self.send(ClientNotice::Problem { problem, attempt: attempt.clone() });
        }
    }
}

fn shows_number(view: &View, shown: &str) -> bool {
    matches!(&view.screen, Screen::Confirm { number, .. } if number == shown)
}
