//! What must hold, and the figures beside it: memory as the kernel counts it, rows as the database
//! has them, people as they fared. A time is compared and never judged.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use rusqlite::{Connection, OpenFlags};

use crate::people::{People, Times};

/// Resident memory that the companion may have at any time, in KiB.
const MOST_MEMORY: u64 = 64 * 1024;
/// Rows of one table that unauthenticated callers may fill, with room for what a sweep is behind.
const MOST_ROWS: u64 = 50_000 + 5_000;
/// What the database and its log may take on the disk, in bytes.
const MOST_BYTES: u64 = 128 * 1024 * 1024;
/// Between two looks at the memory.
const LOOK: Duration = Duration::from_millis(100);
/// Failures of people that are printed.
const SHOWN: usize = 5;

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What did not hold.
    pub failures: Vec<String>,
}

impl Outcome {
    /// One more thing that did not hold.
    pub fn fail(&mut self, what: String) {
        self.failures.push(what);
    }

    /// Says what did not hold when it did not.
    pub fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fail(what());
        }
    }

    /// No sign-in may have failed, and at least one must have been tried.
    pub fn people(&mut self, people: &People, undisturbed: &Times) {
        self.compare("under load", &people.signed_in, undisturbed);
        for failure in people.failures.iter().take(SHOWN) {
            println!("  a person failed: {failure}");
        }
        let (failed, signed_in) = (people.failures.len(), people.signed_in.count());
        self.expect(failed == 0, || {
            format!("{failed} of {} people failed under load", failed + signed_in)
        });
        self.expect(signed_in > 0, || "no one signed in under load".to_owned());
    }

    /// Prints times as ratios to those without load.
    pub fn compare(&mut self, when: &str, times: &Times, undisturbed: &Times) {
        let ratio = |percent| times.percentile(percent) / undisturbed.percentile(percent);
        println!(
            "{when}: {} sign-ins; time / time without load: p50 {:.1}, p95 {:.1}",
            times.count(),
            ratio(50),
            ratio(95)
        );
    }

    /// The most that the companion ever had.
    pub fn memory(&mut self, most_kib: u64) {
        println!("companion, the most it ever had: {}", mib(most_kib));
        self.expect(most_kib <= MOST_MEMORY, || {
            format!("the companion had {} and may have {}", mib(most_kib), mib(MOST_MEMORY))
        });
    }

    /// Counts rows and bytes while the companion runs.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn database(&mut self, path: &Path) -> Result<()> {
        let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut counted = Vec::new();
        for table in ["grants", "attempts", "audit"] {
            let count = format!("SELECT count(*) FROM {table}");
            let rows: i64 = database.query_row(&count, [], |row| row.get(0))?;
            let rows = u64::try_from(rows)?;
            counted.push(format!("{rows} {table}"));
            self.expect(rows <= MOST_ROWS, || format!("{rows} rows in {table}"));
        }
        let bytes = size_of(path) + size_of(&path.with_extension("db-wal"));
        println!("database: {}, {}", counted.join(", "), mib(bytes / 1024));
        self.expect(bytes <= MOST_BYTES, || format!("the database has {}", mib(bytes / 1024)));
        Ok(())
    }
}

fn size_of(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

/// KiB as a person reads them.
pub fn mib(kib: u64) -> String {
    format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024)
}

/// Looks at the memory of a process ten times a second.
pub struct Memory {
    process: u32,
    most: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    watching: JoinHandle<()>,
}

impl Memory {
    /// Begins to look.
    pub fn watch(process: u32) -> Result<Self> {
        let (most, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (seen, over) = (Arc::clone(&most), Arc::clone(&is_over));
        let watching = std::thread::Builder::new().name("memory".to_owned()).spawn(move || {
            while !over.load(Ordering::Relaxed) {
                seen.fetch_max(resident(process, "VmRSS").unwrap_or(0), Ordering::Relaxed);
                std::thread::sleep(LOOK);
            }
        })?;
        Ok(Self { process, most, is_over, watching })
    }

    /// What it has now, in KiB.
    pub fn now(&self) -> Result<u64> {
        resident(self.process, "VmRSS")
    }

    /// The most that was seen or that the kernel remembers, in KiB.
    pub fn stop(self) -> Result<u64> {
        self.is_over.store(true, Ordering::Relaxed);
        self.watching.join().map_err(|_| anyhow!("the memory was not watched to the end"))?;
        let peak = resident(self.process, "VmHWM").context("the companion has ended")?;
        Ok(peak.max(self.most.load(Ordering::Relaxed)))
    }
}

fn resident(process: u32, field: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next()).context("no such field")?;
    Ok(number.parse()?)
}
