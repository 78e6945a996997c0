//! A throw-away PostgreSQL cluster for tests, from Debian's package: made in a folder of its own,
//! reached through a Unix socket there, and gone when the test process ends, however it ends. Not a
//! way to run a database: it does not wait for the disk.

use std::io::{self, BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Debian keeps each release's programs in a folder of its own.
const RELEASES: &str = "/usr/lib/postgresql";
/// The superuser of the cluster; it has no password, and only this socket reaches it.
const USER: &str = "keyport";

/// A cluster that runs until it is dropped or its process ends.
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    databases: AtomicUsize,
    /// Of TCP, and of the socket's name.
    port: u16,
    /// More settings of the server.
    settings: String,
    /// Stops the cluster and deletes its folder when its standard input ends.
    watchdog: Child,
}

impl Cluster {
    /// The cluster of this process, started by the first caller.
    ///
    /// # Panics
    /// It cannot be started; where the package is missing, that is said.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        #[expect(clippy::expect_used, reason = "a test stops where it fails")]
        SHARED.get_or_init(|| Self::new().expect("a PostgreSQL cluster (Debian: postgresql)"))
    }

    /// Makes a cluster and starts it.
    ///
    /// # Errors
    /// The package is missing, or a program of it failed.
    pub fn new() -> io::Result<Self> {
        Self::with(5432, |_| Ok("-c listen_addresses=".to_owned()))
    }

    /// Makes a cluster that is reached over TCP with TLS too, at `127.0.0.1:port`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_tls(port: u16, certificate: &str, key: &str) -> io::Result<Self> {
        Self::with(port, |folder| {
            for (name, pem) in [("tls.crt", certificate), ("tls.key", key)] {
                let file = folder.join(name);
                std::fs::write(&file, pem)?;
                run(Command::new("chmod").arg("600").arg(&file))?;
                if let Some(user) = other_user() {
                    run(Command::new("chown").arg(user).arg(&file))?;
                }
            }
            Ok(format!(
                "-c listen_addresses=127.0.0.1 -c ssl=on -c ssl_cert_file={0}/tls.crt \
                 -c ssl_key_file={0}/tls.key",
                folder.display()
            ))
        })
    }

    fn with(port: u16, settings: impl FnOnce(&Path) -> io::Result<String>) -> io::Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("keyport-pg").tempdir()?.keep();
        if let Some(user) = other_user() {
            // The server refuses to run as root.
            run(Command::new("chown").arg(user).arg(&folder))?;
        }
        let settings = settings(&folder)?;
        let watchdog = watch(&programs, &folder)?;
        let databases = AtomicUsize::new(0);
        let cluster = Self { programs, folder, databases, port, settings, watchdog };
        let data = cluster.data();
        run(cluster
            .command("initdb")
            .args(["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"])
            .arg(format!("--username={USER}"))
            .arg("-D")
            .arg(data))?;
        cluster.start()?;
        Ok(cluster)
    }

    /// Makes a database and gives its address: `postgres:///NAME?host=…&user=…`.
    ///
    /// # Panics
    /// The server does not make it.
    pub fn database(&self) -> String {
        let name = format!("keyport_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        #[expect(clippy::expect_used, reason = "a test stops where it fails")]
        run(self
            .command("psql")
            .args(["-Xq", "-d"])
            .arg(self.address("postgres"))
            .args(["-c", &format!("CREATE DATABASE {name}")]))
        .expect("a new database");
        self.address(&name)
    }

    fn address(&self, database: &str) -> String {
        let (folder, port) = (self.folder.display(), self.port);
        format!("postgres:///{database}?host={folder}&user={USER}&port={port}")
    }

    /// Runs SQL and gives what it prints, a row a line.
    ///
    /// # Panics
    /// The server refuses it.
    pub fn sql(&self, address: &str, sql: &str) -> String {
        #[expect(clippy::expect_used, reason = "a test stops where it fails")]
        run(self.command("psql").args(["-XqtA", "-v", "ON_ERROR_STOP=1", "-d", address, "-c", sql]))
            .expect("SQL")
    }

    /// Runs SQL in a session that stays, with its locks, until it is dropped.
    ///
    /// # Errors
    /// The server refuses it.
    pub fn session(&self, address: &str, sql: &str) -> io::Result<OpenSession> {
        let mut psql = self
            .command("psql")
            .args(["-XqtA", "-v", "ON_ERROR_STOP=1", "-d", address])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (psql.stdin.as_mut(), psql.stdout.take());
        let (Some(input), Some(output)) = (input, output) else { unreachable!("both are piped") };
        writeln!(input, "{sql};\n\\echo done")?;
        let is_done = |line: io::Result<String>| line.is_ok_and(|line| line == "done");
        match io::BufReader::new(output).lines().any(is_done) {
            true => Ok(OpenSession(psql)),
            false => Err(io::Error::other("the session has ended")),
        }
    }

    /// All rows and definitions of a database, as SQL.
    ///
    /// # Panics
    /// The server refuses it.
    pub fn dump(&self, address: &str) -> String {
        #[expect(clippy::expect_used, reason = "a test stops where it fails")]
        run(self.command("pg_dump").arg(address)).expect("a dump")
    }

    /// Ends the server as a crash does: no checkpoint, every connection is cut.
    ///
    /// # Panics
    /// It does not end.
    pub fn crash(&self) {
        #[expect(clippy::expect_used, reason = "a test stops where it fails")]
        run(self.command("pg_ctl").args(["-m", "immediate", "-w", "stop", "-D"]).arg(self.data()))
            .expect("a server that ends");
    }

    /// Starts the server again.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(&self) -> io::Result<()> {
        let options = format!(
            "-k {} -p {} {} -c fsync=off -c full_page_writes=off -c max_connections=300 \
             -c shared_buffers=32MB",
            self.folder.display(),
            self.port,
            self.settings
        );
        let log = self.folder.join("log");
        run(self
            .command("pg_ctl")
            .args(["-w", "-t", "120", "-o", &options, "-l"])
            .arg(log)
            .arg("-D")
            .arg(self.data())
            .arg("start"))
        .map(drop)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = as_user(self.programs.join(program).as_os_str());
        command.current_dir(&self.folder);
        command
    }
}

