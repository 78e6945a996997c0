//! The session bus and the Secret Service: a real gnome-keyring-daemon whose items `secret-tool`
//! reads back. NOT activated by the bus: our bus knows no activatable services, so that "no Secret
//! Service" really means none.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::DesktopSession;
use crate::{Process, wait};

/// The password of the session's `login` keyring.
const PASSWORD: &[u8] = b"a-keyring-of-the-tests";

/// The state of the Secret Service when the session starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keyring {
    /// Running, the `login` keyring open, as after a normal login.
    #[default]
    Unlocked,
    /// No Secret Service on the bus, and none that could be started.
    Absent,
}

const NAME: &str = "org.freedesktop.secrets";

impl DesktopSession {
    pub(super) fn start_bus(&mut self, _: Keyring) -> Result<()> {
        let config = self.folder.path().join("bus.conf");
        let runtime = self.runtime();
        let text = format!(
            r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#,
            runtime.display()
        );
        std::fs::write(&config, text)?;
        let mut command = self.command("dbus-daemon");
        command.arg("--config-file").arg(&config);
        command.args(["--nofork", "--nopidfile", "--print-address=1"]);
        let bus = self.spawn("dbus", command)?;
        let address = bus
            .line(wait::WAIT_TIMEOUT, |line| line.starts_with("unix:").then(|| line.to_owned()))?;
        self.programs.push(bus);
        self.set("DBUS_SESSION_BUS_ADDRESS", address);
        Ok(())
    }

    pub(super) fn start_keyring(&mut self, keyring: Keyring) -> Result<()> {
        if keyring == Keyring::Absent {
            return Ok(());
        }
        self.start_secret_service()
    }

    /// Starts (again) the Secret Service and opens its keyring; returns when it is open.
    ///
    /// # Errors
    /// When the daemon does not get ready.
    pub fn start_secret_service(&mut self) -> Result<()> {
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--unlock", "--components=secrets"]);
        let daemon = Process::spawn_with_input("keyring", command, &self.logs, Some(PASSWORD))?;
        self.keyring = Some(daemon);
        self.until_locked(false)
    }

    fn until_locked(&self, locked: bool) -> Result<()> {
        let arguments = [
            "call",
            "--session",
            "--dest",
            NAME,
            "--object-path",
            "/org/freedesktop/secrets/aliases/default",
            "--method",
            "org.freedesktop.DBus.Properties.Get",
            "org.freedesktop.Secret.Collection",
            "Locked",
        ];
        wait::until("the state of the keyring", wait::WAIT_TIMEOUT, || {
            let answer = self.run("gdbus", &arguments).unwrap_or_default();
            Ok(answer.contains(&locked.to_string()).then_some(()))
        })
    }

    /// Locks the keyring, as a desktop does when the person leaves.
    ///
    /// # Errors
    /// When the Secret Service does not do it.
    pub fn lock_keyring(&self) -> Result<()> {
        let service = ["--dest", NAME, "--object-path", "/org/freedesktop/secrets"];
        let lock = ["--method", "org.freedesktop.Secret.Service.Lock"];
        let login = "['/org/freedesktop/secrets/collection/login']";
        let mut arguments = vec!["call", "--session"];
        arguments.extend(service.into_iter().chain(lock).chain([login]));
        self.run("gdbus", &arguments)?;
        self.until_locked(true)
    }

    /// Opens the keyring without the app: the Secret Service ends and is there again, open.
    ///
    /// # Errors
    /// When the daemon does not get ready.
    pub fn unlock_keyring(&mut self) -> Result<()> {
        self.kill_secret_service();
        self.start_secret_service()
    }

    /// Ends the Secret Service as a crash would.
    pub fn kill_secret_service(&mut self) {
        self.keyring = None;
    }

    /// Stores an item as another program would.
    ///
    /// # Errors
    /// When the Secret Service does not take it.
    pub fn store_secret(&self, service: &str, username: &str, secret: &str) -> Result<()> {
        let mut command = self.command("secret-tool");
        command.args(["store", "--label=test", "service", service, "username", username]);
        let input = Some(secret.as_bytes());
        let mut tool = Process::spawn_with_input("secret-tool", command, &self.logs, input)?;
        let status = tool.wait(wait::WAIT_TIMEOUT)?;
        anyhow::ensure!(status.success(), "secret-tool store ended with {status}: {}", tool.log());
        Ok(())
    }

    /// All items of a service by their user name, as `secret-tool` reads them.
    ///
    /// # Errors
    /// When the Secret Service does not answer.
    pub fn secrets(&self, service: &str) -> Result<BTreeMap<String, String>> {
        // An item that goes while the tool reads has attributes and no secret; then it is asked
        // again.
        wait::until("whole items", wait::WAIT_TIMEOUT, || self.whole_secrets(service))
    }

    fn whole_secrets(&self, service: &str) -> Result<Option<BTreeMap<String, String>>> {
        let mut command = self.command("secret-tool");
        command.args(["search", "--all", "--unlock", "service", service]);
        let output = command.output().context("secret-tool")?;
        // Attributes go to standard error, secrets to standard output, both in the order of the
        // items.
        let lines = |bytes: &[u8], key: &str| -> Vec<String> {
            String::from_utf8_lossy(bytes)
                .lines()
                .filter_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))
                .map(str::to_owned)
                .collect()
        };
        let names = lines(&output.stderr, "attribute.username");
        let values = lines(&output.stdout, "secret");
        Ok((names.len() == values.len()).then(|| names.into_iter().zip(values).collect()))
    }
}
