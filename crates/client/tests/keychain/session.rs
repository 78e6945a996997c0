//! A desktop session of one test: a home folder, a message bus, and GNOME Keyring where the test
//! asks for it. It is removed at the end of the test.

use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use zbus::blocking::connection;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

pub const SERVICE: &str = "dev.keyport.desktop.test";
/// Longer than anything here may take; reached only when something hangs.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(20);

pub struct Session {
    home: TempDir,
    bus: Option<Child>,
    keyring: Option<Child>,
}

impl Session {
    /// A home without a bus.
    pub fn without_bus() -> Self {
        let session = Self { home: tempfile::tempdir().unwrap(), bus: None, keyring: None };
        for folder in ["run", "data", "config", "cache", "services"] {
            fs::create_dir(session.path(folder)).unwrap();
        }
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(session.path("run"), private).unwrap();
        session
    }

    /// A bus that starts no service by itself, but for a prompter that only notes that it was
    /// called.
    pub fn with_bus() -> Self {
        let mut session = Self::without_bus();
        let prompter = session.path("prompter");
        let noted = session.path("prompted");
        fs::write(&prompter, format!("#!/bin/sh\n: > '{}'\nexit 1\n", noted.display())).unwrap();
        fs::set_permissions(&prompter, fs::Permissions::from_mode(0o755)).unwrap();
        let name = "org.gnome.keyring.SystemPrompter";
        fs::write(
            session.path("services").join(format!("{name}.service")),
            format!("[D-BUS Service]\nName={name}\nExec={}\n", prompter.display()),
        )
        .unwrap();
        fs::write(session.path("bus.conf"), session.bus_configuration()).unwrap();
        session.start_bus();
        session
    }

    /// A bus and an unlocked keyring.
    pub fn with_keyring() -> Self {
        let mut session = Self::with_bus();
        session.start_keyring_unlocked();
        session
    }

    fn bus_configuration(&self) -> String {
        let (socket, services) = (self.path("bus"), self.path("services"));
        format!(
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN\" \
             \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\"><busconfig>\
             <type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
             <servicedir>{}</servicedir><policy context=\"default\">\
             <allow send_destination=\"*\"/><allow receive_sender=\"*\"/><allow own=\"*\"/>\
             </policy></busconfig>",
            socket.display(),
            services.display()
        )
    }

    fn start_bus(&mut self) {
        let mut configuration = std::ffi::OsString::from("--config-file=");
        configuration.push(self.path("bus.conf"));
        let mut bus = self.command("dbus-daemon");
        bus.arg(configuration).args(["--nofork", "--nopidfile", "--print-address=1"]);
        let mut bus = bus.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(bus.stdout.as_mut().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("unix:path="), "{address}");
        self.bus = Some(bus);
    }

    /// Starts the keyring and unlocks its login collection, which is made if there is none.
    pub fn start_keyring_unlocked(&mut self) {
        self.start_keyring(&["--unlock"]);
        self.wait_until("the login collection is unlocked", |session| {
            session.locked_property().contains("false")
        });
    }

    /// Starts the keyring as a session does in which no password was typed.
    pub fn start_keyring_locked(&mut self) {
        self.start_keyring(&[]);
        self.wait_until("the login collection is there", |session| {
            session.locked_property().contains("true")
        });
    }

    /// Starts the keyring without any collection.
    pub fn start_keyring_empty(&mut self) {
        self.start_keyring(&[]);
        let alias = ["org.freedesktop.Secret.Service.ReadAlias", "default"];
        self.wait_until("the service answers", |session| {
            session.secrets("/org/freedesktop/secrets", &alias).contains("'/'")
        });
    }

    fn start_keyring(&mut self, arguments: &[&str]) {
        assert!(self.keyring.is_none(), "one at a time");
        let mut daemon = self.command("gnome-keyring-daemon");
        daemon.args(["--foreground", "--components=secrets"]).args(arguments);
        daemon.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut daemon = daemon.spawn().unwrap();
        daemon.stdin.take().unwrap().write_all(b"password").unwrap();
        self.keyring = Some(daemon);
    }

    /// Unlocks the running keyring without a dialog, as a login with a password does.
    pub fn unlock(&self) {
        const SECRETS: &str = "org.freedesktop.secrets";
        const ROOT: &str = "/org/freedesktop/secrets";
        let bus = connection::Builder::address(self.address().as_str()).unwrap().build().unwrap();
        let service = Some("org.freedesktop.Secret.Service");
        let opened = ("plain", Value::from(""));
        let opened = bus.call_method(Some(SECRETS), ROOT, service, "OpenSession", &opened).unwrap();
        let (_, secrets): (OwnedValue, OwnedObjectPath) = opened.body().deserialize().unwrap();
        let password = (secrets, Vec::<u8>::new(), b"password".to_vec(), "text/plain");
        let login = ObjectPath::try_from(format!("{ROOT}/collection/login")).unwrap();
        let login = (login, password);
        let unlock = Some("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface");
        bus.call_method(Some(SECRETS), ROOT, unlock, "UnlockWithMasterPassword", &login).unwrap();
        self.wait_until("the login collection is unlocked", |session| {
            session.locked_property().contains("false")
        });
    }

