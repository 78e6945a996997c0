//! The shell around the client: hands the page what to draw, hands the client what the person
//! wants, and raises the window. The commands below are all that the page can call. No decision
//! about a sign-in is taken here.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyport_client::{Client, ClientNotice, config};
use keyport_core::secret::RawCallback;
use keyport_core::{Intent, Screen, View};
use keyport_messages::Messages;
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, State};
use tokio::sync::{broadcast, watch};

use crate::screen_update::ScreenUpdate;
use crate::settings::{self, SetupError};
use crate::window;
use crate::zoom::{ZoomLevel, ZoomStep};

/// One change of the keychain is several signals, and our own writing is among them: it is read
/// again when there was none for this long.
const QUIET: Duration = Duration::from_millis(200);

/// The running app, or the reason why it can do nothing.
pub struct Shell {
    client: Mutex<Option<Client>>,
    /// Says when the keychain changed; taken by whoever follows it.
    changes: Mutex<Option<watch::Receiver<()>>>,
    error: Mutex<Option<SetupError>>,
    words: Messages,
    device: String,
    said: broadcast::Sender<&'static str>,
    page: Mutex<Option<Channel<ScreenUpdate>>>,
    drawing: Mutex<Option<JoinHandle<()>>>,
    zoom: Mutex<ZoomLevel>,
}

impl Shell {
    /// Starts the client; call it inside the runtime.
    #[must_use]
    pub fn start() -> Self {
        let (words, device) = (Messages::english(), config::device_name());
        let said = broadcast::Sender::new(4);
        let shell = Self {
            client: Mutex::default(),
            changes: Mutex::default(),
            error: Mutex::default(),
            words,
            device,
            said,
            page: Mutex::default(),
            drawing: Mutex::default(),
            zoom: Mutex::default(),
        };
        shell.read_settings();
        shell
    }

    /// Starts the client that the settings name, or remembers why there is none.
    fn read_settings(&self) {
        match settings::read(&self.words, &self.device, self.said.clone()) {
            Ok((config, platform, receivers)) => {
                *lock(&self.error) = None;
                *lock(&self.changes) = platform.keychain.changes();
                *lock(&self.client) = Some(Client::start(receivers, config, platform));
            }
            Err(error) => {
                tracing::error!(%error, "keyport is not set up");
                *lock(&self.error) = Some(error);
            }
        }
    }

    /// Reads the settings once more if there is no client, and shows what came of it.
    fn read_settings_again(&self, app: &AppHandle) {
        if self.with_client(|_| ()).is_some() {
            return;
        }
        // A client is started inside the runtime.
        tauri::async_runtime::block_on(async { self.read_settings() });
        self.heed_client(app.clone());
        let page = lock(&self.page).take();
        if let Some(page) = page {
            self.draw_on(page);
        }
    }

    /// Hands over a link as it arrived, ours or not.
    pub fn deliver_link(&self, raw: RawCallback) {
        self.with_client(|client| client.deliver_link(raw));
    }

    /// Another process may have signed in or out.
    pub fn follow_keychain(&self) {
        self.with_client(Client::follow_keychain);
    }

    /// Does with the window what the client asks for, until the client ends.
    pub fn heed_client(&self, app: AppHandle) {
        if let Some(changes) = lock(&self.changes).take() {
            tauri::async_runtime::spawn(follow_changes(app.clone(), changes));
        }
        let both = self.with_client(|client| (client.notices(), client.views()));
        let Some((mut notices, mut views)) = both else {
            return;
        };
        tauri::async_runtime::spawn(async move {
            loop {
                match notices.recv().await {
                    Ok(ClientNotice::Raise) => window::raise(&app),
                    Ok(ClientNotice::Confirm(_)) => {
                        window::show_beside_browser(&app).await;
                        let is_over = |view: &View| !matches!(view.screen, Screen::Confirm { .. });
                        if views.wait_for(is_over).await.is_err() {
                            return;
                        }
                        window::stop_standing_out(&app);
                    }
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return,
                }
            }
        });
    }

    /// Lets the client finish what is under way, and ends it.
    pub async fn shut_down(&self) {
        let client = lock(&self.client).take();
        if let Some(client) = client {
            client.shut_down().await;
        }
    }

    fn with_client<T>(&self, ask: impl FnOnce(&Client) -> T) -> Option<T> {
        lock(&self.client).as_ref().map(ask)
    }

    /// Draws what is shown now and whatever comes, on `channel`; a page that attached before is
    /// forgotten.
    fn draw_on(&self, channel: Channel<ScreenUpdate>) {
        let Some(mut views) = self.with_client(Client::views) else {
            let drawing = self.not_set_up();
            log_loss(channel.send(drawing));
            *lock(&self.page) = Some(channel);
            return;
        };
        let (words, device) = (self.words.clone(), self.device.clone());
        let mut said = self.said.subscribe();
        let send = move |view: View, said: Option<&'static str>| {
            channel.send(ScreenUpdate { said, ..ScreenUpdate::of(view, &device, &words) })
        };
        // The first one at once, so that the window is not shown before there is something in it.
        log_loss(send(views.borrow_and_update().clone(), None));
        let task = tauri::async_runtime::spawn(async move {
            loop {
                let announced = tokio::select! {
                    changed = views.changed() => if changed.is_err() { return } else { None },
                    Ok(word) = said.recv() => Some(word),
                };
                let view = views.borrow_and_update().clone();
                if send(view, announced).is_err() {
                    return;
                }
            }
        });
        if let Some(former) = lock(&self.drawing).replace(task) {
            former.abort();
        }
    }

    fn not_set_up(&self) -> ScreenUpdate {
        let error = lock(&self.error).as_ref().map_or_else(String::new, SetupError::to_string);
        let folder = config::config_dir();
        ScreenUpdate::not_set_up(&folder.display().to_string(), &error, &self.words)
    }
}

/// What another process does to the sessions is shown at once, also while the window is not looked
/// at.
async fn follow_changes(app: AppHandle, mut changes: watch::Receiver<()>) {
    while changes.changed().await.is_ok() {
        while matches!(tokio::time::timeout(QUIET, changes.changed()).await, Ok(Ok(()))) {}
        app.state::<Shell>().follow_keychain();
    }
}

fn log_loss(sent: tauri::Result<()>) {
    if let Err(error) = sent {
        tracing::warn!(%error, "the page is gone");
    }
}

/// The page hands over its end: everything to draw comes through it.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "commands take their arguments by value")]
pub fn attach(app: AppHandle, shell: State<'_, Shell>, channel: Channel<ScreenUpdate>) {
    tracing::debug!("the page is there");
    shell.draw_on(channel);
    window::show(&app);
}

/// The person pressed a button or a key that is about sign-in or sessions.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "commands take their arguments by value")]
pub fn intent(shell: State<'_, Shell>, intent: Intent) {
    shell.with_client(|client| client.intend(intent));
}

/// Larger or smaller text.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "commands take their arguments by value")]
pub fn zoom(app: AppHandle, shell: State<'_, Shell>, step: ZoomStep) {
    let mut level = lock(&shell.zoom);
    *level = level.after(step);
    window::zoom(&app, *level);
}

/// The settings once more, where they named no companion.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "commands take their arguments by value")]
pub fn read_settings_again(app: AppHandle, shell: State<'_, Shell>) {
    shell.read_settings_again(&app);
}

/// What a panicked task left is still the truth.
fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
