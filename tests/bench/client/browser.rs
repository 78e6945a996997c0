//! A browser that is a real process and nothing more: this very program under another name. Its
//! first act is to say that it runs. The moment counted is the one at which the click's process
//! hears of it, so the time is never too short.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// The file name under which this program is that browser.
pub const BROWSER: &str = "fake-browser";
const SOCKET: &str = "fake-browser-started";

/// What `main` does when it was started as [`BROWSER`].
pub fn report_start(program: &Path) -> std::io::Result<()> {
    UnixDatagram::unbound()?.send_to(b"started", program.with_file_name(SOCKET)).map(drop)
}

/// The browser as a file that can be started, and the ear that hears it.
pub struct FakeBrowser {
    /// The program.
    pub program: PathBuf,
    started: Mutex<Receiver<Instant>>,
}

impl FakeBrowser {
    /// Puts it into this folder.
    pub fn install(folder: &Path) -> Result<Self> {
        let program = folder.join(BROWSER);
        std::os::unix::fs::symlink(std::env::current_exe()?, &program)?;
        let ear = UnixDatagram::bind(folder.join(SOCKET))?;
        let (send, started) = channel();
        // A thread that does nothing but wait: the runtime may be busy with what follows the click.
        std::thread::spawn(move || {
            let mut message = [0; 16];
            while ear.recv(&mut message).is_ok() && send.send(Instant::now()).is_ok() {}
        });
        Ok(Self { program, started: Mutex::new(started) })
    }

    /// When the next one ran.
    pub fn next_start(&self, limit: Duration) -> Result<Instant> {
        let started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        started.recv_timeout(limit).context("no browser was started")
    }
}
