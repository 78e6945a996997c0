//! Where the window goes while the person compares two numbers: beside the browser's page, so that
//! number and button are seen together. Geometry alone: who knows where the browser is, and moves
//! the window, is in `x11` and `window`.

/// A rectangle on the screen, in physical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// In pixels.
    pub width: i32,
    /// In pixels.
    pub height: i32,
}

/// The middle of the browser's window that the companion's page uses, in logical pixels: its
/// column of 320 with some room on both sides.
const COLUMN: f64 = 384.0;

/// The upper edge of a window that a window manager draws, in logical pixels, at most.
const TITLE_BAR: f64 = 48.0;

impl Area {
    /// Whether the two have a pixel in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    /// The part of this window of a browser that must stay uncovered.
    #[must_use]
    pub fn page_column(&self, scale: f64) -> Self {
        let width = pixels(COLUMN * scale).min(self.width);
        Self { x: self.x + (self.width - width) / 2, width, ..*self }
    }
}

/// Where in the work area a window of the size of `window` leaves `kept_free` uncovered: where it
/// is now if that is so, else in a corner; `None` when there is no room for it.
#[must_use]
pub fn beside(window: Area, kept_free: Area, work: Area, scale: f64) -> Option<Area> {
    let (right, bottom) = (work.x + work.width, work.y + work.height);
    let top = work.y;
    let low = bottom - window.height - pixels(TITLE_BAR * scale);
    let (low, far) = (low.max(top), right - window.width);
    let corners = [(far, low), (far, top), (work.x, low), (work.x, top)];
    let corners = corners.map(|(x, y)| Area { x, y, ..window });
    std::iter::once(window).chain(corners).find(|place| !place.overlaps(&kept_free))
}

#[expect(clippy::cast_possible_truncation, reason = "a few thousand pixels at most")]
fn pixels(logical: f64) -> i32 {
    logical.round() as i32
}
