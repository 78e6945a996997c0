//! Whether a log filter is one. The filter's own parser takes a mistyped level for the name of a
//! target, and nothing else is logged then.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The first part that cannot be meant, or all of it.
pub(super) fn fault(filter: &str) -> Option<&str> {
    let mistyped = |part: &&str| {
        let is_word = !part.contains(['=', '[', ']', '{', '}']) && !part.contains("::");
        let is_known =
            part.is_empty() || part.parse::<LevelFilter>().is_ok() || part.starts_with("keyport_");
        is_word && !is_known
    };
    if EnvFilter::builder().parse(filter).is_err() {
        return Some(filter);
    }
    filter.split(',').map(str::trim).find(mistyped)
}
