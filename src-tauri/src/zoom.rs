//! The size of text in the window: steps as in browsers. NOT the webview; `window` sets the factor.

use serde::Deserialize;

/// The sizes, as factors.
const FACTORS: [f64; 9] = [0.5, 0.67, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0];
/// Into [`FACTORS`].
const USUAL: usize = 4;

/// One step of the text's size, as the page names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZoomStep {
    /// Larger.
    In,
    /// Smaller.
    Out,
    /// As it was.
    Reset,
}

/// How large text is now.
#[derive(Clone, Copy, Debug)]
pub struct ZoomLevel(usize);

impl Default for ZoomLevel {
    fn default() -> Self {
        Self(USUAL)
    }
}

impl ZoomLevel {
    /// The level after `step`; the last one stays.
    #[must_use]
    pub fn after(self, step: ZoomStep) -> Self {
        Self(match step {
            ZoomStep::In => (self.0 + 1).min(FACTORS.len() - 1),
            ZoomStep::Out => self.0.saturating_sub(1),
            ZoomStep::Reset => USUAL,
        })
    }

    /// What the webview scales by.
    #[must_use]
    pub fn factor(self) -> f64 {
        FACTORS.get(self.0).copied().unwrap_or(1.0)
    }
}