    /// Locks the login collection.
    pub fn lock(&self) {
        let collection = "[objectpath '/org/freedesktop/secrets/collection/login']";
        let lock = ["org.freedesktop.Secret.Service.Lock", collection];
        self.secrets("/org/freedesktop/secrets", &lock);
        self.wait_until("the login collection is locked", |session| {
            session.locked_property().contains("true")
        });
    }

    pub fn kill_keyring(&mut self) {
        end(&mut self.keyring);
    }

    /// The keyring ends with it.
    pub fn kill_bus(&mut self) {
        end(&mut self.bus);
        end(&mut self.keyring);
    }

    /// Another bus at the address of the one that was killed.
    pub fn restart_bus(&mut self) {
        fs::remove_file(self.path("bus")).unwrap();
        self.start_bus();
    }

    /// Stops (`STOP`) or continues (`CONT`) the keyring.
    pub fn signal_keyring(&self, signal: &str) {
        let process = self.keyring.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &process]).status().unwrap();
        assert!(sent.success());
    }

    /// Whether anything asked for a dialog.
    pub fn has_prompted(&self) -> bool {
        self.path("prompted").exists()
    }

    /// What `secret-tool` finds under the name of an item.
    pub fn secret_tool_lookup(&self, name: &str) -> Option<String> {
        let found = self.tool(&["lookup", "service", SERVICE, "username", name], "");
        found.status.success().then(|| String::from_utf8(found.stdout).unwrap())
    }

    pub fn secret_tool_store_of(&self, service: &str, name: &str, value: &str) {
        let arguments = ["store", "--label=x", "service", service, "username", name];
        assert!(self.tool(&arguments, value).status.success());
    }

    pub fn secret_tool_clear(&self, name: &str) {
        let arguments = ["clear", "service", SERVICE, "username", name];
        assert!(self.tool(&arguments, "").status.success());
    }

    pub fn secret_tool_store(&self, name: &str, more: &[&str], value: &str) {
        let arguments = ["store", "--label=x", "service", SERVICE, "username", name];
        assert!(self.tool(&[&arguments, more].concat(), value).status.success());
    }

    /// The names of all items of the service.
    pub fn names(&self) -> Vec<String> {
        let found = self.tool(&["search", "--all", "service", SERVICE], "");
        // The attributes are written to standard error.
        let text = String::from_utf8(found.stderr).unwrap();
        let names = text.lines().filter_map(|line| line.strip_prefix("attribute.username = "));
        let mut names: Vec<_> = names.map(str::to_owned).collect();
        names.sort();
        names
    }

    fn tool(&self, arguments: &[&str], input: &str) -> Output {
        let mut tool = self.command("secret-tool");
        tool.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut tool = tool.spawn().unwrap();
        // A lookup may be over before it has read anything.
        let _ = tool.stdin.take().unwrap().write_all(input.as_bytes());
        tool.wait_with_output().unwrap()
    }

    fn locked_property(&self) -> String {
        let property = ["org.freedesktop.DBus.Properties.Get", "org.freedesktop.Secret.Collection"];
        self.secrets(
            "/org/freedesktop/secrets/aliases/default",
            &[&property[..], &["Locked"]].concat(),
        )
    }

    fn secrets(&self, object: &str, method: &[&str]) -> String {
        let mut call = self.command("gdbus");
        call.args(["call", "--session", "--dest", "org.freedesktop.secrets"]);
        call.args(["--object-path", object, "--method"]).args(method);
        String::from_utf8(call.output().unwrap().stdout).unwrap()
    }

    fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < WAIT_TIMEOUT, "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A program that belongs to this session and to no other.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "GNOME_KEYRING_CONTROL", "SSH_AUTH_SOCK"] {
            command.env_remove(name);
        }
        command.env("HOME", self.home.path()).env("XDG_RUNTIME_DIR", self.path("run"));
        command.env("XDG_DATA_HOME", self.path("data")).env("XDG_CACHE_HOME", self.path("cache"));
        command.env("XDG_CONFIG_HOME", self.path("config"));
        command
            .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", self.path("bus").display()));
        command
    }

    fn address(&self) -> String {
        format!("unix:path={}", self.path("bus").display())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        end(&mut self.keyring);
        end(&mut self.bus);
    }
}

fn end(process: &mut Option<Child>) {
    if let Some(mut process) = process.take() {
        process.kill().unwrap();
        process.wait().unwrap();
    }
}
