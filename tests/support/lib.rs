//! The system from outside: starts our real programs, a real browser and a real desktop session,
//! waits until each says that it is ready, and ends them. NOT a mock of anything and no second
//! implementation of the protocol: a test speaks HTTP, clicks and types.

pub mod balancer;
pub mod binaries;
pub mod browser;
pub mod desktop;
pub mod installed;
pub mod leaks;
pub mod native;
pub mod npm;
pub mod offspring;
pub mod process;
pub mod sources;
pub mod wait;
pub mod world;

pub use browser::{Jar, Page, Person};
pub use desktop::DesktopSession;
pub use native::NativeClient;
pub use process::Process;
pub use world::World;
