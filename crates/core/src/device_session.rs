//! Where a person is signed in, as the companion lists it. Facts to show: nothing here opens
//! anything.

use serde::Serialize;

use crate::moment::Moment;

/// One living session of the person, on this device or on another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceSession {
    /// The companion's name of it.
    pub id: String,
    /// Whether it is the one that asked.
    pub is_this: bool,
    /// The app that it is of.
    pub app: Option<String>,
    /// What its device calls itself.
    pub device: Option<String>,
    /// When the person signed in there.
    pub signed_in_at: Moment,
    /// When it was last used.
    pub last_used: Moment,
    /// The network address that it was last used from.
    pub address: Option<String>,
}
