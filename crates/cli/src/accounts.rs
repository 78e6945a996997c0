//! The accounts that are signed in here, and the one that is meant. Asks the keychain alone.

use keyport_client::session::Sessions;
use keyport_core::{Account, Problem};

use crate::exit::Exit;
use crate::output::Output;

/// Why there is no account to use.
pub enum AccountError {
    /// No account is signed in.
    NoneSignedIn,
    /// It cannot be told who is.
    Problem(Problem),
    /// None is meant, or none that is there; it has been said.
    Said(Exit),
}

impl From<Problem> for AccountError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Every account, the current one first; at least one.
///
/// # Errors
/// [`AccountError::NoneSignedIn`], or why it cannot be told.
pub async fn known(sessions: &Sessions) -> Result<Vec<Account>, AccountError> {
    let listed = sessions.list_accounts().await?;
    match listed.error {
        _ if !listed.entries.is_empty() => {
            Ok(listed.entries.into_iter().map(|entry| entry.account).collect())
        }
        Some(error) => Err(error.into()),
        None => Err(AccountError::NoneSignedIn),
    }
}

/// The account with this id, or the only one with this address.
///
/// # Errors
/// [`AccountError::Said`] when there is none, or more than one.
pub fn chosen<'a>(
    accounts: &'a [Account],
    wanted: &str,
    output: &Output,
) -> Result<&'a Account, AccountError> {
    if let Some(account) = accounts.iter().find(|account| account.id.0 == wanted) {
        return Ok(account);
    }
    let is_wanted = |email: &str| email.eq_ignore_ascii_case(wanted);
    let has_address = |account: &&Account| account.email.as_deref().is_some_and(is_wanted);
    let found: Vec<&Account> = accounts.iter().filter(has_address).collect();
    let arguments = [("account", wanted)];
    match found[..] {
        [account] => Ok(account),
        [] => {
            let problem = Problem::AccountUnknown;
            output.problem_in_words(problem, "cli-account-unknown", &arguments);
            Err(AccountError::Said(problem.into()))
        }
        _ => {
            output.usage(&output.text("cli-account-ambiguous", &arguments));
            list(accounts, output);
            Err(AccountError::Said(Exit::Usage))
        }
    }
}

/// Shows what can be chosen from, below a usage error.
pub fn list(accounts: &[Account], output: &Output) {
    for (place, account) in accounts.iter().enumerate() {
        let who = distinguished(account, accounts, output);
        let line = match place {
            0 => output.text("cli-who-current", &[("who", &who)]),
            _ => who,
        };
        output.usage_detail(&line);
    }
}

/// Who it is; with the id where the address alone does not say it.
pub fn distinguished(account: &Account, accounts: &[Account], output: &Output) -> String {
    let who = output.named(account);
    let shown = account.shown_email();
    let same = |other: &&Account| other.shown_email().eq_ignore_ascii_case(shown);
    if accounts.iter().filter(same).count() > 1 {
        output.text("cli-who-id", &[("who", &who), ("id", &account.id.0)])
    } else {
        who
    }
}

#[cfg(test)]
mod tests {
    use keyport_core::AccountId;

    use super::*;
    use crate::output::tests;

    fn account(id: &str, email: &str) -> Account {
        let (id, email) = (AccountId(id.into()), Some(email.into()));
        Account { id, email, ..tests::account(None, None) }
    }

    fn found(accounts: &[Account], wanted: &str) -> Result<String, Option<Exit>> {
        match chosen(accounts, wanted, &Output::for_people()) {
            Ok(account) => Ok(account.id.0.clone()),
            Err(AccountError::Said(exit)) => Err(Some(exit)),
            Err(_) => Err(None),
        }
    }

    #[test]
    fn an_account_is_named_by_its_id_or_by_an_address_that_only_it_has() {
        let accounts = [
            account("a1", "ada@acme.test"),
            account("a2", "grace@acme.test"),
            account("a3", "Grace@acme.test"),
            // An id is an id before it is an address.
            account("ada@acme.test", "other@acme.test"),
        ];
        assert_eq!(found(&accounts, "a2"), Ok("a2".into()));
        assert_eq!(found(&accounts[..3], "ADA@acme.test"), Ok("a1".into()));
        assert_eq!(found(&accounts, "ada@acme.test"), Ok("ada@acme.test".into()));
        assert_eq!(found(&accounts, "grace@acme.test"), Err(Some(Exit::Usage)));
        assert_eq!(found(&accounts, "unknown@acme.test"), Err(Some(Exit::NoSession)));
        let output = Output::for_people();
        assert!(distinguished(&accounts[1], &accounts, &output).ends_with("· a2"));
        assert!(!distinguished(&accounts[0], &accounts, &output).contains("a1"));
    }
}
