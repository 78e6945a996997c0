//! What was measured, for a person and as JSON. Every figure here comes from this run; a goal is
//! printed beside its figure and decides nothing: a benchmark on a shared machine is no test.

use serde::Serialize;

use crate::samples::Samples;

/// All figures of one run.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// What was measured on and with.
    pub setup: Vec<Fact>,
    /// Times of single runs.
    pub latencies: Vec<Latency>,
    /// What was done a second.
    pub rates: Vec<Rate>,
    /// Figures beside their floors.
    pub ratios: Vec<Ratio>,
    /// Resident memory.
    pub memory: Vec<Memory>,
    /// What could not be measured here, and why.
    pub left_out: Vec<Fact>,
}

/// One line of the set-up.
#[derive(Debug, Serialize)]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// What it is.
    pub value: String,
}

/// Times of one thing that was done again and again.
#[derive(Debug, Serialize)]
pub struct Latency {
    /// The thing.
    pub what: String,
    /// How often.
    pub runs: usize,
    /// The median.
    pub p50_ms: f64,
    /// Nearest rank.
    pub p95_ms: f64,
    /// The slowest.
    pub max_ms: f64,
    /// The goal for p95, where there is one.
    pub goal_p95_ms: Option<f64>,
}

/// How much was done a second.
#[derive(Debug, Serialize)]
pub struct Rate {
    /// What.
    pub what: String,
    /// Done in all, over the time from the first to the last.
    pub per_second: f64,
    /// Processor time of the companion for one; all its threads, user and system.
    pub companion_cpu_us: Option<f64>,
}

/// Two figures of this run, one divided by the other.
#[derive(Debug, Serialize)]
pub struct Ratio {
    /// Which.
    pub what: String,
    /// The quotient.
    pub value: f64,
}

/// Resident memory of a process.
#[derive(Debug, Serialize)]
pub struct Memory {
    /// Whose, and when.
    pub what: String,
    /// In KiB, from the kernel.
    pub kib: u64,
}

impl Report {
    /// One more line of the set-up.
    pub fn state(&mut self, name: &str, value: impl Into<String>) {
        self.setup.push(Fact { name: name.to_owned(), value: value.into() });
    }

    /// Something that could not be measured.
    pub fn leave_out(&mut self, name: &str, why: impl Into<String>) {
        self.left_out.push(Fact { name: name.to_owned(), value: why.into() });
    }

    /// Times, and their goal for p95 in milliseconds.
    pub fn time(&mut self, what: &str, samples: &Samples, goal_p95_ms: Option<f64>) {
        let ms = |percent| samples.percentile(percent).as_secs_f64() * 1e3;
        self.latencies.push(Latency {
            what: what.to_owned(),
            runs: samples.count(),
            p50_ms: ms(50),
            p95_ms: ms(95),
            max_ms: samples.longest().as_secs_f64() * 1e3,
            goal_p95_ms,
        });
    }

    /// A rate, and the companion's processor time for one in microseconds.
    pub fn rate(&mut self, what: &str, per_second: f64, companion_cpu_us: Option<f64>) {
        self.rates.push(Rate { what: what.to_owned(), per_second, companion_cpu_us });
    }

    /// A quotient.
    pub fn ratio(&mut self, what: &str, value: f64) {
        self.ratios.push(Ratio { what: what.to_owned(), value });
    }

    /// Memory in KiB.
    pub fn memory(&mut self, what: &str, kib: u64) {
        self.memory.push(Memory { what: what.to_owned(), kib });
    }

    /// For a person.
    pub fn print(&self) {
        println!("\nset-up");
        for fact in &self.setup {
            println!("  {:<22} {}", fact.name, fact.value);
        }
        println!("\n{:<62} {:>6} {:>10} {:>10} {:>10}  goal", "time", "runs", "p50", "p95", "max");
        for line in &self.latencies {
            let [p50, p95, max] = [line.p50_ms, line.p95_ms, line.max_ms].map(time);
            let goal = line.goal_p95_ms.map_or_else(String::new, |goal| {
                let verdict = if line.p95_ms <= goal { "met" } else { "MISSED" };
                format!("p95 <= {goal} ms: {verdict}")
            });
            println!("{:<62} {:>6} {p50:>10} {p95:>10} {max:>10}  {goal}", line.what, line.runs);
        }
        println!("\n{:<62} {:>12} {:>24}", "rate", "per second", "companion's CPU for one");
        for line in &self.rates {
            let cpu = line.companion_cpu_us.map_or_else(String::new, |us| format!("{us:.0} µs"));
            println!("{:<62} {:>12.0} {cpu:>24}", line.what, line.per_second);
        }
        println!("\nbeside the floors of the same run");
        for line in &self.ratios {
            println!("  {:<60} {:>12.2}", line.what, line.value);
        }
        println!("\nresident memory");
        for line in &self.memory {
            let mib = format!("{}.{}", line.kib / 1024, line.kib % 1024 * 10 / 1024);
            println!("  {:<60} {mib:>8} MiB", line.what);
        }
        for fact in &self.left_out {
            println!("\nNOT MEASURED: {}: {}", fact.name, fact.value);
        }
    }
}

fn time(ms: f64) -> String {
    if ms < 1.0 { format!("{:.1} µs", ms * 1e3) } else { format!("{ms:.2} ms") }
}
