//! The log: on standard error, redacted by the types that it is made of. Other crates do not know
//! our secrets, and at their finest levels some print what they send, so from them it takes only
//! what is worth a person's attention.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Starts it; `RUST_LOG` says how much of our own is wanted.
pub fn keep() {
    let wanted =
        EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    let lines = fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_filter(filter_fn(may_be_seen));
    let _ = tracing_subscriber::registry().with(wanted).with(lines).try_init();
}

fn may_be_seen(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("keyport") || *metadata.level() <= Level::INFO
}
