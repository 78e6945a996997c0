//! Logs: lines of JSON on standard error (plain text on a terminal), chosen by `RUST_LOG`. Every
//! line of a request carries its `request_id`; no line carries a query, a body, a header or a
//! secret. A reader that stalls stops only the thread that writes: lines wait in a queue, those
//! that find it full are dropped, and the log says how many as soon as it is read again.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

use crate::config::log_filter;

/// Lines that wait for the reader.
const QUEUE: usize = 8192;
/// How long the end of the process waits for the reader.
const AT_THE_END: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);

/// The log of this process.
pub struct Log {
    lines: Lines,
    dropped: ErrorCounter,
    /// Never dropped: it would print to standard output when the reader stalls.
    _guard: std::mem::ManuallyDrop<WorkerGuard>,
}

/// Takes lines without waiting.
#[derive(Clone)]
struct Lines {
    queue: NonBlocking,
    taken: Arc<AtomicUsize>,
    written: Arc<AtomicUsize>,
}

/// Starts logging for the process.
pub fn start() -> Log {
    let log = Log::to(standard_error());
    let filter = filter(&std::env::var("RUST_LOG").unwrap_or_default());
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(log.lines.clone());
    if std::io::stderr().is_terminal() {
        lines.init();
    } else {
        lines.json().flatten_event(true).with_span_list(false).with_ansi(false).init();
    }
    // The default hook would wait for the reader, and hold a lock that the next panic waits for.
    std::panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let message = payload.downcast_ref::<&str>().copied();
        let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, message, "a task panicked");
    }));
    log
}

/// Unset, empty or unusable, it is `info`; the settings refuse what is unusable as soon as they are
/// read.
fn filter(given: &str) -> EnvFilter {
    let given = if given.trim().is_empty() { "info" } else { given };
    log_filter::parse(given).unwrap_or_else(|_| EnvFilter::new("info"))
}

impl Log {
    fn to(writer: impl Write + Send + 'static) -> Self {
        let (dropped, written) = (Arc::new(OnceLock::new()), Arc::new(AtomicUsize::new(0)));
        let output = Output {
            writer,
            dropped: Arc::clone(&dropped),
            written: Arc::clone(&written),
            said: 0,
        };
        let (queue, guard) =
            NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUE).finish(output);
        let counter = dropped.get_or_init(|| queue.error_counter()).clone();
        let taken = Arc::new(AtomicUsize::new(0));
        let lines = Lines { queue, taken, written };
        Self { lines, dropped: counter, _guard: std::mem::ManuallyDrop::new(guard) }
    }

    /// A line that is no event, for whoever started the process.
    pub fn say(&self, line: &str) {
        // Lines that find the queue full are counted, not refused.
        let _ = self.lines.clone().write_all(format!("{line}\n").as_bytes());
    }

    /// Waits until all lines are written, for at most a second.
    pub fn finish(&self) {
        let rounds = AT_THE_END.as_millis() / PAUSE.as_millis();
        for _ in 0..rounds {
            let taken = self.lines.taken.load(Ordering::Acquire);
            let gone = self.lines.written.load(Ordering::Acquire) + self.dropped.dropped_lines();
            if gone >= taken {
                return;
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.taken.fetch_add(1, Ordering::AcqRel);
        self.queue.write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What the thread that may wait writes to.
struct Output<W> {
    writer: W,
    dropped: Arc<OnceLock<ErrorCounter>>,
    written: Arc<AtomicUsize>,
    /// Dropped lines that the log has told of.
    said: usize,
}

impl<W: Write> Output<W> {
    fn say_dropped(&mut self) -> std::io::Result<()> {
        let dropped = self.dropped.get().map_or(0, ErrorCounter::dropped_lines);
        if dropped > self.said {
            let mut timestamp = String::new();
            let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
            let line = serde_json::json!({
                "timestamp": timestamp,
                "level": "WARN",
                "message": "log lines were dropped because standard error was not read",
                "dropped": dropped - self.said,
                "dropped_in_all": dropped,
                "target": module_path!(),
            });
            self.writer.write_all(format!("{line}\n").as_bytes())?;
            self.said = dropped;
        }
        Ok(())
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let result = self.say_dropped().and_then(|()| self.writer.write_all(line));
        // Also a line that could not be written is no longer waited for.
        self.written.fetch_add(1, Ordering::AcqRel);
        result.map(|()| line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.say_dropped()?;
        self.writer.flush()
    }
}

/// Standard error as a file of its own: the lock of [`std::io::stderr`] would be held for as long
/// as the reader stalls.
fn standard_error() -> Box<dyn Write + Send> {
    #[cfg(unix)]
    let file = std::os::fd::AsFd::as_fd(&std::io::stderr()).try_clone_to_owned();
    #[cfg(windows)]
    let file = std::os::windows::io::AsHandle::as_handle(&std::io::stderr()).try_clone_to_owned();
    match file {
        Ok(file) => Box::new(File::from(file)),
        Err(_) => Box::new(std::io::stderr()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Writes each line to a channel, once the test lets it.
    struct Reader {
        may_write: mpsc::Receiver<()>,
        lines: mpsc::Sender<String>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.may_write.recv();
            let _ = self.lines.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stalls_is_told_how_many_lines_it_missed() {
        let (go_on, may_write) = mpsc::channel();
        let (lines, read) = mpsc::channel();
        let log = Arc::new(Log::to(Reader { may_write, lines }));
        let sent = QUEUE * 2;
        // In a thread of its own: where a full queue made callers wait, it would never end.
        let (all_sent, ended) = mpsc::channel();
        let sender = Arc::clone(&log);
        std::thread::spawn(move || {
            for number in 0..sent {
                sender.say(&format!("line {number}"));
            }
            all_sent.send(())
        });
        let waited = ended.recv_timeout(Duration::from_secs(30));
        waited.expect("lines are taken although nothing reads them");
        let dropped = log.dropped.dropped_lines();
        assert!((sent - QUEUE - 1..=sent - QUEUE).contains(&dropped), "{dropped} of {sent}");
        // A closed channel stalls nothing.
        drop(go_on);
        log.finish();
        let read: Vec<String> = read.try_iter().collect();
        // The first line may be written before or after the first ones were dropped.
        let told: Vec<u64> = read
            .iter()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter_map(|line| line["dropped"].as_u64())
            .collect();
        assert_eq!(told.iter().sum::<u64>(), dropped as u64);
        assert_eq!(read.len(), sent - dropped + told.len());
    }
}
