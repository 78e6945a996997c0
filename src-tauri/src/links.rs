//! Finds the link that this program was started with. It reads no secret of it: whether it is a
//! callback, and ours, is decided in the core. The deep-link plugin is not used: it tells every
//! webview what it hears.

use keyport_core::secret::RawCallback;

/// What a program's arguments ask for.
pub enum LaunchRequest {
    /// To look at this link.
    Link(RawCallback),
    /// To come to the front: nothing was given, or the link that only opens the app.
    Raise,
}

/// What is asked by these arguments (the program's own name not counted). A link is the only
/// argument there is, with our scheme.
pub fn launch_request(arguments: &[String], scheme: &str) -> LaunchRequest {
    let [only] = arguments else {
        return LaunchRequest::Raise;
    };
    match only.strip_prefix(scheme) {
        // The companion's page offers the last one; desktops and browsers make the others of it.
        None | Some(":" | ":/" | "://" | ":///" | ":/open") => LaunchRequest::Raise,
        Some(rest) if rest.starts_with(':') => LaunchRequest::Link(RawCallback::new(only.as_str())),
        Some(_) => LaunchRequest::Raise,
    }
}
