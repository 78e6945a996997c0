//! The official WorkOS SDKs, which are not ours, against the emulator: Node and Python as scripts
//! in `tests/sdk/`, Rust here, used as the companion uses it. If one of them misreads the emulator,
//! the emulator is wrong. NOT a test of the companion.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use keyport_tests::{Process, binaries, process};
use tempfile::TempDir;
use url::Url;

#[path = "official_sdks/rust.rs"]
mod rust;

/// An emulator with `sdk/seed.json`, for one test.
struct Emulator {
    _process: Process,
    url: Url,
    _logs: TempDir,
}

impl Emulator {
    fn start() -> Result<Self> {
        let logs = tempfile::tempdir()?;
        let mut command = binaries::command("keyport-emulator")?;
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--seed"])
            .arg(sources().join("seed.json"));
        let process = Process::spawn("emulator", command, logs.path())?;
        let url = process.ready()?;
        Ok(Self { _process: process, url, _logs: logs })
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk")
}

/// `target/sdk/NAME`: what is installed there stays for the next run.
fn installed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../sdk").join(name)
}

/// Whether the tool is there. Its absence is an error on CI and a spoken skip elsewhere.
fn present(tool: &str) -> Result<bool> {
    let found = Command::new(tool)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found && std::env::var_os("CI").is_some() {
        bail!("`{tool}` is not installed, and on CI the SDK tests must run");
    }
    if !found {
        eprintln!(
            "skipped: `{tool}` is not installed, so this SDK was not tried against the emulator"
        );
    }
    Ok(found)
}

/// Runs `install` in an emptied `folder`, unless it was done there for the same `manifest` already.
fn install_once(
    folder: &Path,
    manifest: &Path,
    install: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let wanted = std::fs::read(manifest)?;
    let done = folder.join("installed-from");
    if std::fs::read(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    install(folder)?;
    Ok(std::fs::write(done, wanted)?)
}

/// Runs the script against an emulator of its own; its last line says what it did.
fn run(mut script: Command, summary: &str) -> Result<()> {
    let emulator = Emulator::start()?;
    binaries::without_settings(&mut script);
    let said = process::run({
        script.env("EMULATOR_URL", emulator.url.as_str());
        script
    })?;
    let last = said.lines().last().context("the script said nothing")?;
    ensure!(last.starts_with(summary), "unexpected summary: {last}");
    println!("{last}");
    Ok(())
}

#[test]
fn the_sdk_for_node_signs_in_reads_and_is_refused_as_documented() -> Result<()> {
    if !present("npm")? {
        return Ok(());
    }
    let (sources, folder) = (sources().join("node"), installed("node"));
    install_once(&folder, &sources.join("package-lock.json"), |folder| {
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(sources.join(file), folder.join(file))?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(folder);
        process::install(npm).map(drop)
    })?;
    for (name, summary) in
        [("sso.mjs", "@workos-inc/node 11."), ("authkit.mjs", "@workos-inc/node 11.0.0: AuthKit")]
    {
        // Beside node_modules, where Node looks for packages.
        let script = folder.join(name);
        std::fs::copy(sources.join(name), &script)?;
        let mut node = Command::new(folder.join("node_modules/node/bin/node"));
        node.arg(script);
        run(node, summary)?;
    }
    Ok(())
}

#[test]
fn the_sdk_for_python_signs_in_reads_and_is_refused_as_documented() -> Result<()> {
    if !present("python3")? {
        return Ok(());
    }
    let (sources, folder) = (sources().join("python"), installed("python"));
    let requirements = sources.join("requirements.txt");
    install_once(&folder, &requirements, |folder| {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(folder);
        process::install(venv).context("is the package python3-venv installed?")?;
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(&requirements);
        process::install(pip).map(drop)
    })?;
    for (name, summary) in [
        ("sso.py", "workos 10.7.0 for Python: signed in"),
        ("authkit.py", "workos 10.7.0 for Python: AuthKit"),
    ] {
        let mut python = Command::new(folder.join("bin/python"));
        python.arg(sources.join(name));
        run(python, summary)?;
    }
    Ok(())
}
