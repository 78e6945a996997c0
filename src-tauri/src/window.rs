//! The one window. It shows our own page and nothing else: no other address, no second window, and tools for developers only in
//! development builds.

use std::time::Duration;

use tauri::webview::NewWindowResponse;
use tauri::{
    AppHandle, Manager, UserAttentionType, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    WindowEvent,
};
use url::Url;

/// The window's label, which its capability names.
pub const MAIN: &str = "main";

const SIZE: (f64, f64) = (440.0, 620.0);
const SMALLEST: (f64, f64) = (360.0, 520.0);

/// How long the page may take to attach before the window is shown without it: an empty window can at least be closed.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes the window; it is shown once its page has something in it.
///
/// # Errors
/// When the system gives no webview.
pub fn open(app: &AppHandle) -> tauri::Result<WebviewWindow> {
    let window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title("Keyport")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(SMALLEST.0, SMALLEST.1)
        .center()
        .visible(false)
        .devtools(cfg!(debug_assertions))
        .on_navigation(is_our_page)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .build()?;
    let late = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(PATIENCE).await;
        let window = late.get_webview_window(MAIN);
        if window.is_some_and(|window| window.is_visible().is_ok_and(|shown| !shown)) {
            show(&late);
        }
    });
    let asking = window.clone();
    window.on_window_event(move |event| {
        // Once it has the attention, it must not go on asking for it.
        if let WindowEvent::Focused(true) = event {
            let _ = asking.request_user_attention(None);
        }
    });
    Ok(window)
}

/// Shows the window where it is; a minimized one stays so.
pub fn show(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(MAIN)
        && let Err(error) = window.show()
    {
        tracing::warn!(%error, "the window could not be shown");
    }
}

/// Our page has an address of its own on each system; anything else would be somebody else's page in our window.
fn is_our_page(address: &Url) -> bool {
    let origin = (address.scheme(), address.host_str());
    origin == ("tauri", Some("localhost"))
        || (cfg!(windows) && origin == ("http", Some("tauri.localhost")))
}

/// Brings the window to the front. A system that does not allow that shows that the window wants attention.
pub fn raise(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else {
        return;
    };
    let raised = window
        .unminimize()
        .and_then(|()| window.show())
        .and_then(|()| window.set_focus())
        .and_then(|()| window.request_user_attention(Some(UserAttentionType::Informational)));
    if let Err(error) = raised {
        tracing::warn!(%error, "the window could not be raised");
    }
}
