//! Real processes that are told to end. This file is also the program under test: it starts itself
//! again with `SHUTDOWN_TEST_PROGRAM` set. Arguments choose tests by a part of their name.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use keyport_shutdown::{Cause, Hangup, Policy, Shutdown};
use rustix::process::{Pid, Signal, kill_process};

const PROGRAM: &str = "SHUTDOWN_TEST_PROGRAM";
const FORCED: i32 = 7;

struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Program {
    fn start(kind: &str) -> Self {
        Self::of(Command::new(std::env::current_exe().unwrap()), kind)
    }

    fn of(mut command: Command, kind: &str) -> Self {
        let mut child = command.env(PROGRAM, kind).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Reads lines until one of them is `wanted`; false when the output ends first.
    fn says(&mut self, wanted: &str) -> bool {
        let mut line = String::new();
        while self.output.read_line(&mut line).unwrap() > 0 {
            if line.trim_end().ends_with(wanted) {
                return true;
            }
            line.clear();
        }
        false
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.child.kill().unwrap();
        panic!("the process did not end");
    }
}

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").unwrap();
    output.flush().unwrap();
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

type Test = (&'static str, fn());

macro_rules! tests {
    ($($name:ident),* $(,)?) => { &[$((stringify!($name), $name as fn())),*] };
}

const TESTS: &[Test] = tests![
    told_to_end_at_any_moment_it_ends_and_with_0_once_it_was_ready,
    blocked_threads_do_not_hold_up_the_end,
    a_further_signal_ends_the_process_at_once,
    a_program_that_forwards_signals_is_not_ended_by_them,
    a_program_may_ask_itself,
    signals_that_the_parent_ignores_stay_ignored,
    a_hangup_that_is_told_does_not_end_the_process,
];

fn main() {
    if let Ok(kind) = std::env::var(PROGRAM) {
        program(&kind);
    }
    let filters: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for (name, test) in TESTS {
        if filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str())) {
            test();
            say(&format!("test {name} ... ok"));
        }
    }
}

fn program(kind: &str) -> ! {
    let time_limit = Duration::from_millis(if kind == "blocked" { 300 } else { 60_000 });
    let hangup = if kind == "is told" { Hangup::Told } else { Hangup::Ends };
    let policy = Policy { hangup, time_limit, forced_exit_code: FORCED };
    let shutdown = Shutdown::install(policy).unwrap();
    // Before "ready": what is sent after it is told.
    let mut hangups = shutdown.hangups();
    say("ready");
    match kind {
        "is told" => {
            block_on(hangups.next());
            say("told");
            assert_eq!(shutdown.cause(), None);
            assert_eq!(block_on(shutdown.requested()), Cause::Terminate);
        }
        "ordinary" => {
            block_on(shutdown.requested());
        }
        "blocked" | "stubborn" => {
            block_on(shutdown.requested());
            say("asked");
            loop {
                std::thread::park();
            }
        }
        "forwards" => {
            let mut forwarded = shutdown.forward_signals();
            say("forwards");
            for _ in 0..2 {
                say(&format!("{:?}", block_on(forwarded.next())));
            }
            assert_eq!(shutdown.cause(), None);
            drop(forwarded);
            say("alone");
            assert_eq!(block_on(shutdown.requested()), Cause::Terminate);
        }
        "own" => {
            shutdown.request();
            assert_eq!(block_on(shutdown.requested()), Cause::Program);
        }
        other => panic!("no program {other}"),
    }
    std::process::exit(0);
}

fn told_to_end_at_any_moment_it_ends_and_with_0_once_it_was_ready() {
    for round in 0..200_u64 {
        let mut program = Program::start("ordinary");
        let at_ready = round % 4 == 0;
        if at_ready {
            assert!(program.says("ready"));
        } else {
            // From the start of the process to well after its first line.
            std::thread::sleep(Duration::from_micros(round * 50));
        }
        program.signal(if round % 2 == 0 { Signal::TERM } else { Signal::INT });
        let status = program.end();
        let ready = at_ready || program.says("ready");
        if ready {
            assert_eq!(status.code(), Some(0), "round {round}: {status}");
        } else {
            let by_default = matches!(status.signal(), Some(2 | 15));
            assert!(by_default || status.code() == Some(0), "round {round}: {status}");
        }
    }
}

fn blocked_threads_do_not_hold_up_the_end() {
    let mut program = Program::start("blocked");
    assert!(program.says("ready"));
    program.signal(Signal::TERM);
    assert!(program.says("asked"));
    assert_eq!(program.end().code(), Some(FORCED));
}

fn a_further_signal_ends_the_process_at_once() {
    let mut program = Program::start("stubborn");
    assert!(program.says("ready"));
    program.signal(Signal::TERM);
    assert!(program.says("asked"));
    let told = Instant::now();
    // The time limit is a minute; repetitions within half a second count as one request.
    let status = loop {
        program.signal(Signal::INT);
        if let Some(status) = program.child.try_wait().unwrap() {
            break status;
        }
        assert!(told.elapsed() < Duration::from_secs(20), "it did not end");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(FORCED));
}

fn a_program_that_forwards_signals_is_not_ended_by_them() {
    let mut program = Program::start("forwards");
    assert!(program.says("forwards"));
    for (signal, cause) in [(Signal::INT, "Interrupt"), (Signal::HUP, "Hangup")] {
        program.signal(signal);
        assert!(program.says(cause), "{cause} was not forwarded");
    }
    assert!(program.says("alone"));
    program.signal(Signal::TERM);
    assert_eq!(program.end().code(), Some(0));
}

fn a_program_may_ask_itself() {
    assert_eq!(Program::start("own").end().code(), Some(0));
}

fn signals_that_the_parent_ignores_stay_ignored() {
    let mut shell = Command::new("sh");
    let program = std::env::current_exe().unwrap();
    shell.args(["-c", "trap '' INT HUP; exec \"$0\" \"$@\""]).arg(program);
    let mut program = Program::of(shell, "ordinary");
    assert!(program.says("ready"));
    program.signal(Signal::INT);
    program.signal(Signal::HUP);
    program.signal(Signal::TERM);
    assert_eq!(program.end().code(), Some(0));
}

fn a_hangup_that_is_told_does_not_end_the_process() {
    let mut program = Program::start("is told");
    assert!(program.says("ready"));
    program.signal(Signal::HUP);
    assert!(program.says("told"));
    program.signal(Signal::TERM);
    assert_eq!(program.end().code(), Some(0));
}
