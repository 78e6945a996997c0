//! The desktop app: a thin Tauri shell around `keyport-client`. It takes no decision about a
//! sign-in, sends no request and keeps no secret. Its page cannot listen to events; it can call the
//! commands of `shell` and nothing else.

pub mod automation;
mod display;
mod links;
mod log;
mod placement;
mod platform;
#[cfg(all(debug_assertions, target_os = "linux"))]
mod registration;
mod restart;
mod screen_update;
mod settings;
mod shell;
mod text;
mod window;
#[cfg(target_os = "linux")]
mod x11;
mod zoom;

use std::process::ExitCode;

use keyport_client::Channel;
use keyport_messages::Messages;
use keyport_shutdown::Shutdown;
use tauri::{App, AppHandle, Manager, RunEvent};
use tokio::sync::mpsc;

use crate::links::LaunchRequest;
use crate::shell::Shell;

/// Runs the app until its window is closed or `shutdown` is requested.
#[must_use]
pub fn run(shutdown: Shutdown) -> ExitCode {
    log::keep();
    if !display::is_there() {
        eprintln!("keyport-desktop: {}", Messages::english().text("no-display", &[]));
        return ExitCode::FAILURE;
    }
    // Links that come while the client is not there yet wait in this queue.
    let (hear, heard) = mpsc::unbounded_channel();
    let own = hear.clone();
    let mut context = tauri::generate_context!();
    // Its name on the session bus too: a development build must not answer for an installed one.
    Channel::of_build().service().clone_into(&mut context.config_mut().identifier);
    let app = tauri::Builder::default()
        // The first plugin, so that a second instance ends before it has done anything.
        .plugin(tauri_plugin_single_instance::init(move |_, arguments, _| {
            let _ = hear.send(launch_request(&arguments));
        }))
        .invoke_handler(tauri::generate_handler![
            shell::attach,
            shell::intent,
            shell::zoom,
            shell::read_settings_again
        ])
        .setup(move |app| {
            if let link @ LaunchRequest::Link(_) = launch_request(&own_arguments()) {
                let _ = own.send(link);
            }
            end_when_requested(app.handle().clone(), shutdown);
            Ok(set_up(app, heard)?)
        })
        .build(context);
    match app {
        Ok(app) => ExitCode::from(u8::try_from(app.run_return(on_event)).unwrap_or(1)),
        Err(error) => {
            let error = restart::once(error);
            eprintln!("keyport-desktop: the window could not be opened: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Our own arguments; what is no text stands as an empty one, which is no link.
fn own_arguments() -> Vec<String> {
    std::env::args_os().map(|argument| argument.into_string().unwrap_or_default()).collect()
}

fn launch_request(arguments: &[String]) -> LaunchRequest {
    let arguments = arguments.get(1..).unwrap_or_default();
    links::launch_request(arguments, Channel::of_build().service())
}

/// From the request on its deadline runs, whatever blocks: here the end is only begun in order.
fn end_when_requested(app: AppHandle, shutdown: Shutdown) {
    app.manage(shutdown.clone());
    tauri::async_runtime::spawn(async move {
        shutdown.requested().await;
        app.exit(0);
    });
}

fn set_up(app: &mut App, mut heard: mpsc::UnboundedReceiver<LaunchRequest>) -> tauri::Result<()> {
    #[cfg(all(debug_assertions, target_os = "linux"))]
    if let Err(error) = registration::register(Channel::of_build().service()) {
        tracing::warn!(%error, "links will not reach this build");
    }
    let shell = tauri::async_runtime::block_on(async { Shell::start() });
    let handle = app.handle().clone();
    shell.heed_client(handle.clone());
    app.manage(shell);
    window::open(&handle)?;
    tauri::async_runtime::spawn(async move {
        while let Some(heard) = heard.recv().await {
            match heard {
                // Whether the window comes to the front is decided with the link: a forged callback
                // does not raise it.
                LaunchRequest::Link(raw) => handle.state::<Shell>().deliver_link(raw),
                LaunchRequest::Raise => window::raise(&handle),
            }
        }
    });
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the event loop hands its events over by value")]
fn on_event(app: &AppHandle, event: RunEvent) {
    match event {
        RunEvent::Exit => {
            if let Some(shutdown) = app.try_state::<Shutdown>() {
                shutdown.request();
            }
            // From here on a new start is a start of its own; what is shared with it is under
            // locks.
            tauri_plugin_single_instance::destroy(app);
            if let Some(shell) = app.try_state::<Shell>() {
                tauri::async_runtime::block_on(shell.shut_down());
            }
        }
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            let opened = urls.iter().map(|url| vec![String::new(), url.to_string()]);
            for asked in opened.map(|arguments| launch_request(&arguments)) {
                match (asked, app.try_state::<Shell>()) {
                    (LaunchRequest::Link(raw), Some(shell)) => shell.deliver_link(raw),
                    (LaunchRequest::Link(_), None) => {}
                    (LaunchRequest::Raise, _) => window::raise(app),
                }
            }
        }
        _ => {}
    }
}
