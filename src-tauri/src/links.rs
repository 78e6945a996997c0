//! Finds the link that this program was started with. It reads nothing of it: whether it is a callback, and ours, is decided in
//! the core. The deep-link plugin is not used: it tells every webview what it hears.

use keyport_core::secret::RawCallback;

/// The link among a program's arguments (its own name not counted): the only argument there is, with our scheme.
pub fn link_in(arguments: &[String], scheme: &str) -> Option<RawCallback> {
    let [only] = arguments else {
        return None;
    };
    let rest = only.strip_prefix(scheme)?;
    rest.starts_with(':').then(|| RawCallback::new(only.as_str()))
}
