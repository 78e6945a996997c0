//! What there is to see and to touch: the virtual display, windows, keys, pointer and screenshots
//! (Xvfb, openbox, xdotool, ImageMagick). NOT the inside of a window: that is `webdriver`.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::DesktopSession;
use crate::{process, wait};

impl DesktopSession {
    pub(super) fn start_display(&mut self) -> Result<()> {
        let mut command = self.command("Xvfb");
        // Without -noreset the display starts anew when its last client leaves, and takes along one
        // that is just arriving.
        let screen = format!("{}x{}x24", self.screen.0, self.screen.1);
        command.args(["-displayfd", "1", "-screen", "0", &screen, "-wr", "-noreset"]);
        command.args(["-nolisten", "tcp"]);
        let display = self.spawn("xvfb", command)?;
        let number = display.line(wait::WAIT_TIMEOUT, |line| line.trim().parse::<u32>().ok())?;
        self.programs.push(display);
        self.set("DISPLAY", format!(":{number}"));
        if !self.has_window_manager {
            return Ok(());
        }
        let manager = self.spawn("openbox", self.command("openbox"))?;
        self.programs.push(manager);
        // Answers only when a window manager has announced itself.
        wait::until("the window manager", wait::WAIT_TIMEOUT, || {
            Ok(self.run("xdotool", &["get_num_desktops"]).ok())
        })?;
        Ok(())
    }

    /// Types, clicks, searches: the arguments of `xdotool`.
    ///
    /// # Errors
    /// When xdotool fails, for example because it finds no window.
    pub fn xdotool(&self, arguments: &[&str]) -> Result<String> {
        self.run("xdotool", arguments)
    }

    /// Waits for a visible window whose title matches the regular expression; answers with its id.
    ///
    /// # Errors
    /// When there is none within `limit`.
    pub fn window(&self, title: &str, limit: Duration) -> Result<String> {
        let what = format!("a window {title:?}");
        wait::until(&what, limit, || {
            let found = self.xdotool(&["search", "--onlyvisible", "--name", title]);
            Ok(found.ok().and_then(|ids| ids.lines().next().map(str::to_owned)))
        })
    }

    /// Moves a window, so that it and the browser are beside each other.
    ///
    /// # Errors
    /// When there is no such window.
    pub fn move_window(&self, title: &str, x: u16, y: u16) -> Result<()> {
        let window = self.window(title, wait::WAIT_TIMEOUT)?;
        let (x, y) = (x.to_string(), y.to_string());
        self.xdotool(&["windowmove", &window, &x, &y]).map(drop)
    }

    /// Where a window is, without what the window manager draws around it: x, y, width, height.
    ///
    /// # Errors
    /// When there is no such window.
    pub fn place_of(&self, window: &str) -> Result<[i64; 4]> {
        let printed = self.xdotool(&["getwindowgeometry", "--shell", window])?;
        let number = |name: &str| -> Option<i64> {
            let line = printed.lines().find_map(|line| line.strip_prefix(name))?;
            line.strip_prefix('=')?.parse().ok()
        };
        let numbers = ["X", "Y", "WIDTH", "HEIGHT"].map(number);
        let numbers: Option<Vec<i64>> = numbers.into_iter().collect();
        numbers.and_then(|all| all.try_into().ok()).context("four numbers")
    }

    /// Saves what is on the display as a PNG file.
    ///
    /// # Errors
    /// When it cannot be taken or written.
    pub fn screenshot(&self, file: &Path) -> Result<()> {
        let file = file.to_str().context("a file name in UTF-8")?;
        self.run("import", &["-window", "root", file]).map(drop)
    }

    /// As [`DesktopSession::screenshot`], but waits until the display shows something and has
    /// stopped changing: a page is ready for scripts before it is painted.
    ///
    /// # Errors
    /// When it cannot be taken or written.
    pub fn screenshot_when_still(&self, file: &Path) -> Result<()> {
        let mut before = String::new();
        let look = || -> Result<Option<()>> {
            self.screenshot(file)?;
            let mut identify = self.command("identify");
            identify.args(["-format", "%# %k"]).arg(file);
            let now = process::run(identify)?;
            let colours = now.split(' ').nth(1).and_then(|count| count.parse().ok());
            let still = now == before && colours.unwrap_or(0_u32) > 16;
            before = now;
            Ok(still.then_some(()))
        };
        // A display that never rests (a clock, a count-down) is worth a picture too.
        let _ = wait::until("a still display", Duration::from_secs(6), look);
        self.screenshot(file)
    }
}
