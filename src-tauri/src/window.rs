//! The one window. It shows our own page and nothing else: no other address, no second window, and
//! tools for developers only in development builds.
//!
//! What asks the window something is done on the main thread: from another one such a call waits
//! for the event loop, and an event loop that ends answers no more.

use std::time::Duration;

use tauri::webview::NewWindowResponse;
use tauri::{
    AppHandle, LogicalSize, Manager, PhysicalPosition, UserAttentionType, WebviewUrl,
    WebviewWindow, WebviewWindowBuilder, WindowEvent,
};
use tokio::sync::oneshot;
use url::Url;

use crate::placement::{self, Area};
use crate::shell::Shell;
use crate::zoom::ZoomLevel;

/// The window's label, which its capability names.
pub const MAIN: &str = "main";

const SIZE: (f64, f64) = (440.0, 620.0);
const SMALLEST: (f64, f64) = (360.0, 520.0);
/// What a window manager may put around the window, in logical pixels.
const FRAME: (f64, f64) = (16.0, 48.0);

/// How long the page may take to attach before the window is shown without it: an empty window can
/// at least be closed.
const ATTACH_TIMEOUT: Duration = Duration::from_secs(5);
/// How often, and how many times, a moved window is looked at before it counts as not movable.
const LOOK_AGAIN: Duration = Duration::from_millis(25);
const LOOKS: usize = 20;

/// Makes the window; it is shown once its page has something in it.
///
/// # Errors
/// When the system gives no webview.
pub fn open(app: &AppHandle) -> tauri::Result<WebviewWindow> {
    let room = room_on_screen(app);
    let (width, height) = least(SIZE, room);
    let (least_width, least_height) = least(SMALLEST, room);
    let window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title("Keyport")
        .inner_size(width, height)
        .min_inner_size(least_width, least_height)
        .center()
        .visible(false)
        .devtools(cfg!(debug_assertions))
        .on_navigation(is_our_page)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .build()?;
    let late = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(ATTACH_TIMEOUT).await;
        let shown = on_main_thread(&late, |window| {
            if window.is_visible().is_ok_and(|visible| !visible) {
                log_failure("shown", window.show());
            }
        });
        let _ = shown.await;
    });
    let asking = window.clone();
    window.on_window_event(move |event| match event {
        WindowEvent::Focused(true) => {
            // Once it has the attention, it must not go on asking for it.
            let _ = asking.request_user_attention(None);
            if let Some(shell) = asking.try_state::<Shell>() {
                shell.follow_keychain();
            }
        }
        WindowEvent::ScaleFactorChanged { .. } => fit(&asking),
        _ => {}
    });
    Ok(window)
}

/// What the screen has room for, in logical pixels: at a large scale less than the window's usual
/// least size.
fn room_on_screen(app: &AppHandle) -> Option<(f64, f64)> {
    let monitor = app.primary_monitor().ok().flatten()?;
    Some(room_on(&monitor))
}

fn room_on(monitor: &tauri::Monitor) -> (f64, f64) {
    let room: LogicalSize<f64> = monitor.work_area().size.to_logical(monitor.scale_factor());
    (room.width - FRAME.0, room.height - FRAME.1)
}

fn least(size: (f64, f64), room: Option<(f64, f64)>) -> (f64, f64) {
    let room = room.unwrap_or(size);
    (size.0.min(room.0).max(1.0), size.1.min(room.1).max(1.0))
}

/// The window has come to a screen with another scale.
fn fit(window: &WebviewWindow) {
    let Ok(Some(monitor)) = window.current_monitor() else {
        return;
    };
    let room = Some(room_on(&monitor));
    let (least_width, least_height) = least(SMALLEST, room);
    let smallest = LogicalSize::new(least_width, least_height);
    let size = window.inner_size().map(|size| size.to_logical::<f64>(monitor.scale_factor()));
    let _ = window.set_min_size(Some(smallest));
    if let Ok(size) = size {
        let (width, height) = least((size.width, size.height), room);
        let _ = window.set_size(LogicalSize::new(width, height));
    }
}

/// Shows the window where it is; a minimized one stays so.
pub fn show(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(MAIN) {
        log_failure("shown", window.show());
    }
}

/// Our page has an address of its own on each system; anything else would be another page in our
/// window.
fn is_our_page(address: &Url) -> bool {
    let origin = (address.scheme(), address.host_str());
    origin == ("tauri", Some("localhost"))
        || (cfg!(windows) && origin == ("http", Some("tauri.localhost")))
}

