//! How many connections the system lets the service have: each takes an open file, and the usual
//! limit of a service (1,024) is below what the listener allows.

/// Files for everything that is no connection: database, provider, standard streams.
const OTHERS: u64 = 256;
/// What is tried in any case.
const FEWEST: u64 = 16;

/// Raises the limit on open files as far as this process may, and returns how many connections of
/// `wanted` fit in.
#[cfg(unix)]
pub fn connections_allowed(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let wanted = wanted as u64;
    let limit = getrlimit(Resource::Nofile);
    let needed = limit.maximum.map_or(wanted + OTHERS, |most| most.min(wanted + OTHERS));
    if limit.current.is_some_and(|current| current < needed) {
        let raised = Rlimit { current: Some(needed), maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, "the limit on open files was not raised");
        }
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let allowed = files.saturating_sub(OTHERS).clamp(FEWEST, wanted.max(FEWEST)).min(wanted);
    if allowed < wanted {
        tracing::warn!(files, connections = allowed, "the limit on open files is low");
    }
    usize::try_from(allowed).unwrap_or(usize::MAX)
}

/// Elsewhere sockets do not count as open files.
#[cfg(not(unix))]
pub fn connections_allowed(wanted: usize) -> usize {
    wanted
}
