//! `keyport run`: a session in memory for one command. It is ended when the command ends, however
//! that ends.

use std::ffi::{OsStr, OsString};

use keyport_client::session::Access;
use keyport_core::{Account, Problem, SessionStore};
use keyport_shutdown::Shutdown;

use crate::arguments::Run;
use crate::child::{self, EnvironmentChange};
use crate::exit::Exit;
use crate::output::Output;
use crate::sign_in;

/// The longest value of a variable, in bytes: a token is a fraction of it, and Linux takes no more
/// than 128 KiB.
const LONGEST: usize = 16 * 1024;

/// Answers with the exit code: the command's own, or why it was not started.
pub async fn run(wanted: Run, output: &Output, shutdown: &Shutdown) -> u8 {
    let program = name_of(&wanted.command);
    if let Err(error) = child::look_up(program) {
        return child::not_started(program, &error, output).code();
    }
    let signed = match sign_in::begin(wanted.way, SessionStore::Memory, output, shutdown).await {
        Ok(signed) => signed,
        Err(exit) => return exit.code(),
    };
    output.signed_in(&signed.account, signed.stored);
    let code = match signed.sessions.access_token(&signed.account.id).await {
        Ok(access) => {
            let variables = environment(&signed.account, &access);
            start(&wanted.command, &variables, output, shutdown).await
        }
        Err(problem) => failed(problem, output),
    };
    signed.end().await;
    code
}

async fn start(
    command: &[OsString],
    variables: &[EnvironmentChange],
    output: &Output,
    shutdown: &Shutdown,
) -> u8 {
    match child::run(command, variables, output, shutdown).await {
        Ok(Some(code)) => code,
        Ok(None) => failed(Problem::Cancelled, output),
        Err(error) => child::not_started(name_of(command), &error, output).code(),
    }
}

/// The program of the command.
fn name_of(command: &[OsString]) -> &OsStr {
    command.first().map_or("".as_ref(), |name| name)
}

fn failed(problem: Problem, output: &Output) -> u8 {
    output.problem(problem, None);
    Exit::from(problem).code()
}

/// What the command finds. The refresh token and the key stay here.
fn environment(account: &Account, access: &Access) -> Vec<EnvironmentChange> {
    let organization = account.organization.as_ref();
    let variables = [
        ("KEYPORT_ACCESS_TOKEN", Some(access.token.expose())),
        ("KEYPORT_ACCESS_TOKEN_TYPE", Some("DPoP")),
        ("KEYPORT_ACCESS_TOKEN_EXPIRES_AT", Some(&*(access.deadline.0 / 1000).to_string())),
        ("KEYPORT_ACCOUNT", Some(&account.id.0)),
        ("KEYPORT_ACCOUNT_EMAIL", account.email.as_deref()),
        ("KEYPORT_ACCOUNT_NAME", account.name.as_deref()),
        ("KEYPORT_ISSUER", Some(&account.issuer)),
        ("KEYPORT_ORGANIZATION", organization.map(|organization| &*organization.id)),
        ("KEYPORT_ORGANIZATION_NAME", organization.and_then(|found| found.name.as_deref())),
    ]
    .map(|(name, value)| (name, value.filter(|value| fits(value)).map(str::to_owned)));
    variables.into()
}

/// The system takes no value with a NUL, and no long one; a name from elsewhere may be so, and is
/// not worth a failed start.
fn fits(value: &str) -> bool {
    !value.contains('\0') && value.len() <= LONGEST
}

#[cfg(test)]
mod tests {
    use keyport_core::secret::AccessToken;
    use keyport_core::{Moment, Organization};

    use super::*;
    use crate::output::tests;

    fn value_of(name: &str, account: &Account) -> Option<String> {
        let access = Access { token: AccessToken::new("at_1"), deadline: Moment(5_999) };
        let found = environment(account, &access).into_iter().find(|(found, _)| *found == name);
        found.unwrap().1
    }

    #[test]
    fn what_this_session_does_not_have_is_taken_out_and_not_inherited() {
        let mut account = tests::account(None, None);
        assert_eq!(value_of("KEYPORT_ORGANIZATION", &account), None);
        account.organization = Some(Organization { id: "org_1".into(), name: Some("A\0b".into()) });
        assert_eq!(value_of("KEYPORT_ORGANIZATION", &account).as_deref(), Some("org_1"));
        assert_eq!(value_of("KEYPORT_ORGANIZATION_NAME", &account), None);
        account.name = Some("a".repeat(LONGEST + 1));
        assert_eq!(value_of("KEYPORT_ACCOUNT_NAME", &account), None);
        (account.name, account.email) = (None, None);
        assert_eq!(value_of("KEYPORT_ACCOUNT_NAME", &account), None);
        assert_eq!(value_of("KEYPORT_ACCOUNT_EMAIL", &account), None);
        assert_eq!(value_of("KEYPORT_ACCESS_TOKEN_EXPIRES_AT", &account).as_deref(), Some("5"));
    }
}
