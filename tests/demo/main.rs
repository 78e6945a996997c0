//! The demo: emulator, companion and app as real processes, and a sign-in. With a display the
//! person clicks; headless it signs in by itself with a real browser and a real keychain, and keeps
//! a picture of each step. `cargo xtask demo` builds and starts it. NOT a test with cases: it walks
//! the one good way and fails at the first thing that is not as it should be.

mod headless;
mod with_display;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use keyport_tests::{Person, World};

#[derive(Parser)]
struct Arguments {
    /// Sign in by itself on a virtual display
    #[arg(long)]
    headless: bool,
    /// Who signs in: one of the emulator's people
    #[arg(long, default_value = Person::ADA.email)]
    email: String,
    /// Where pictures and logs go; what was there is removed
    #[arg(long, default_value = "target/demo")]
    pictures: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match demonstrate(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nthe demo failed: {error:#}");
            eprintln!("logs: {}", arguments.pictures.join("logs").display());
            ExitCode::FAILURE
        }
    }
}

async fn demonstrate(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = &arguments.pictures;
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    let folder = folder.canonicalize()?;
    println!("starts the emulator (in place of WorkOS) and the companion");
    let world = World::with().logs(&folder.join("logs")).start()?;
    println!("  emulator   {}", world.emulator_url());
    println!("  companion  {}", world.companion_url());
    let person = Person { email: &arguments.email, ..Person::ADA };
    if arguments.headless {
        headless::sign_in(&world, person, &folder).await
    } else {
        with_display::invite(&world, person, &folder.join("logs")).await
    }
}