/// A session that stays until it is dropped.
pub struct OpenSession(Child);

impl Drop for OpenSession {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// Stops the cluster when the other end of its standard input is gone: this process may be killed.
fn watch(programs: &Path, folder: &Path) -> io::Result<Child> {
    let mut watchdog = as_user("sh".as_ref());
    watchdog
        .args([
            "-c",
            "cd /; cat > /dev/null; \"$0\" -m immediate -w stop -D \"$1/data\"; rm -rf \"$1\"",
        ])
        .arg(programs.join("pg_ctl"))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // A terminal's Ctrl-C is for the tests, which then end the watchdog by ending.
    std::os::unix::process::CommandExt::process_group(&mut watchdog, 0);
    watchdog.spawn()
}

fn programs() -> io::Result<PathBuf> {
    let mut releases: Vec<PathBuf> = std::fs::read_dir(RELEASES)?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|programs| programs.join("initdb").exists())
        .collect();
    releases.sort();
    releases.pop().ok_or_else(|| io::Error::other("no PostgreSQL server: install postgresql"))
}

/// Whom the server runs as, if not as this user.
fn other_user() -> Option<&'static str> {
    let is_root = std::fs::metadata("/proc/self")
        .is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0);
    is_root.then_some("postgres")
}

fn as_user(program: &std::ffi::OsStr) -> Command {
    match other_user() {
        Some(user) => {
            let mut command = Command::new("setpriv");
            command.args(["--init-groups", "--reuid", user, "--regid", user, "--"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

fn run(command: &mut Command) -> io::Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    let mut said = Vec::new();
    write!(said, "{command:?} ended with {}: ", output.status)?;
    said.extend(output.stdout);
    said.extend(output.stderr);
    Err(io::Error::other(String::from_utf8_lossy(&said).into_owned()))
}
