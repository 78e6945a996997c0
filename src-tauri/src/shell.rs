//! The shell around the client: hands the page what to draw, hands the client what the person
//! wants, and raises the window. These two commands are all that the page can call. No decision
//! about a sign-in is taken here.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyport_client::{Client, ClientNotice, Intent, config};
use keyport_core::secret::RawCallback;
use keyport_core::{Screen, View};
use keyport_messages::Messages;
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, State};
use tokio::sync::{broadcast, watch};

use crate::screen_update::ScreenUpdate;
use crate::settings::{self, SetupError};
use crate::window;
use crate::wishes::{Details, Wanted, Wish, Wishes};

/// One change of the keychain is several signals, and our own writing is among them: it is read
/// again when there was none for this long.
const QUIET: Duration = Duration::from_millis(200);

/// An email address has at most this many bytes, RFC 5321 §4.5.3.1.
const LONGEST_EMAIL: usize = 254;

/// The running app, or the reason why it can do nothing.
pub struct Shell {
    client: Mutex<Option<Client>>,
    /// Says when the keychain changed; taken by whoever follows it.
    changes: Mutex<Option<watch::Receiver<()>>>,
    error: Mutex<Option<SetupError>>,
    wishes: Arc<Mutex<Wishes>>,
    words: Messages,
    device: String,
    said: broadcast::Sender<&'static str>,
    page: Mutex<Option<Channel<ScreenUpdate>>>,
    drawing: Mutex<Option<JoinHandle<()>>>,
    /// Into [`window::ZOOM_LEVELS`].
    zoom: AtomicUsize,
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
            wishes: Arc::new(Mutex::new(Wishes::new(keyport_core::CallbackReceiver::Link))),
            words,
            device,
            said,
            page: Mutex::default(),
            drawing: Mutex::default(),
            zoom: AtomicUsize::new(window::USUAL_ZOOM),
        };
        shell.read_settings();
        shell
    }

    /// Starts the client that the settings name, or remembers why there is none.
    fn read_settings(&self) {
        match settings::read(&self.words, &self.device, self.said.clone()) {
            Ok((config, platform, receiver)) => {
                *lock(&self.wishes) = Wishes::new(receiver);
                *lock(&self.error) = None;
                *lock(&self.changes) = platform.keychain.changes();
                *lock(&self.client) = Some(Client::start(config, platform));
            }
            Err(error) => {
                tracing::error!(%error, "keyport is not set up");
                *lock(&self.error) = Some(error);
            }
        }
    }

    /// Reads the settings once more if there is no client, and shows what came of it.
    fn look_again(&self, app: &AppHandle) {
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
        self.with_client(|client| client.intend(Intent::Follow));
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
        let (mut said, wishes) = (self.said.subscribe(), self.wishes.clone());
        let send = move |view: View, said: Option<&'static str>| {
            let another_way = lock(&wishes).another_way(&view).is_some();
            channel.send(ScreenUpdate {
                said,
                another_way,
                ..ScreenUpdate::of(view, &device, &words)
            })
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

/// The person pressed a button or a key.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "commands take their arguments by value")]
pub fn intent(app: AppHandle, shell: State<'_, Shell>, intent: Wish, details: Option<Details>) {
    tracing::debug!(?intent, "the person wants");
    let mut details = details.unwrap_or_default();
    let fits = |email: &String| !email.is_empty() && email.len() <= LONGEST_EMAIL;
    details.email = details.email.filter(fits);
    let view = shell.with_client(|client| client.views().borrow().clone());
    // Without a client nothing is shown that an intent could be about.
    let view = view.unwrap_or(View { screen: Screen::Starting });
    let wanted = lock(&shell.wishes).read(intent, details, &view);
    match wanted {
        Wanted::OfClient(intent) => {
            shell.with_client(|client| client.intend(intent));
        }
        Wanted::Settings => shell.look_again(&app),
        Wanted::Zoom(step) => {
            let level = shell.zoom.load(Ordering::Relaxed);
            shell.zoom.store(window::zoom(&app, level, step), Ordering::Relaxed);
        }
        Wanted::Nothing => tracing::debug!("which is not offered"),
    }
}

/// What a panicked task left is still the truth.
fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