/// Brings the window to the front. A system that does not allow that shows that the window wants
/// attention.
pub fn raise(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else {
        return;
    };
    let raised = window
        .unminimize()
        .and_then(|()| window.show())
        .and_then(|()| window.set_focus())
        .and_then(|()| window.request_user_attention(Some(UserAttentionType::Informational)));
    log_failure("raised", raised);
}

/// Puts the window beside the page in the browser and above other windows, without taking the
/// keyboard; where it cannot be placed so, it asks for attention and stays where it is.
pub async fn show_beside_browser(app: &AppHandle) {
    let asked = on_main_thread(app, |window| {
        window.request_user_attention(Some(UserAttentionType::Informational))
    });
    let _ = asked.await;
    if !place_beside_browser(app).await {
        tracing::debug!("the window is not placed: there is no room beside a browser");
    }
}

async fn place_beside_browser(app: &AppHandle) -> bool {
    let browser = tauri::async_runtime::spawn_blocking(foremost_foreign_window);
    let Ok(Some(browser)) = browser.await else {
        return false;
    };
    let moved = on_main_thread(app, move |window| move_beside(window, browser)).await;
    let Some(Some(kept_free)) = moved else {
        return false;
    };
    // The display server and the window manager have a say in it, and answer when they like.
    for _ in 0..LOOKS {
        tokio::time::sleep(LOOK_AGAIN).await;
        let raised = on_main_thread(app, move |window| raise_if_clear_of(window, kept_free)).await;
        if raised != Some(false) {
            return true;
        }
    }
    false
}

#[cfg(target_os = "linux")]
use crate::x11::foremost_foreign_window;

/// Other systems do not tell.
#[cfg(not(target_os = "linux"))]
fn foremost_foreign_window() -> Option<Area> {
    None
}

/// Answers with the part of the browser that must stay uncovered, if there is room beside it.
fn move_beside(window: &WebviewWindow, browser: Area) -> Option<Area> {
    let monitor = window.current_monitor().ok().flatten()?;
    let (scale, work) = (monitor.scale_factor(), monitor.work_area());
    let work = area(work.position, work.size)?;
    let kept_free = browser.page_column(scale);
    let now = place_of(window)?;
    let place = placement::beside(now, kept_free, work, scale)?;
    if place != now {
        window.set_position(PhysicalPosition::new(place.x, place.y)).ok()?;
    }
    Some(kept_free)
}

/// False while the window still covers what must stay uncovered.
fn raise_if_clear_of(window: &WebviewWindow, kept_free: Area) -> bool {
    if place_of(window).is_none_or(|place| place.overlaps(&kept_free)) {
        return false;
    }
    let raised = window
        .unminimize()
        .and_then(|()| window.show())
        .and_then(|()| window.set_always_on_top(true));
    log_failure("put beside the browser", raised);
    true
}

/// The comparison is over: other windows may cover it again.
pub fn stop_standing_out(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(MAIN) {
        log_failure("let down", window.set_always_on_top(false));
    }
}

fn place_of(window: &WebviewWindow) -> Option<Area> {
    area(window.outer_position().ok()?, window.outer_size().ok()?)
}

fn area(at: PhysicalPosition<i32>, size: tauri::PhysicalSize<u32>) -> Option<Area> {
    let (width, height) = (i32::try_from(size.width).ok()?, i32::try_from(size.height).ok()?);
    Some(Area { x: at.x, y: at.y, width, height })
}

/// Gives text another size.
pub fn zoom(app: &AppHandle, level: ZoomLevel) {
    if let Some(window) = app.get_webview_window(MAIN) {
        log_failure("zoomed", window.set_zoom(level.factor()));
    }
}

/// Does `work` where the window can be asked; `None` when there is no window any more.
async fn on_main_thread<T: Send + 'static>(
    app: &AppHandle,
    work: impl FnOnce(&WebviewWindow) -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = oneshot::channel();
    let handle = app.clone();
    let asked = app.run_on_main_thread(move || {
        if let Some(window) = handle.get_webview_window(MAIN) {
            let _ = done.send(work(&window));
        }
    });
    asked.ok()?;
    result.await.ok()
}

fn log_failure(what: &str, done: tauri::Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, "the window could not be {what}");
    }
}
