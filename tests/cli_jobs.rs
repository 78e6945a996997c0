//! `keyport run` as a job: signals, Ctrl-C, Ctrl-Z and `fg`, `nohup`, a terminal that is closed,
//! and `kill -9`. The command behaves as it would without `keyport`, and is never left behind.

mod cli_terminal;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use cli_terminal::pty::{CTRL_C, CTRL_Z, Pty};
use cli_terminal::{Keyport, Terminal, ada_signs_in, live_sessions};
use keyport_tests::{World, binaries, wait};
use rustix::process::{Pid, Signal, kill_process};

/// Catches each of these signals and says so; TERM ends it with 5.
const SAYS_EACH_SIGNAL: &str = r#"
for name in INT HUP QUIT USR1 USR2; do trap "echo got $name" $name; done
trap 'echo got TERM; exit 5' TERM
echo begun $$
while :; do sleep 0.05; done"#;

fn arguments<'a>(world: &'a World, line: &'a str) -> [&'a str; 8] {
    ["run", "--no-browser", "--companion", world.issuer(), "--", "sh", "-c", line]
}

/// What a person types into a shell for the same.
fn typed(world: &World, line: &str) -> Result<String> {
    let keyport = binaries::path("keyport")?;
    let companion = world.issuer();
    Ok(format!(
        "{} run --no-browser --companion {companion} -- sh -c '{line}'\n",
        keyport.display()
    ))
}

/// Ada signs in; answers with the process id of the command once it says so.
async fn begun(keyport: &Keyport) -> Result<u32> {
    let said = keyport.says("/oauth/authorize?")?;
    let link = said.lines().find(|line| line.contains("/oauth/authorize?")).unwrap_or_default();
    ada_signs_in(link.trim()).await?;
    keyport.process.line(wait::WAIT_TIMEOUT, |line| line.strip_prefix("begun ")?.parse().ok())
}

async fn begun_on(pty: &Pty) -> Result<()> {
    let link = pty.shows_line("http://127.0.0.1:")?;
    ada_signs_in(&link).await?;
    pty.shows("begun").map(drop)
}

/// Waits until the process is in this state: `T` stopped, `S` or `R` not (proc(5)); `None` when it
/// is gone, its parent having been told or not.
fn until_state(pid: u32, what: &str, wanted: impl Fn(Option<char>) -> bool) -> Result<()> {
    wait::until(&format!("process {pid} to be {what}"), wait::WAIT_TIMEOUT, || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
        let state = stat.and_then(|stat| stat.rsplit(") ").next()?.chars().next());
        Ok(wanted(state.filter(|state| *state != 'Z')).then_some(()))
    })
}

#[tokio::test]
async fn a_signal_for_keyport_alone_reaches_the_command() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let mut keyport = terminal.start(&arguments(&world, SAYS_EACH_SIGNAL))?;
    begun(&keyport).await?;
    for (signal, name) in [
        (Signal::INT, "INT"),
        (Signal::HUP, "HUP"),
        (Signal::QUIT, "QUIT"),
        (Signal::USR1, "USR1"),
        (Signal::USR2, "USR2"),
        (Signal::TERM, "TERM"),
    ] {
        keyport.signal(signal)?;
        let expected = format!("got {name}");
        keyport.process.line(wait::WAIT_TIMEOUT, |line| (line == expected).then_some(()))?;
    }
    assert_eq!(keyport.ended()?, 5);
    assert_eq!(live_sessions(&world)?, 0, "the session ends after the command");
    Ok(())
}

#[tokio::test]
async fn a_stop_and_a_continue_for_keyport_alone_reach_the_command() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let mut keyport = terminal.start(&arguments(&world, SAYS_EACH_SIGNAL))?;
    let command = begun(&keyport).await?;
    keyport.signal(Signal::TSTP)?;
    until_state(command, "stopped", |state| state == Some('T'))?;
    until_state(keyport.process.id(), "stopped", |state| state == Some('T'))?;
    keyport.signal(Signal::CONT)?;
    until_state(command, "running", |state| state != Some('T'))?;
    keyport.signal(Signal::TERM)?;
    assert_eq!(keyport.ended()?, 5);
    assert_eq!(live_sessions(&world)?, 0);
    Ok(())
}

/// In a PID namespace (a container, a sandbox) the leader of the session may be outside.
#[tokio::test]
async fn a_stop_reaches_the_command_across_pid_namespaces() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let inside = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child"];
    if !Command::new("unshare").args(inside).arg("true").status()?.success() {
        println!("skipped: the system permits no PID namespaces here");
        return Ok(());
    }
    let mut command = Command::new("unshare");
    terminal.set_up(&mut command);
    // The first process of a namespace cannot be stopped, so a shell is the first.
    command.args(inside).args(["sh", "-c", "\"$@\"; exit $?", "sh"]);
    command.arg(binaries::path("keyport")?).args(arguments(&world, SAYS_EACH_SIGNAL));
    let mut outermost = terminal.spawn(command)?;
    begun(&outermost).await?;
    let shell = child_of(outermost.process.id())?;
    let keyport = child_of(shell)?;
    let command = child_of(keyport)?;
    let tell = |signal| kill_process(Pid::from_raw(keyport.cast_signed()).unwrap(), signal);
    tell(Signal::TSTP)?;
    until_state(command, "stopped", |state| state == Some('T'))?;
    until_state(keyport, "stopped", |state| state == Some('T'))?;
    tell(Signal::CONT)?;
    until_state(command, "running", |state| state != Some('T'))?;
    tell(Signal::TERM)?;
    assert_eq!(outermost.ended()?, 5);
    Ok(())
}

