//! Logs: lines of JSON on standard error (plain text on a terminal), chosen by `RUST_LOG`. Every line of a
//! request carries its `request_id`; no line carries a query, a body, a header or a secret.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging for the process.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        lines.init();
    } else {
        lines.json().flatten_event(true).with_span_list(false).init();
    }
}
