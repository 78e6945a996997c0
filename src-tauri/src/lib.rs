//! The desktop app: a thin Tauri shell around `keyport-client`. It takes no decision about a sign-in, sends no request, keeps no
//! secret, and its page can neither listen to events nor call anything but two commands.
#![warn(missing_docs)]

mod again;
pub mod automation;
mod drawing;
mod links;
mod log;
mod platform;
#[cfg(all(debug_assertions, target_os = "linux"))]
mod registration;
mod settings;
mod shell;
mod window;
mod wishes;

use std::process::ExitCode;

use keyport_client::Channel;
use keyport_core::secret::RawCallback;
use tauri::{App, AppHandle, Manager, RunEvent};
use tokio::sync::mpsc;

use crate::shell::Shell;

/// What reaches the app from outside while it runs.
enum Heard {
    /// A link that begins with our scheme.
    Link(RawCallback),
    /// Somebody started the app once more.
    Started,
}

/// Runs the app until its window is closed.
#[must_use]
pub fn run() -> ExitCode {
    log::keep();
    // Links that come while the client is not there yet wait in this queue.
    let (hear, heard) = mpsc::unbounded_channel();
    let own = hear.clone();
    let mut context = tauri::generate_context!();
    // Its name on the session bus too: a development build must not answer for an installed one.
    Channel::of_build().service.clone_into(&mut context.config_mut().identifier);
    let app = tauri::Builder::default()
        // The first plugin, so that a second instance ends before it has done anything.
        .plugin(tauri_plugin_single_instance::init(move |_, arguments, _| {
            let _ = hear.send(heard_in(&arguments));
        }))
        .invoke_handler(tauri::generate_handler![shell::attach, shell::intent])
        .setup(move |app| {
            if let link @ Heard::Link(_) = heard_in(&own_arguments()) {
                let _ = own.send(link);
            }
            Ok(set_up(app, heard)?)
        })
        .build(context);
    match app {
        Ok(app) => ExitCode::from(u8::try_from(app.run_return(on_event)).unwrap_or(1)),
        Err(error) => {
            let error = again::once(error);
            eprintln!("keyport-desktop: the window could not be opened: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Our own arguments; what is no text stands as an empty one, which is no link.
fn own_arguments() -> Vec<String> {
    std::env::args_os().map(|argument| argument.into_string().unwrap_or_default()).collect()
}

fn heard_in(arguments: &[String]) -> Heard {
    let arguments = arguments.get(1..).unwrap_or_default();
    links::link_in(arguments, Channel::of_build().service).map_or(Heard::Started, Heard::Link)
}

fn set_up(app: &mut App, mut heard: mpsc::UnboundedReceiver<Heard>) -> tauri::Result<()> {
    #[cfg(all(debug_assertions, target_os = "linux"))]
    if let Err(error) = registration::register(Channel::of_build().service) {
        tracing::warn!(%error, "links will not reach this build");
    }
    let shell = tauri::async_runtime::block_on(async { Shell::start() });
    let handle = app.handle().clone();
    shell.raise_when_asked(handle.clone());
    app.manage(shell);
    window::open(&handle)?;
    tauri::async_runtime::spawn(end_when_told(handle.clone()));
    tauri::async_runtime::spawn(async move {
        while let Some(heard) = heard.recv().await {
            match heard {
                // Whether the window comes to the front is decided with the link: not everybody's link shall raise it.
                Heard::Link(raw) => handle.state::<Shell>().deliver_link(raw),
                Heard::Started => window::raise(&handle),
            }
        }
    });
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the event loop hands its events over by value")]
fn on_event(app: &AppHandle, event: RunEvent) {
    match event {
        RunEvent::Exit => {
            // From here on a new start is a start of its own; what is shared with it is under locks.
            tauri_plugin_single_instance::destroy(app);
            if let Some(shell) = app.try_state::<Shell>() {
                tauri::async_runtime::block_on(shell.shut_down());
            }
        }
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            let opened = urls.iter().map(|url| vec![String::new(), url.to_string()]);
            for heard in opened.map(|arguments| heard_in(&arguments)) {
                if let (Heard::Link(raw), Some(shell)) = (heard, app.try_state::<Shell>()) {
                    shell.deliver_link(raw);
                }
            }
        }
        _ => {}
    }
}

/// Ends the app in order when the system or a terminal asks for it.
async fn end_when_told(app: AppHandle) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    app.exit(0);
}
