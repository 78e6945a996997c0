//! Whether there is a display to show a window on, asked before the window system is: that ends
//! the process with a panic where there is none.

/// Whether a window can be shown. Call it on the main thread.
#[cfg(target_os = "linux")]
pub fn is_there() -> bool {
    gtk::init().is_ok()
}

/// Elsewhere a desktop app is not started without one.
#[cfg(not(target_os = "linux"))]
pub const fn is_there() -> bool {
    true
}
