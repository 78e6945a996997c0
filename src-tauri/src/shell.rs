//! The shell around the client: hands the page what to draw, hands the client what the person wants, and raises the window.
//! These two commands are all that the page can call. No decision about a sign-in is taken here.

use std::sync::{Mutex, PoisonError};

use keyport_client::{Client, Notice, config};
use keyport_core::View;
use keyport_core::secret::RawCallback;
use keyport_words::Words;
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use tauri::{AppHandle, State};
use tokio::sync::broadcast;

use crate::drawing::Drawing;
use crate::settings::{self, Trouble};
use crate::window;
use crate::wishes::{Wish, Wishes};

/// An email address has at most this many bytes, RFC 5321 §4.5.3.1.
const LONGEST_EMAIL: usize = 254;

/// The running app, or the reason why it can do nothing.
pub struct Shell {
    client: Mutex<Option<Client>>,
    trouble: Option<Trouble>,
    wishes: Mutex<Wishes>,
    words: Words,
    device: String,
    said: broadcast::Sender<&'static str>,
    drawing: Mutex<Option<JoinHandle<()>>>,
}

impl Shell {
    /// Starts the client; call it inside the runtime.
    #[must_use]
    pub fn start() -> Self {
        let (words, device) = (Words::english(), settings::device_name());
        let said = broadcast::Sender::new(4);
        let (client, trouble, door) = match settings::read(&words, &device, said.clone()) {
            Ok((config, platform, door)) => (Some(Client::start(config, platform)), None, door),
            Err(trouble) => {
                tracing::error!(%trouble, "keyport is not set up");
                (None, Some(trouble), keyport_core::Door::Link)
            }
        };
        Self {
            client: Mutex::new(client),
            trouble,
            wishes: Mutex::new(Wishes::new(door)),
            words,
            device,
            said,
            drawing: Mutex::default(),
        }
    }

    /// Hands over a link as it arrived, ours or not.
    pub fn deliver_link(&self, raw: RawCallback) {
        self.with_client(|client| client.deliver_link(raw));
    }

    /// Raises the window whenever the client asks for it, until the client ends.
    pub fn raise_when_asked(&self, app: AppHandle) {
        let Some(mut notices) = self.with_client(Client::notices) else {
            return;
        };
        tauri::async_runtime::spawn(async move {
            loop {
                match notices.recv().await {
                    Ok(Notice::Raise) => window::raise(&app),
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return,
                }
            }
        });
    }

    /// Lets the client finish what it owes, and ends it.
    pub async fn shut_down(&self) {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(client) = client {
            client.shut_down().await;
        }
    }

    fn with_client<T>(&self, ask: impl FnOnce(&Client) -> T) -> Option<T> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(ask)
    }

    /// Draws what is shown now and whatever comes, on `channel`; a page that attached before is forgotten.
    fn draw_on(&self, channel: Channel<Drawing>) {
        let Some(mut views) = self.with_client(Client::views) else {
            let drawing = self.not_set_up();
            return log_loss(channel.send(drawing));
        };
        let (words, device) = (self.words.clone(), self.device.clone());
        let mut said = self.said.subscribe();
        let send = move |view: View, said: Option<&'static str>| {
            channel.send(Drawing { said, ..Drawing::of(view, &device, &words) })
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
        let mut drawing = self.drawing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(former) = drawing.replace(task) {
            former.abort();
        }
    }

    fn not_set_up(&self) -> Drawing {
        let trouble = self.trouble.as_ref().map_or_else(String::new, Trouble::to_string);
        let folder = config::config_dir();
        Drawing::not_set_up(&folder.display().to_string(), &trouble, &self.words)
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
pub fn attach(app: AppHandle, shell: State<'_, Shell>, channel: Channel<Drawing>) {
    tracing::debug!("the page is there");
    shell.draw_on(channel);
    window::show(&app);
}

/// The person pressed a button.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "commands take their arguments by value")]
pub fn intent(app: AppHandle, shell: State<'_, Shell>, intent: Wish, email: Option<String>) {
    tracing::debug!(?intent, "the person wants");
    let email = email.filter(|email| !email.is_empty() && email.len() <= LONGEST_EMAIL);
    let asked = shell.with_client(|client| {
        let view = client.views().borrow().clone();
        let mut wishes = shell.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        client.intend(wishes.read(intent, email, &view));
    });
    if asked.is_none() {
        // Nothing can be wanted without a client but to look for settings again.
        app.request_restart();
    }
}
