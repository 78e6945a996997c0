//! `keyport`: sign in from a terminal. A thin shell around the client: it reads the command line, prints what happens and ends with
//! a number. No decision of the sign-in is taken here, and no webview is needed.

mod arguments;
mod browser;
mod child;
mod event;
mod exit;
mod link;
mod narrator;
mod output;
mod run;
mod session;
mod settings;
mod sign_in;
mod stop;

use std::alloc::System;
use std::process::ExitCode;

use clap::Parser;
use zeroizing_alloc::ZeroAlloc;

use crate::arguments::{Arguments, Command};
use crate::output::Output;

/// Libraries between the client and the system copy tokens into buffers of their own; these are wiped
/// when they are freed.
#[global_allocator]
static WIPED_WHEN_FREED: ZeroAlloc<System> = ZeroAlloc(System);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    keep_log();
    let exit = match arguments.command {
        Command::SignIn(wanted) => {
            let output = Output::new(wanted.way.json.json);
            sign_in::sign_in(wanted, &output).await
        }
        Command::Status(session) => {
            session::status(&session, &Output::new(session.json.json)).await
        }
        Command::Token(token) => {
            session::token(&token, &Output::new(token.session.json.json)).await
        }
        Command::SignOut(session) => {
            session::sign_out(&session, &Output::new(session.json.json)).await
        }
        Command::Link(what) => link::link(&what, &Output::for_people()).await,
        Command::Run(wanted) => return ExitCode::from(run::run(wanted).await),
    };
    ExitCode::from(exit.code())
}

/// The log is for whoever looks for a fault: silent unless `RUST_LOG` asks, and never on standard output.
fn keep_log() {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
