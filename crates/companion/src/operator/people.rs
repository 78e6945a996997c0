//! People as a command names them: by our id or by email.

use super::AdminAccess;
use crate::admin::{AdminError, ListUsers, UserLine};
use crate::domain::UserId;
use crate::storage::UserSelector;

/// Reads `user_…` or an email.
///
/// # Errors
/// It is neither.
pub fn selector(text: &str) -> Result<UserSelector, String> {
    if let Ok(id) = text.parse::<UserId>() {
        return Ok(UserSelector::Id(id));
    }
    if text.contains('@') && !text.contains(char::is_whitespace) {
        return Ok(UserSelector::Email(text.to_owned()));
    }
    Err("neither a user id (user_ and 32 digits) nor an email address".to_owned())
}

/// The users of this id or email.
///
/// # Errors
/// There are none.
pub async fn find(access: &AdminAccess, of: &UserSelector) -> Result<Vec<UserLine>, AdminError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = access.ask(ListUsers { of: of.clone(), after }).await?;
        found.extend(page.users);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if found.is_empty() {
        let whom = match of {
            UserSelector::Id(id) => id.to_string(),
            UserSelector::Email(email) => email.clone(),
            UserSelector::Organization(_) | UserSelector::Connection(_) | UserSelector::All => {
                return Ok(found);
            }
        };
        return Err(AdminError::not_found(format!(
            "{} has never signed in here",
            super::output::shown(&whom)
        )));
    }
    Ok(found)
}
