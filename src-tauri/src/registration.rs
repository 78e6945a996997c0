//! Makes a development build the program for its own links, which an installer does for a release.
//! Linux only so far. It writes the entry itself: the deep-link plugin quotes the program, and
//! `xdg-open` in its generic mode then finds no program at all.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Registers this program for `scheme`, for this user; not if it was installed, because a package
/// brings an entry of its own.
///
/// # Errors
/// When the folder for applications cannot be written or `xdg-mime` fails.
pub fn register(scheme: &str) -> io::Result<()> {
    let program = std::env::current_exe()?;
    if is_installed(&program) {
        return Ok(());
    }
    let folder = applications()?;
    let name = format!("{scheme}.desktop");
    let entry = entry(&program, scheme);
    std::fs::create_dir_all(&folder)?;
    if std::fs::read_to_string(folder.join(&name)).ok().as_deref() != Some(entry.as_str()) {
        std::fs::write(folder.join(&name), entry)?;
    }
    let _ = run(Command::new("update-desktop-database").arg(&folder));
    let handler = format!("x-scheme-handler/{scheme}");
    run(Command::new("xdg-mime").args(["default", &name, &handler]))
}

/// `PREFIX/bin/PROGRAM` with the package's entry in `PREFIX/share/applications`.
fn is_installed(program: &Path) -> bool {
    let prefix = program.parent().and_then(Path::parent);
    prefix.is_some_and(|prefix| prefix.join("share/applications/keyport-desktop.desktop").is_file())
}

fn entry(program: &Path, scheme: &str) -> String {
    format!(
        "[Desktop Entry]\nType=Application\nName=Keyport (development)\nExec={} %u\n\
         Terminal=false\nNoDisplay=true\n\
         StartupNotify=true\nMimeType=x-scheme-handler/{scheme};\n",
        exec(&program.to_string_lossy())
    )
}

/// Unquoted as long as every reader of Exec lines takes it for one word.
fn exec(program: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,=".contains(c);
    if program.chars().all(plain) { program.to_owned() } else { format!("{program:?}") }
}

fn applications() -> io::Result<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME").filter(|set| !set.is_empty()).map(PathBuf::from);
    let data = data.or_else(|| Some(std::env::home_dir()?.join(".local/share")));
    data.map(|data| data.join("applications"))
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no home folder"))
}

fn run(command: &mut Command) -> io::Result<()> {
    let status =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{status}"))) }
}
