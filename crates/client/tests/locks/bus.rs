//! The lock as a name on a session bus: real processes on a `dbus-daemon` of the test's own, which
//! carries no Secret Service and needs none.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::process::Process;
use crate::{SERVICE, folder};

struct Bus {
    daemon: Child,
    address: String,
    folder: TempDir,
}

impl Bus {
    fn start() -> Self {
        Self::with_policy("")
    }

    /// With more lines for the policy of every connection.
    fn with_policy(policy: &str) -> Self {
        let folder = folder();
        let (path, file) = (folder.path().display(), folder.path().join("bus.conf"));
        let configuration = format!(
            r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={path}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    {policy}
  </policy>
</busconfig>"#
        );
        fs::write(&file, configuration).unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", file.display()))
            .args(["--print-address", "--nofork", "--nopidfile"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon is installed");
        let mut lines = BufReader::new(daemon.stdout.take().unwrap()).lines();
        let address = lines.next().expect("an address").unwrap();
        Self { daemon, address, folder }
    }

    /// A process of its own home.
    fn process(&self, task: &str, home: &str) -> Process {
        let home = self.folder.path().join(home);
        fs::create_dir_all(&home).unwrap();
        Process::on_bus(task, &self.address, &home)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

#[test]
fn on_one_bus_there_is_one_lock_whatever_the_environment_says() {
    let bus = Bus::start();
    let mut holder = bus.process("hold", "launcher");
    assert_eq!(holder.hears(), "taken");
    assert_eq!(bus.process("try", "shell").hears(), "busy");
    assert_eq!(bus.process("check", "shell").hears(), "taken", "it could be taken later");
    holder.kill();
    assert_eq!(bus.process("wait", "shell").hears(), "taken");
}

#[test]
fn a_lock_that_is_given_up_is_free_while_its_process_lives_on() {
    let bus = Bus::start();
    let mut holder = bus.process("hold", "one");
    assert_eq!(holder.hears(), "taken");
    let mut waiting = bus.process("wait", "two");
    holder.gives_up();
    assert_eq!(waiting.hears(), "taken");
    assert!(holder.is_running());
}

#[test]
fn of_eight_processes_on_a_bus_only_one_is_inside_at_a_time() {
    let bus = Bus::start();
    let count = bus.folder.path().join("count");
    fs::write(&count, "0").unwrap();
    let counting = |_| Process::counting_on_bus(25, &count, &bus.address);
    let mut processes: Vec<_> = (0..8).map(counting).collect();
    for process in &mut processes {
        assert_eq!(process.hears(), "counted");
    }
    assert_eq!(fs::read_to_string(&count).unwrap(), "200");
}

#[test]
fn a_refused_name_differs_from_a_busy_lock_and_no_bus() {
    let bus = Bus::with_policy(&format!(r#"<deny own="{SERVICE}.Sessions"/>"#));
    assert_eq!(bus.process("try", "sandboxed").hears(), "refused");
    assert_eq!(bus.process("check", "sandboxed").hears(), "refused");
    let nowhere = format!("unix:path={}/no-bus", bus.folder.path().display());
    let mut without = Process::on_bus("try", &nowhere, bus.folder.path());
    assert_eq!(without.hears(), "absent");
}

#[test]
fn two_buses_carry_two_keychains_and_so_two_locks() {
    let (one, other) = (Bus::start(), Bus::start());
    let mut holder = one.process("hold", "home");
    assert_eq!(holder.hears(), "taken");
    assert_eq!(other.process("try", "home").hears(), "taken");
}
