//! What there is to see and to touch: the virtual display, windows, keys, pointer and screenshots
//! (Xvfb, openbox, xdotool, ImageMagick, the X11 protocol). NOT the inside of a window: that is
//! `webdriver`.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use x11rb::connection::Connection as _;
use x11rb::properties::WmHints;
use x11rb::protocol::xproto::{ConnectionExt as _, MapState, Window, WindowClass};
use x11rb::rust_connection::RustConnection;

use super::DesktopSession;
use crate::{process, wait};

/// After this long a key that closes a window is pressed again.
const AGAIN: Duration = Duration::from_secs(5);

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

    /// Closes the window that `find` names, as a person does: Alt+F4, and again as long as it is
    /// there. (A key that is pressed while the window manager takes its keys anew reaches nothing.)
    ///
    /// # Errors
    /// When the window stays.
    pub fn close_window(&self, find: impl Fn() -> Option<String>) -> Result<()> {
        wait::until("the window to close", wait::WAIT_TIMEOUT, || {
            let Some(window) = find() else { return Ok(Some(())) };
            // It may be leaving already.
            let _ = self.xdotool(&["windowactivate", &window]);
            self.xdotool(&["key", "--clearmodifiers", "alt+F4"])?;
            let gone = wait::until("it", AGAIN, || Ok(find().is_none().then_some(())));
            Ok(gone.ok())
        })
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

    /// What is drawn uppermost at this point of the display: x, y, width and height of an outermost
    /// window, with the frame that a window manager draws; `None` where there is no window. Asked
    /// of the display itself: xdotool names no window of an app where no window manager runs.
    ///
    /// # Errors
    /// When the display does not answer.
    pub fn uppermost_at(&self, x: f64, y: f64) -> Result<Option<[i64; 4]>> {
        let (display, root) = self.display()?;
        // The lowest one is named first.
        for window in display.query_tree(root)?.reply()?.children.into_iter().rev() {
            let attributes = display.get_window_attributes(window)?.reply();
            let geometry = display.get_geometry(window)?.reply();
            // A window may go while it is looked at.
            let (Ok(attributes), Ok(geometry)) = (attributes, geometry) else { continue };
            let is_drawn = attributes.map_state == MapState::VIEWABLE
                && attributes.class != WindowClass::INPUT_ONLY;
            let (left, top) = (f64::from(geometry.x), f64::from(geometry.y));
            let (width, height) = (f64::from(geometry.width), f64::from(geometry.height));
            let is_there = (left..left + width).contains(&x) && (top..top + height).contains(&y);
            if is_drawn && is_there {
                let [x, y] = [geometry.x, geometry.y].map(i64::from);
                let [width, height] = [geometry.width, geometry.height].map(i64::from);
                return Ok(Some([x, y, width, height]));
            }
        }
        Ok(None)
    }

    /// Whether a window asks for attention (ICCCM §4.1.2.4, the urgency hint).
    ///
    /// # Errors
    /// When the display does not answer, or there is no such window.
    pub fn asks_for_attention(&self, window: &str) -> Result<bool> {
        let hints = WmHints::get(&self.display()?.0, window.parse()?)?.reply()?;
        Ok(hints.is_some_and(|hints| hints.urgent))
    }

    fn display(&self) -> Result<(RustConnection, Window)> {
        let name = self.environment.iter().find(|(name, _)| name == "DISPLAY");
        let (_, name) = name.context("a session with a display")?;
        let (display, screen) = x11rb::connect(Some(name))?;
        let root = display.setup().roots.get(screen).context("a screen")?.root;
        Ok((display, root))
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
