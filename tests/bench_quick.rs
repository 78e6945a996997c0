//! The benchmark can still be run from end to end, and its percentiles are what they say. NO figure
//! is judged here: the machine is shared and the build is not for speed.

#[path = "bench/samples.rs"]
mod samples;

use std::time::Duration;

use anyhow::{Context as _, Result};
use keyport_tests::{Process, binaries};
use samples::Samples;
use serde_json::Value;

/// It signs in some eighty times, starts the companion twenty times, and waits for its lock when
/// another test has a desktop.
const WAIT_TIMEOUT: Duration = Duration::from_secs(600);

#[test]
fn a_percentile_is_the_smallest_run_that_so_many_do_not_exceed() {
    let milliseconds = |runs: &[u64]| runs.iter().map(|ms| Duration::from_millis(*ms)).collect();
    let samples = Samples::of(milliseconds(&[50, 15, 40, 20, 35])).expect("there are runs");
    let percentile = |percent| samples.percentile(percent).as_millis();
    assert_eq!([5, 30, 40, 50, 95, 100].map(percentile), [15, 20, 20, 35, 50, 50]);
    assert_eq!((samples.count(), samples.longest()), (5, Duration::from_millis(50)));
    let hundred: Vec<u64> = (1..=100).collect();
    let samples = Samples::of(milliseconds(&hundred)).expect("there are runs");
    assert_eq!(samples.percentile(95), Duration::from_millis(95));
    assert!(Samples::of(Vec::new()).is_none(), "no run, no figure");
}

#[test]
fn a_quick_run_measures_everything_and_writes_it_down() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("figures.json");
    let mut command = binaries::command("keyport-bench")?;
    command.arg("--quick").arg("--json").arg(&file);
    let mut bench = Process::spawn("bench", command, folder.path())?;
    let status = bench.wait(WAIT_TIMEOUT)?;
    assert!(status.success(), "{status}: {}", bench.log());
    let figures: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    assert_eq!(figures["left_out"].as_array().context("left_out")?.len(), 0, "{figures}");
    for (part, count, figure) in [
        ("latencies", 10, "p50_ms"),
        ("rates", 5, "per_second"),
        ("ratios", 7, "value"),
        ("memory", 4, "kib"),
    ] {
        let lines = figures[part].as_array().with_context(|| format!("no {part}"))?;
        assert!(lines.len() >= count, "{part}: {lines:?}");
        for line in lines {
            assert!(line[figure].as_f64().is_some_and(|value| value > 0.0), "{line}");
        }
    }
    for line in figures["latencies"].as_array().context("latencies")? {
        let [p50, p95, max] = ["p50_ms", "p95_ms", "max_ms"].map(|name| line[name].as_f64());
        assert!(p50 <= p95 && p95 <= max, "{line}");
    }
    Ok(())
}
