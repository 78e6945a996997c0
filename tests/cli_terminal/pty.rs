//! A terminal as a person has it: a pseudoterminal (pty(7)) whose shell controls jobs. What the
//! test types goes in, what is shown comes out. NOT a terminal emulator: nothing here reads escape
//! codes.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use keyport_tests::{offspring, wait};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::Terminal;

/// Ctrl-C as a terminal sends it.
pub const CTRL_C: &str = "\u{3}";
/// Ctrl-Z as a terminal sends it.
pub const CTRL_Z: &str = "\u{1a}";

/// A pseudoterminal and the leader of its session.
pub struct Pty {
    /// `None` once the terminal is closed.
    master: Option<Arc<File>>,
    shown: Arc<Mutex<Vec<u8>>>,
    read: Mutex<usize>,
    open: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    leader: Child,
}

/// Keeps what is shown, until the terminal is closed from either side.
struct Reader {
    master: Arc<File>,
    shown: Arc<Mutex<Vec<u8>>>,
    open: Arc<AtomicBool>,
}

impl Reader {
    fn run(self) {
        let look = Timespec { tv_sec: 0, tv_nsec: 25_000_000 };
        let mut bytes = [0; 4096];
        while self.open.load(Ordering::Relaxed) {
            let mut ready = [PollFd::new(&*self.master, PollFlags::IN)];
            if poll(&mut ready, Some(&look)).unwrap_or(0) == 0 {
                continue;
            }
            // Ends with an error when the last program of the terminal has closed it.
            let Ok(count @ 1..) = (&*self.master).read(&mut bytes) else { return };
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.extend(&bytes[..count]);
        }
    }
}

impl Pty {
    /// An interactive shell, which gives each command a process group of its own.
    pub fn with_shell(terminal: &Terminal) -> Result<Self> {
        let mut shell = Command::new("setsid");
        shell.args(["--ctty", "bash", "--noprofile", "--norc", "--noediting", "-i"]);
        terminal.set_up(&mut shell);
        let pty = Self::with(shell.env("PS1", "").env("PS2", ""))?;
        // In two parts, so that the echo of the line is not taken for its answer.
        pty.types("stty -echo; echo at your 'service'\n")?;
        pty.shows("at your service")?;
        Ok(pty)
    }

    /// A program that leads the session itself, as under `xterm -e`. It starts through `setsid`.
    pub fn with(command: &mut Command) -> Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?.into_string()?;
        let no_control = i32::try_from(rustix::fs::OFlags::NOCTTY.bits())?;
        let open =
            || OpenOptions::new().read(true).write(true).custom_flags(no_control).open(&name);
        let (input, output, errors): (OwnedFd, OwnedFd, OwnedFd) =
            (open()?.into(), open()?.into(), open()?.into());
        offspring::adopt(command);
        let leader = command.stdin(input).stdout(output).stderr(errors).spawn()?;
        // The command keeps the descriptors of the terminal until it is dropped or set anew.
        command.stdin(std::process::Stdio::null());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let master = Arc::new(File::from(master));
        let (shown, open) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(true)));
        let reader = Reader { master: master.clone(), shown: shown.clone(), open: open.clone() };
        let reader = Some(std::thread::spawn(move || reader.run()));
        Ok(Self { master: Some(master), shown, read: Mutex::new(0), open, reader, leader })
    }

    /// Types text, keys included.
    pub fn types(&self, text: &str) -> Result<()> {
        let mut master = self.master.as_deref().context("the terminal was closed")?;
        Ok(master.write_all(text.as_bytes())?)
    }

    /// Waits for words; answers with all that was shown since the last words that were awaited.
    pub fn shows(&self, words: &str) -> Result<String> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let found = wait::until(&format!("{words:?} on the terminal"), wait::WAIT_TIMEOUT, || {
            let shown = self.all_shown();
            let new = shown.get(*read..).unwrap_or_default();
            Ok(new.find(words).map(|at| new[..at + words.len()].to_owned()))
        });
        let found = found.with_context(|| format!("the terminal shows:\n{}", self.all_shown()))?;
        *read += found.len();
        Ok(found)
    }

    /// As [`Pty::shows`], to the end of the line on which the words are; answers with that line.
    pub fn shows_line(&self, words: &str) -> Result<String> {
        let before = self.shows(words)?;
        let rest = self.shows("\n")?;
        let begun = before.rsplit('\n').next().unwrap_or_default();
        Ok(format!("{begun}{rest}").trim().to_owned())
    }

    /// Everything that was shown so far.
    pub fn all_shown(&self) -> String {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&shown).into_owned()
    }

    /// The process that leads the session.
    pub fn leader(&self) -> Result<Pid> {
        Pid::from_raw(i32::try_from(self.leader.id())?).context("a process")
    }

    /// Closes the terminal, as a closed window or a lost connection does, and waits for the end of
    /// the leader. Its exit code, or none when a signal ended it.
    pub fn hangs_up(&mut self) -> Result<Option<i32>> {
        self.open.store(false, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            anyhow::ensure!(reader.join().is_ok(), "the reader of the terminal panicked");
        }
        // The last descriptor: now the kernel hangs up.
        self.master = None;
        let leader = &mut self.leader;
        let ended =
            wait::until("the end of the leader", wait::WAIT_TIMEOUT, || Ok(leader.try_wait()?))?;
        Ok(ended.code())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the terminal showed ---\n{}", self.all_shown());
        }
        if let Ok(leader) = self.leader() {
            let _ = kill_process(leader, Signal::KILL);
        }
        let _ = self.leader.wait();
    }
}
