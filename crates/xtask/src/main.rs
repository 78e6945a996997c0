//! `cargo xtask`: sets a machine up, shows the product, tests, packages and measures it. Light on
//! purpose (it is compiled before anything else can be said). NOT a build system: cargo builds, apt
//! installs, dpkg-deb packs; this only puts them in order.

mod bench;
mod demo;
mod package;
mod setup;
mod slowest;
mod steps;
mod stress;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tasks of the Keyport project", version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing (Debian 12 or 13, Ubuntu as far as it goes)
    Setup,
    /// Start emulator, companion and app, and sign in
    Demo {
        /// Sign in by itself on a virtual display, with a real browser and a real keychain
        #[arg(long)]
        headless: bool,
        /// Who signs in: one of the emulator's people (linus@acme.test has no name)
        #[arg(long, default_value = "ada@acme.test")]
        email: String,
    },
    /// Everything that CI runs
    Test,
    /// Make the .deb with the app and the command line
    Package {
        /// Pack a debug build: quick to make, and it can be automated by tests
        #[arg(long)]
        debug: bool,
    },
    /// Sign people in while the release build is under attack
    Stress {
        /// A minute of a smaller load, as CI runs it
        #[arg(long)]
        short: bool,
    },
    /// Measure the release build
    Bench {
        /// Passed to keyport-bench
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Setup => setup::install(&setup::Purpose::ALL),
        Task::Demo { headless, email } => demo::run(headless, &email),
        Task::Test => test::run(),
        Task::Package { debug } => package::run(debug).map(|_| ()),
        Task::Stress { short } => stress::run(short),
        Task::Bench { arguments } => bench::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
