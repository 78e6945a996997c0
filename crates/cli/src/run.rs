//! `keyport run`: a session in memory for one command. It is ended when the command ends, however that ends.

use std::ffi::OsString;

use keyport_client::session::Access;
use keyport_core::{Account, Store};

use crate::arguments::Run;
use crate::child;
use crate::output::Output;
use crate::sign_in;

/// Answers with the exit code: the command's own, or why it was not started.
pub async fn run(wanted: Run) -> u8 {
    let output = Output::beside(wanted.way.json.json);
    let name = wanted.command.first().map(|name| name.to_string_lossy()).unwrap_or_default();
    if !wanted.command.first().is_some_and(|program| child::is_there(program)) {
        output.say("cli-run-not-found", &[("command", &name)]);
        return child::NOT_FOUND;
    }
    let signed = match sign_in::begin(wanted.way, Store::Memory, &output).await {
        Ok(signed) => signed,
        Err(exit) => return exit.code(),
    };
    output.signed_in(&signed.account, signed.stored);
    let code = match signed.sessions.access_token(&signed.account.id).await {
        Ok(access) => start(&wanted.command, &signed.account, &access, &output).await,
        Err(problem) => {
            output.problem(problem, None);
            crate::exit::Exit::from(problem).code()
        }
    };
    signed.end().await;
    code
}

async fn start(command: &[OsString], account: &Account, access: &Access, output: &Output) -> u8 {
    match child::run(command, &environment(account, access)).await {
        Ok(code) => code,
        Err(error) => {
            let name = command.first().map(|name| name.to_string_lossy()).unwrap_or_default();
            let why = error.to_string();
            output.say("cli-run-not-started", &[("command", &name), ("why", &why)]);
            child::NOT_STARTED
        }
    }
}

/// What the command finds. The refresh token and the key stay here.
fn environment(account: &Account, access: &Access) -> Vec<(&'static str, String)> {
    let mut environment = vec![
        ("KEYPORT_ACCESS_TOKEN", access.token.expose().to_owned()),
        ("KEYPORT_ACCESS_TOKEN_TYPE", "DPoP".to_owned()),
        ("KEYPORT_ACCESS_TOKEN_EXPIRES_AT", (access.deadline.0 / 1000).to_string()),
        ("KEYPORT_ACCOUNT", account.id.0.clone()),
        ("KEYPORT_ACCOUNT_EMAIL", account.email.clone()),
        ("KEYPORT_ACCOUNT_NAME", account.name.clone()),
        ("KEYPORT_ISSUER", account.issuer.clone()),
    ];
    if let Some(organization) = &account.organization {
        environment.push(("KEYPORT_ORGANIZATION", organization.id.clone()));
        environment.push(("KEYPORT_ORGANIZATION_NAME", organization.name.clone()));
    }
    // The system takes none with a NUL; a name from elsewhere may have one, and is not worth a failed start.
    environment.retain(|(_, value)| !value.contains('\0'));
    environment
}
