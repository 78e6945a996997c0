//! What X11 tells about the windows of other programs (Extended Window Manager Hints). It reads
//! where they are and nothing else of them.

use x11rb::connection::Connection;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt, MapState, Window};
use x11rb::rust_connection::RustConnection;

use crate::placement::Area;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct Display {
    connection: RustConnection,
    root: Window,
}

/// The window of another program that the person looks at: the active one, or the uppermost if
/// that is ours. `None` without X11 or without a window manager. Blocks on the display server.
pub fn foremost_foreign_window() -> Option<Area> {
    look().ok().flatten()
}

fn look() -> Result<Option<Area>> {
    let (connection, screen) = x11rb::connect(None)?;
    let root = connection.setup().roots.get(screen).ok_or("no screen")?.root;
    let display = Display { connection, root };
    let mut windows = display.numbers(root, "_NET_ACTIVE_WINDOW")?;
    windows.extend(display.numbers(root, "_NET_CLIENT_LIST_STACKING")?.into_iter().rev());
    for window in windows {
        // A window may go while it is looked at.
        if let Ok(Some(area)) = display.area_if_foreign(window) {
            return Ok(Some(area));
        }
    }
    Ok(None)
}

impl Display {
    fn area_if_foreign(&self, window: Window) -> Result<Option<Area>> {
        let ours = self.numbers(window, "_NET_WM_PID")?.contains(&std::process::id());
        let attributes = self.connection.get_window_attributes(window)?.reply()?;
        if ours || attributes.map_state != MapState::VIEWABLE || self.is_furniture(window)? {
            return Ok(None);
        }
        let size = self.connection.get_geometry(window)?.reply()?;
        let at = self.connection.translate_coordinates(window, self.root, 0, 0)?.reply()?;
        Ok(Some(Area {
            x: at.dst_x.into(),
            y: at.dst_y.into(),
            width: size.width.into(),
            height: size.height.into(),
        }))
    }

    /// Panels and the desktop itself.
    fn is_furniture(&self, window: Window) -> Result<bool> {
        let kinds = self.numbers(window, "_NET_WM_WINDOW_TYPE")?;
        for name in ["_NET_WM_WINDOW_TYPE_DOCK", "_NET_WM_WINDOW_TYPE_DESKTOP"] {
            if kinds.contains(&self.atom(name)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn numbers(&self, window: Window, property: &str) -> Result<Vec<u32>> {
        let property = self.atom(property)?;
        let any = AtomEnum::ANY;
        let reply = self.connection.get_property(false, window, property, any, 0, 1024)?.reply()?;
        Ok(reply.value32().map(Iterator::collect).unwrap_or_default())
    }

    fn atom(&self, name: &str) -> std::result::Result<u32, ReplyError> {
        Ok(self.connection.intern_atom(false, name.as_bytes())?.reply()?.atom)
    }
}
