//! Finds the link that this program was started with. It reads no secret of it: whether it is a
//! callback, and ours, is decided in the core. The deep-link plugin is not used: it tells every
//! webview what it hears.

use keyport_core::secret::RawCallback;

/// What a program's arguments ask for.
pub enum Asked {
    /// To look at this link.
    Link(RawCallback),
    /// To come to the front: nothing was given, or the link that only opens the app.
    Front,
}

/// What is asked by these arguments (the program's own name not counted). A link is the only
/// argument there is, with our scheme.
pub fn asked_by(arguments: &[String], scheme: &str) -> Asked {
    let [only] = arguments else {
        return Asked::Front;
    };
    match only.strip_prefix(scheme) {
        // The companion's page offers the last one; desktops and browsers make the others of it.
        None | Some(":" | ":/" | "://" | ":///" | ":/open") => Asked::Front,
        Some(rest) if rest.starts_with(':') => Asked::Link(RawCallback::new(only.as_str())),
        Some(_) => Asked::Front,
    }
}
