//! The slowest tests of a run. The test harness tells how long a test took, but the option for it
//! (`--report-time`) is unstable: the harness alone is told to take it, and the compiler is not.

use std::io::{BufRead, BufReader, Write, pipe};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, bail};

use crate::steps::line;

/// How many tests the table names.
const SHOWN: usize = 10;

/// A runner for cargo: it starts a test program with the options under which it tells times.
pub const RUNNER: &str = concat!(
    r#"target."cfg(all())".runner=["sh", "-c", "#,
    r#"'RUSTC_BOOTSTRAP=1 exec "$0" "$@" -Zunstable-options --report-time']"#
);

/// Written behind the last line: a process that a test left behind could hold the pipe open.
const END: &str = "=== the tests have ended ===";

/// How long each test took.
#[derive(Debug, Default)]
pub struct Times {
    /// The file of the tests that are running, as cargo names it.
    file: String,
    tests: Vec<(f64, String)>,
}

impl Times {
    /// Runs `cargo test …`, shows what it says and remembers the times.
    pub fn run(&mut self, tests: &mut Command) -> Result<()> {
        let (reader, writer) = pipe()?;
        // Both into one pipe, so that the name of a file stays before its tests.
        tests.stdout(writer.try_clone()?).stderr(writer.try_clone()?);
        let mut child = tests.spawn().with_context(|| format!("cannot start {}", line(tests)))?;
        let ended = thread::spawn(move || {
            let status = child.wait();
            let mut writer = writer;
            // The reader is there until it has read this line.
            let _ = writeln!(writer, "\n{END}");
            status
        });
        for said in BufReader::new(reader).split(b'\n') {
            let said = said?;
            let said = String::from_utf8_lossy(&said);
            if said == END {
                break;
            }
            println!("{said}");
            self.read(&said);
        }
        let status =
            ended.join().map_err(|_| anyhow::anyhow!("the tests were not waited for"))??;
        if !status.success() {
            bail!("`{}` ended with {status}", line(tests));
        }
        Ok(())
    }

    fn read(&mut self, said: &str) {
        if let Some(running) = said.trim_start().strip_prefix("Running ") {
            let (file, program) = running.split_once(" (").unwrap_or((running, ""));
            // `unittests src/lib.rs` is the name of many; `deps/NAME-HASH` tells them apart.
            let program = program.trim_end_matches(')').rsplit('/').next().unwrap_or_default();
            let package = program.rsplit_once('-').map_or(program, |(name, _)| name);
            self.file = match file.strip_prefix("unittests ") {
                Some(file) => format!("{package} {file}"),
                None => file.to_owned(),
            };
        } else if let Some((name, seconds)) = test_and_seconds(said) {
            self.tests.push((seconds, format!("{}: {name}", self.file)));
        }
    }

    /// Prints the slowest ones, the slowest first.
    pub fn print(&mut self) {
        self.tests.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        println!("\n=== the slowest of {} tests ===", self.tests.len());
        for (seconds, name) in self.tests.iter().take(SHOWN) {
            println!("{seconds:>8.1} s  {name}");
        }
    }
}

/// Reads `test NAME ... ok <1.234s>`.
fn test_and_seconds(said: &str) -> Option<(&str, f64)> {
    let (name, result) = said.strip_prefix("test ")?.split_once(" ... ")?;
    let seconds = result.strip_suffix("s>")?.rsplit_once('<')?.1;
    Some((name, seconds.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_belongs_to_the_file_that_runs() {
        let mut times = Times::default();
        for said in [
            "     Running unittests src/lib.rs (target/debug/deps/keyport_core-0a1b)",
            "running 2 tests",
            "test machine::tests::one ... ok <0.500s>",
            "test machine::tests::two ... FAILED <1.250s>",
            "     Running tests/refresh.rs (/a/target/debug/deps/refresh-0a1b)",
            "test three ... ok <10.000s>",
            "test result: ok. 3 passed; 0 failed; 0 ignored; finished in 10.01s",
        ] {
            times.read(said);
        }
        times.tests.sort_by(|one, other| one.0.total_cmp(&other.0));
        assert_eq!(
            times.tests,
            [
                (0.5, "keyport_core src/lib.rs: machine::tests::one".to_owned()),
                (1.25, "keyport_core src/lib.rs: machine::tests::two".to_owned()),
                (10.0, "tests/refresh.rs: three".to_owned()),
            ]
        );
    }
}
