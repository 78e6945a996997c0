//! `keyport`: sign in from a terminal. A thin shell around the client: it reads the command line,
//! prints what happens and ends with a number. No decision of the sign-in is taken here, and no
//! webview is needed.

mod accounts;
mod arguments;
mod browser;
mod child;
mod event;
#[cfg(target_os = "linux")]
mod exec;
mod exit;
#[cfg(unix)]
mod job;
mod link;
mod output;
mod plain;
mod progress;
mod run;
mod session;
mod sessions;
mod settings;
mod sign_in;
#[cfg(unix)]
mod signals;

use std::alloc::System;
use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use keyport_core::Problem;
use keyport_shutdown::{Hangup, Policy, Shutdown};
use zeroizing_alloc::ZeroAlloc;

use crate::arguments::{Arguments, Command};
use crate::exit::Exit;
use crate::output::Output;
use crate::plain::plain_lines;

/// Libraries between the client and the system copy tokens into buffers of their own; these are
/// wiped when they are freed.
#[global_allocator]
static WIPED_WHEN_FREED: ZeroAlloc<System> = ZeroAlloc(System);

/// What a sign-in may take to end when it is told to: the browser's page is told, a session in
/// memory is revoked. Each of these has a shorter limit of its own.
const TIME_LIMIT: Duration = Duration::from_secs(15);

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if let Some(code) = exec::become_command(std::env::args_os().skip(1)) {
        return ExitCode::from(code);
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(other) => return ExitCode::from(explained(&other).code()),
    };
    keep_log();
    ExitCode::from(perform(arguments.command))
}

/// Does what was asked for, and answers with the exit code.
fn perform(command: Command) -> u8 {
    match command {
        Command::SignIn(wanted) => {
            let output = Output::new(wanted.way.json.json);
            with_shutdown(&output, async |shutdown| {
                sign_in::sign_in(wanted, &output, &shutdown).await.code()
            })
        }
        Command::Run(wanted) => {
            let output = Output::beside(wanted.way.json.json);
            with_shutdown(&output, async |shutdown| run::run(wanted, &output, &shutdown).await)
        }
        Command::Status(session) => {
            let output = Output::new(session.json.json);
            block_on(&output, async { session::status(&session, &output).await.code() })
        }
        Command::Token(token) => {
            let output = Output::new(token.session.json.json);
            block_on(&output, async { session::token(&token, &output).await.code() })
        }
        Command::SignOut(wanted) => {
            let output = Output::new(wanted.session.json.json);
            block_on(&output, async { session::sign_out(&wanted, &output).await.code() })
        }
        Command::Sessions(wanted) => {
            let output = Output::new(wanted.account().session.json.json);
            block_on(&output, async { sessions::sessions(&wanted, &output).await.code() })
        }
        Command::Link(what) => {
            let output = Output::for_people();
            block_on(&output, async { link::link(&what, &output).await.code() })
        }
    }
}

/// For what has to finish something when it is told to end; the others end at once.
fn with_shutdown(output: &Output, work: impl AsyncFnOnce(Shutdown) -> u8) -> u8 {
    let forced_exit_code = i32::from(Exit::Refused.code());
    match Shutdown::install(Policy {
        hangup: Hangup::Ends,
        time_limit: TIME_LIMIT,
        forced_exit_code,
    }) {
        Ok(shutdown) => block_on(output, work(shutdown)),
        Err(_) => internal(output),
    }
}

/// Runs it on this thread, which lives as long as the process.
fn block_on(output: &Output, work: impl Future<Output = u8>) -> u8 {
    let code = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(_) => internal(output),
    };
    output.end(code)
}

fn internal(output: &Output) -> u8 {
    output.problem(Problem::Internal, None);
    Exit::Internal.code()
}

/// Help, the version, or what cannot be meant so: 0 for what was asked for, 2 for the rest.
fn explained(error: &clap::Error) -> Exit {
    let output = Output::for_people();
    if error.use_stderr() {
        // It quotes what was typed, which a script may have from elsewhere.
        let said = error.to_string();
        let plain = plain_lines(&said);
        let _ = if plain == said { error.print() } else { write!(std::io::stderr(), "{plain}") };
        return Exit::Usage;
    }
    output.heed(&error.print());
    if output.end(Exit::Done.code()) == Exit::Done.code() { Exit::Done } else { Exit::Internal }
}

/// The log is for whoever looks for a fault: silent unless `RUST_LOG` asks, and never on standard
/// output.
fn keep_log() {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
