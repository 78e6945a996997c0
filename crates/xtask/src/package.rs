//! `cargo xtask package`: a .deb with the app, the command line, the desktop entry that receives
//! the link, and the icons. A staged tree and `dpkg-deb`, which is on every Debian
//! (decision 0001). NOT signed here.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::setup::{self, Purpose};
use crate::steps::{Steps, build_everything, cargo, output, root, run as run_command, target};

/// The app and the command line; what goes to `/usr/bin`.
const PROGRAMS: [&str; 2] = ["keyport-desktop", "keyport"];

/// Icon files and the size that each stands for in the icon theme.
const ICONS: [(&str, &str); 3] =
    [("32x32.png", "32x32"), ("128x128.png", "128x128"), ("128x128@2x.png", "256x256")];

/// The scheme of the links as the desktop entry has it, and that of a debug build, whose build
/// channel is the development one (decision 0002).
const SCHEME: (&str, &str) =
    ("x-scheme-handler/dev.keyport.desktop;", "x-scheme-handler/dev.keyport.desktop.dev;");

/// Beyond the libraries: opening the browser, and that an installed desktop entry is known to the
/// desktop.
const DEPENDS: &str = "xdg-utils, desktop-file-utils, libglib2.0-bin";

/// Makes the package and answers with its path, which is also the last line on standard output.
pub fn run(debug: bool) -> Result<PathBuf> {
    let mut steps = Steps::default();
    steps.step("set-up", || setup::install(&[Purpose::Build]))?;
    steps.step("build", || build(debug))?;
    let mut package = PathBuf::new();
    steps.step("pack", || {
        package = pack(debug)?;
        Ok(())
    })?;
    println!("{}", package.display());
    Ok(package)
}

fn build(debug: bool) -> Result<()> {
    if debug {
        return run_command(&mut build_everything());
    }
    run_command(&mut cargo(&[
        "build",
        "--release",
        "--locked",
        "--package=keyport-desktop",
        "--package=keyport-cli",
        "--bins",
        "--features=keyport-desktop/custom-protocol",
    ]))
}

fn pack(debug: bool) -> Result<PathBuf> {
    let profile = if debug { "debug" } else { "release" };
    let folder = target().join("package");
    let stage = folder.join(profile);
    if stage.exists() {
        fs::remove_dir_all(&stage)?;
    }
    for program in PROGRAMS {
        let installed = stage.join("usr/bin").join(program);
        install(&target().join(profile).join(program), &installed, 0o755)?;
        if debug {
            run_command(Command::new("strip").arg("--strip-debug").arg(&installed))?;
        }
    }
    let entry = "keyport-desktop.desktop";
    let applications = stage.join("usr/share/applications");
    write(&applications.join(entry), &desktop_entry(entry, debug)?)?;
    for (file, size) in ICONS {
        let icon = format!("usr/share/icons/hicolor/{size}/apps/keyport-desktop.png");
        install(&root().join("src-tauri/icons").join(file), &stage.join(icon), 0o644)?;
    }
    write(&stage.join("usr/share/doc/keyport/copyright"), COPYRIGHT)?;
    let architecture = output(Command::new("dpkg").arg("--print-architecture"))?;
    let version = version(debug);
    let control = control(&stage, &version, architecture.trim())?;
    write(&stage.join("DEBIAN/control"), &control)?;
    let package = folder.join(format!("keyport_{version}_{}.deb", architecture.trim()));
    // A debug package is installed by the next test and thrown away.
    let compression: &[&str] = if debug { &["-Zgzip", "-z1"] } else { &["-Zxz"] };
    let mut command = Command::new("dpkg-deb");
    command.arg("--root-owner-group").args(compression).arg("--build").arg(&stage).arg(&package);
    output(&mut command)?;
    Ok(package)
}

/// The entry takes the links that the packed build asks for.
fn desktop_entry(name: &str, debug: bool) -> Result<String> {
    let path = root().join("src-tauri/linux").join(name);
    let entry = fs::read_to_string(&path).with_context(|| format!("no {}", path.display()))?;
    let (release, development) = SCHEME;
    ensure!(entry.contains(release), "{} does not take our links", path.display());
    Ok(if debug { entry.replace(release, development) } else { entry })
}

fn version(debug: bool) -> String {
    let suffix = if debug { "+debug" } else { "" };
    format!("{}{suffix}", env!("CARGO_PKG_VERSION"))
}

const COPYRIGHT: &str = "Format: \
    https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
    Upstream-Name: Keyport\n\nFiles: *\nCopyright: The Keyport authors\n\
    License: MIT or Apache-2.0\n";

fn control(stage: &Path, version: &str, architecture: &str) -> Result<String> {
    let libraries = libraries(stage)?;
    let size = output(Command::new("du").args(["-sk", "--apparent-size"]).arg(stage.join("usr")))?;
    let size = size.split_whitespace().next().unwrap_or("0").to_owned();
    Ok(format!(
        "Package: keyport\n\
         Version: {version}\n\
         Architecture: {architecture}\n\
         Maintainer: The Keyport authors <keyport@localhost>\n\
         Installed-Size: {size}\n\
         Depends: {libraries}, {DEPENDS}\n\
         Recommends: gnome-keyring\n\
         Section: utils\n\
         Priority: optional\n\
         Description: sign in with your company's single sign-on\n \
         The desktop app and the command line: one click, your own browser, and the\n \
         session is kept in the keychain of the desktop.\n"
    ))
}

/// The packages that the programs' shared libraries come from, with versions, as Debian's own tool
/// finds them.
fn libraries(stage: &Path) -> Result<String> {
    // The tool wants to be called in the folder of a source package.
    let source = stage.with_extension("source");
    let control = "Source: keyport\n\nPackage: keyport\nArchitecture: any\n";
    write(&source.join("debian/control"), control)?;
    let mut command = Command::new("dpkg-shlibdeps");
    command.arg("-O").current_dir(&source);
    for program in PROGRAMS {
        command.arg(format!("-e{}", stage.join("usr/bin").join(program).display()));
    }
    let found = output(&mut command)?;
    let depends = found.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
    Ok(depends.context("dpkg-shlibdeps names no libraries")?.to_owned())
}

fn install(from: &Path, to: &Path, mode: u32) -> Result<()> {
    fs::create_dir_all(to.parent().context("a folder")?)?;
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(mode))?)
}

fn write(to: &Path, text: &str) -> Result<()> {
    fs::create_dir_all(to.parent().context("a folder")?)?;
    Ok(fs::write(to, text)?)
}
