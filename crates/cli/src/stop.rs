//! Ctrl-C, SIGTERM and a terminal that is closed (SIGHUP) as something to wait for. From the moment it listens, none ends the process by itself.

use std::io;

/// Requests to stop.
pub struct Stop {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

/// Which way it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// At the terminal: every program that runs there was asked.
    Interrupt,
    /// This process alone.
    Terminate,
}

impl Stop {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system does not let us.
    #[cfg(unix)]
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Returns when one of them comes.
    #[cfg(unix)]
    pub async fn asked(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Interrupt,
            // Every program of the terminal hears of it.
            _ = self.hangup.recv() => Asked::Interrupt,
            _ = self.terminate.recv() => Asked::Terminate,
        }
    }

    /// Listens from the first question on.
    ///
    /// # Errors
    /// None here.
    #[cfg(not(unix))]
    pub fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Returns when Ctrl-C comes.
    #[cfg(not(unix))]
    pub async fn asked(&mut self) -> Asked {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Asked::Interrupt
    }

    /// Returns when one of them comes, whichever.
    pub async fn wanted(&mut self) {
        self.asked().await;
    }
}
