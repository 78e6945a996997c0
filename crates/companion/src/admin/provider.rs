//! What the provider's refusals mean to an operator, and what to do about each.

use super::{AdminError, Administration};
use crate::upstream::{FieldFault, ProviderAccount, ProviderAccountError};

impl Administration {
    /// The account at the provider.
    ///
    /// # Errors
    /// The provider has none that can be asked.
    pub fn account(&self) -> Result<&dyn ProviderAccount, AdminError> {
        let account = self.app.upstreams.current().upstream().account();
        account.ok_or_else(|| AdminError::failed("this provider has no account to be asked about"))
    }
}

/// Explains an answer about `what`, such as "connection conn_…".
pub fn explain(error: &ProviderAccountError, what: &str) -> AdminError {
    match error {
        ProviderAccountError::Unreachable => AdminError::unreachable(
            "the provider was not reached, or a proxy answered in its place: look at the network \
             and at WORKOS_BASE_URL. What was asked for may have been done",
        ),
        ProviderAccountError::Failed(status) => AdminError::unreachable(format!(
            "the provider failed ({status}): try again later. What was asked for may have been done"
        )),
        ProviderAccountError::WrongKey => AdminError::failed(
            "the provider does not accept WORKOS_API_KEY (401): take a key that is not revoked, of \
             the environment of WORKOS_CLIENT_ID",
        ),
        ProviderAccountError::Forbidden => AdminError::refused(
            "WORKOS_API_KEY may not do this (403): its permissions or the plan of the account do \
             not include it. Look at the key in the provider's dashboard",
        ),
        ProviderAccountError::NotFound => AdminError::not_found(format!(
            "the provider has no {what} (404): look at the id, and whether WORKOS_API_KEY is of \
             the same environment"
        )),
        ProviderAccountError::Conflict => AdminError::failed(format!(
            "{what} conflicts with what the provider has (409): it exists already, or was changed \
             meanwhile. Look at it and try again"
        )),
        ProviderAccountError::Invalid(faults) => AdminError::failed(format!(
            "the provider does not accept the values (422){}",
            listed(faults)
        )),
        ProviderAccountError::TooMany { retry_after: Some(seconds) } => AdminError::unreachable(
            format!("the provider asks for fewer requests (429): try again in {seconds} seconds"),
        ),
        ProviderAccountError::TooMany { retry_after: None } => AdminError::unreachable(
            "the provider asks for fewer requests (429): try again in a minute",
        ),
        ProviderAccountError::Nonsense => AdminError::failed(
            "the provider's answer has another shape than its interface describes: a newer version \
             of this program may read it",
        ),
    }
}

fn listed(faults: &[FieldFault]) -> String {
    let faults: Vec<String> = faults
        .iter()
        .map(|fault| match &fault.field {
            Some(field) => format!("{field}: {}", fault.code),
            None => fault.code.clone(),
        })
        .collect();
    if faults.is_empty() {
        return ", and does not say which".to_owned();
    }
    format!(": {}", faults.join(", "))
}
