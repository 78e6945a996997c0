//! The .deb: what is in it, what it depends on, and that the desktop finds the app by the link's
//! scheme. The sign-ins with it are in `installed_app.rs`.

use std::process::Command;

use anyhow::Result;
use keyport_tests::installed::{ENTRY, Installed, package};
use keyport_tests::{DesktopSession, process};

#[test]
fn the_package_brings_both_programs_and_the_link_handler() -> Result<()> {
    let package = package()?;
    let field = |name: &str| {
        let mut query = Command::new("dpkg-deb");
        query.arg("--field").arg(&package).arg(name);
        process::run(query)
    };
    assert_eq!(field("Package")?.trim(), "keyport");
    let depends = field("Depends")?;
    for wanted in ["libwebkit2gtk-4.1-0", "libgtk-3-0", "libc6", "xdg-utils"] {
        assert!(depends.contains(wanted), "{wanted} is not in {depends}");
    }
    assert!(field("Recommends")?.contains("gnome-keyring"));

    let installed = Installed::from(&package)?;
    for icon in ["32x32", "128x128", "256x256"] {
        let path = format!("usr/share/icons/hicolor/{icon}/apps/keyport-desktop.png");
        assert!(installed.file(&path).is_file(), "no {path}");
    }
    let entry = installed.file(ENTRY);
    let mut validate = Command::new("desktop-file-validate");
    validate.arg(&entry);
    assert_eq!(process::run(validate)?, "", "desktop-file-validate has nothing to say");
    let text = std::fs::read_to_string(&entry)?;
    assert!(text.lines().any(|line| line == "Exec=keyport-desktop %u"), "the link is passed on");

    let mut session = DesktopSession::with();
    for (name, value) in installed.environment() {
        session = session.environment(name, &value);
    }
    let session = session.start()?;
    let development = field("Version")?.trim().ends_with("+debug");
    let scheme = if development { "dev.keyport.desktop.dev" } else { "dev.keyport.desktop" };
    let handler = session.run("gio", &["mime", &format!("x-scheme-handler/{scheme}")])?;
    assert!(handler.contains("keyport-desktop.desktop"), "{handler}");
    let mut version = session.command(installed.program("keyport"));
    version.arg("--version");
    assert!(process::run(version)?.starts_with("keyport "));
    Ok(())
}
