//! `RUST_LOG`: directives of the log filter with commas between. Its own parser takes a mistyped
//! level, and anything else that no event has, for the name of a target, and nothing else is logged
//! then. It also divides the list inside the fields of a span.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{Directive, LevelFilter};

/// Libraries of this program whose name alone is taken for a target and not for a mistyped level.
const LIBRARIES: [&str; 10] =
    ["axum", "h2", "hyper", "reqwest", "rusqlite", "rustls", "tokio", "tower", "tracing", "workos"];

/// The filter that this text describes.
///
/// # Errors
/// The first directive that cannot be meant.
pub(crate) fn parse(text: &str) -> Result<EnvFilter, &str> {
    // Without any directive: `EnvFilter::default()` holds one.
    let mut filter = EnvFilter::builder().parse("").map_err(|_| text)?;
    for part in directives(text) {
        let directive = part.parse::<Directive>().ok().filter(|_| can_be_meant(part));
        filter = filter.add_directive(directive.ok_or(part)?);
    }
    Ok(filter)
}

/// Divides at the commas that are not inside a span's `[…{…}]`.
fn directives(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let parts = text.split(move |character| {
        match character {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// Whether a directive that can be parsed has a level, or a target that events can have: theirs are
/// Rust paths.
fn can_be_meant(directive: &str) -> bool {
    match directive.find(['=', '[']) {
        Some(0) => true,
        Some(end) => is_path(&directive[..end]),
        None if directive.parse::<LevelFilter>().is_ok() => true,
        None => {
            let is_name = directive.contains(['_', ':']) || LIBRARIES.contains(&directive);
            is_name && is_path(directive)
        }
    }
}

fn is_path(target: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    target.split("::").all(|name| !name.is_empty() && name.bytes().all(is_word))
}
