//! What a machine needs, by purpose, and how to get it with apt. Only what is missing is installed,
//! only for what was asked, and only as root or where `sudo` asks no question; otherwise the exact
//! command is printed. NOT for other systems than Debian and Ubuntu.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::steps;

/// Why something is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Compiling the workspace with the app.
    Build,
    /// Signing in on the desktop that is there.
    Desktop,
    /// A virtual display with a session, a browser and a keychain of its own.
    Headless,
    /// The foreign clients that the tests sign in with.
    Foreign,
    /// The database server that the tests start and stop themselves.
    Database,
}

impl Purpose {
    /// All there is.
    pub const ALL: [Self; 5] =
        [Self::Build, Self::Desktop, Self::Headless, Self::Foreign, Self::Database];
}

/// One thing that is needed.
struct Need {
    purpose: Purpose,
    /// Package names; the first that apt can install is taken, because names differ between
    /// releases.
    packages: &'static [&'static str],
    /// A file that proves it is there, however it came; `None`: ask dpkg.
    proof: Option<&'static str>,
}

const fn package(purpose: Purpose, packages: &'static [&'static str]) -> Need {
    Need { purpose, packages, proof: None }
}

const fn program(
    purpose: Purpose,
    packages: &'static [&'static str],
    program: &'static str,
) -> Need {
    Need { purpose, packages, proof: Some(program) }
}

const NEEDS: [Need; 26] = [
    program(Purpose::Build, &["gcc"], "cc"),
    program(Purpose::Build, &["g++"], "c++"),
    program(Purpose::Build, &["make"], "make"),
    program(Purpose::Build, &["pkgconf", "pkg-config"], "pkg-config"),
    package(Purpose::Build, &["libc6-dev"]),
    package(Purpose::Build, &["libwebkit2gtk-4.1-dev"]),
    program(Purpose::Build, &["dpkg-dev"], "dpkg-shlibdeps"),
    program(Purpose::Desktop, &["xdg-utils"], "xdg-open"),
    program(Purpose::Desktop, &["desktop-file-utils"], "update-desktop-database"),
    program(Purpose::Desktop, &["libglib2.0-bin"], "gio"),
    program(Purpose::Headless, &["xdg-utils"], "xdg-open"),
    program(Purpose::Headless, &["desktop-file-utils"], "update-desktop-database"),
    program(Purpose::Headless, &["libglib2.0-bin"], "gio"),
    program(Purpose::Headless, &["xvfb"], "Xvfb"),
    program(Purpose::Headless, &["openbox"], "openbox"),
    program(Purpose::Headless, &["xdotool"], "xdotool"),
    program(Purpose::Headless, &["imagemagick"], "import"),
    program(Purpose::Headless, &["dbus-daemon", "dbus"], "dbus-daemon"),
    program(Purpose::Headless, &["gnome-keyring"], "gnome-keyring-daemon"),
    program(Purpose::Headless, &["libsecret-tools"], "secret-tool"),
    program(Purpose::Headless, &["chromium", "chromium-browser"], "chromium"),
    program(Purpose::Headless, &["chromium-driver", "chromium-chromedriver"], "chromedriver"),
    program(Purpose::Headless, &["webkit2gtk-driver"], "WebKitWebDriver"),
    package(Purpose::Headless, &["fonts-dejavu-core"]),
    program(Purpose::Foreign, &["npm"], "npm"),
    package(Purpose::Database, &["postgresql"]),
];

/// The Python that the tests make a virtual environment with; its `ensurepip` is a package of its
/// own.
const PYTHON: Need = package(Purpose::Foreign, &["python3-venv"]);

/// Installs what is missing for these purposes.
pub fn install(purposes: &[Purpose]) -> Result<()> {
    let needs: Vec<&Need> = NEEDS
        .iter()
        .chain([&PYTHON])
        .filter(|need| purposes.contains(&need.purpose) && !is_there(need))
        .collect();
    if needs.is_empty() {
        println!("set-up: everything is here");
        return Ok(());
    }
    if !on_path("apt-get") {
        let names: BTreeSet<_> = needs.iter().map(|need| need.packages[0]).collect();
        bail!("missing: {}; this set-up knows only apt (Debian, Ubuntu)", words(&names));
    }
    let before = names_of(&needs);
    let Some(become_root) = way_to_root() else {
        bail!(
            "missing: {}\n\nNot root, and sudo would ask for a password. Please run:\n\n    \
             sudo apt-get update && sudo apt-get install -y --no-install-recommends {}\n",
            words(&before),
            words(&before)
        );
    };
    println!("set-up: installs with apt: {}", words(&before));
    steps::run(apt(become_root).args(["update", "-qq"]))?;
    // Only now does apt know what this release calls them.
    let names = names_of(&needs);
    let install = ["install", "-y", "-qq", "--no-install-recommends"];
    steps::run(apt(become_root).args(install).args(&names))?;
    let still: BTreeSet<_> =
        needs.iter().filter(|need| !is_there(need)).map(|need| need.packages[0]).collect();
    if !still.is_empty() {
        bail!("apt installed everything, and yet there is no {}", words(&still));
    }
    Ok(())
}

fn apt(become_root: &[&str]) -> Command {
    let words: Vec<&str> = become_root
        .iter()
        .copied()
        .chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"])
        .collect();
    let mut command = Command::new(words[0]);
    // Debian's package managers wait for one another when asked to.
    command.args(&words[1..]).args(["-o", "DPkg::Lock::Timeout=300"]);
    command
}

/// The words before a command that make it root's: none for root, `sudo -n` where it asks nothing.
fn way_to_root() -> Option<&'static [&'static str]> {
    let user = steps::output(Command::new("id").arg("-u")).unwrap_or_default();
    if user.trim() == "0" {
        return Some(&[]);
    }
    quiet(Command::new("sudo").args(["-n", "true"])).then_some(&["sudo", "-n"])
}

fn is_there(need: &Need) -> bool {
    match need.proof {
        Some("npm") => on_path("npm") && on_path("node"),
        Some(program) => on_path(program),
        None => need.packages.iter().any(|name| is_installed(name)),
    }
}

fn is_installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["-W", "-f=${Status}", package]);
    steps::output(&mut query).is_ok_and(|status| status.contains("ok installed"))
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(Into::into);
    std::env::split_paths(&path)
        .chain(system)
        .any(|folder: std::path::PathBuf| is_program(&folder.join(program)))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn names_of(needs: &[&Need]) -> BTreeSet<&'static str> {
    needs.iter().map(|need| candidate(need.packages)).collect()
}

/// The first of the names that apt could install; the first at all when it knows none (its list may
/// be empty still).
fn candidate(packages: &'static [&'static str]) -> &'static str {
    let known = packages.iter().find(|name| {
        let policy = steps::output(Command::new("apt-cache").args(["policy", name]));
        policy.is_ok_and(|text| text.contains("Candidate: ") && !text.contains("Candidate: (none)"))
    });
    known.unwrap_or(&packages[0])
}

fn quiet(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn words(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(" ")
}
