//! Which of a user's sessions are alive at WorkOS.

use workos::resources::user_management::ListSessionsParams;

use super::AuthKit;
use crate::upstream::UpstreamError;
use crate::upstream::workos_sso::within;

/// Largest page of a list.
const PAGE: i64 = 100;

impl AuthKit {
    /// All pages of the list, and of it what is active: a list may hold what has ended. A user who
    /// is not there has none.
    ///
    /// # Errors
    /// WorkOS did not answer as it should.
    pub(super) async fn list(&self, user: &str) -> Result<Vec<String>, UpstreamError> {
        let users = self.account.client().user_management();
        let (mut alive, mut after) = (Vec::new(), None);
        loop {
            let params =
                ListSessionsParams { after, limit: Some(PAGE), ..ListSessionsParams::default() };
            let page = match within(users.list_sessions(user, params)).await {
                Err(UpstreamError::NotFound) => return Ok(Vec::new()),
                page => page?,
            };
            let active =
                page.data.into_iter().filter(|session| session.status.as_str() == "active");
            alive.extend(active.map(|session| session.id));
            after = page.list_metadata.after.filter(|after| !after.is_empty());
            if after.is_none() {
                return Ok(alive);
            }
        }
    }
}