/// The only child of a process (proc(5), `children`).
fn child_of(pid: u32) -> Result<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    children.trim().parse().with_context(|| format!("one child of {pid}: {children:?}"))
}

#[tokio::test]
async fn what_the_parent_ignores_stays_ignored() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    // As nohup does, and a shell without job control for a command that ends with `&`.
    let mut command = Command::new("sh");
    terminal.set_up(&mut command);
    command.args(["-c", "trap '' HUP INT QUIT CHLD; exec \"$@\"", "sh"]);
    command.arg(binaries::path("keyport")?);
    let line = "grep SigIgn /proc/self/status; exit 9";
    command.args(arguments(&world, line));
    let mut keyport = terminal.spawn(command)?;
    let said = keyport.says("/oauth/authorize?")?;
    let link = said.lines().find(|line| line.contains("/oauth/authorize?")).unwrap_or_default();
    ada_signs_in(link.trim()).await?;
    let ignored = keyport.process.line(wait::WAIT_TIMEOUT, |line| {
        u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok()
    })?;
    for signal in [Signal::HUP, Signal::INT, Signal::QUIT] {
        assert_ne!(ignored & (1 << (signal.as_raw() - 1)), 0, "{signal:?} in {ignored:x}");
    }
    // An ignored SIGCHLD would take the exit code of the command away.
    assert_eq!(keyport.ended()?, 9, "{}", keyport.process.log());
    assert_eq!(live_sessions(&world)?, 0);
    Ok(())
}

#[tokio::test]
async fn after_kill_9_the_command_is_asked_to_end() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let keyport = terminal.start(&arguments(&world, SAYS_EACH_SIGNAL))?;
    let command = begun(&keyport).await?;
    keyport.signal(Signal::KILL)?;
    keyport.process.line(wait::WAIT_TIMEOUT, |line| (line == "got TERM").then_some(()))?;
    until_state(command, "gone", |state| state.is_none())
}

#[tokio::test]
async fn ctrl_c_goes_to_the_command_and_then_the_session_ends() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let pty = Pty::with_shell(&terminal)?;
    let line = "trap \"echo interrupted; exit 5\" INT; echo begun; while :; do sleep 0.05; done";
    pty.types(&typed(&world, line)?)?;
    begun_on(&pty).await?;
    pty.types(CTRL_C)?;
    pty.shows("interrupted")?;
    pty.types("echo code=$?.\n")?;
    pty.shows("code=5.")?;
    assert_eq!(pty.all_shown().matches("interrupted").count(), 1);
    assert_eq!(live_sessions(&world)?, 0);
    Ok(())
}

#[tokio::test]
async fn ctrl_z_stops_and_fg_continues() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let pty = Pty::with_shell(&terminal)?;
    let line = "echo begun; while read line; do echo got $line; done; exit 4";
    pty.types(&typed(&world, line)?)?;
    begun_on(&pty).await?;
    for round in 0..3 {
        pty.types(CTRL_Z)?;
        pty.shows("Stopped")?;
        pty.types(&format!("fg\nround {round}\n"))?;
        // The command reads again, so it has the terminal.
        pty.shows(&format!("got round {round}"))?;
    }
    // The end of its input.
    pty.types("\u{4}")?;
    pty.types("echo code=$?.\n")?;
    pty.shows("code=4.")?;
    assert_eq!(live_sessions(&world)?, 0);
    Ok(())
}

#[tokio::test]
async fn a_command_that_stops_itself_gives_the_terminal_back() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let pty = Pty::with_shell(&terminal)?;
    pty.types(&typed(&world, "echo begun; kill -STOP $$; echo resumed; exit 3")?)?;
    begun_on(&pty).await?;
    pty.shows("Stopped")?;
    pty.types("fg\n")?;
    pty.shows("resumed")?;
    pty.types("echo code=$?.\n")?;
    pty.shows("code=3.")?;
    assert_eq!(live_sessions(&world)?, 0);
    Ok(())
}

/// Started as `xterm -e keyport run …`: the kernel tells only the leader of the session.
#[tokio::test]
async fn a_closed_terminal_reaches_the_command() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let told: PathBuf = terminal.home().join("told");
    let line = format!(
        "trap 'echo HUP >{}; exit 6' HUP; echo begun; while :; do sleep 0.05; done",
        told.display()
    );
    let mut command = Command::new("setsid");
    terminal.set_up(&mut command);
    command.arg("--ctty").arg(binaries::path("keyport")?).args(arguments(&world, &line));
    let mut pty = Pty::with(&mut command)?;
    begun_on(&pty).await?;
    assert_eq!(pty.hangs_up()?, Some(6));
    let told = std::fs::read_to_string(told).context("the command was not told")?;
    assert_eq!(told.trim(), "HUP");
    assert_eq!(live_sessions(&world)?, 0);
    Ok(())
}

#[tokio::test]
async fn a_command_that_cannot_be_started_is_said_with_126() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let program = terminal.home().join("program");
    std::fs::write(&program, "#!/no/such/interpreter\n")?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode)?;
    let mut arguments = arguments(&world, "").to_vec();
    arguments.truncate(5);
    arguments.push("./program");
    let mut keyport = terminal.start(&arguments)?;
    let said = keyport.says("/oauth/authorize?")?;
    let link = said.lines().find(|line| line.contains("/oauth/authorize?")).unwrap_or_default();
    ada_signs_in(link.trim()).await?;
    assert_eq!(keyport.ended()?, 126, "{}", keyport.process.log());
    assert!(keyport.process.log().contains("could not be started"), "{}", keyport.process.log());
    assert_eq!(live_sessions(&world)?, 0);
    Ok(())
}
