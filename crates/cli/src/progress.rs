//! Follows one sign-in from view to view and says each thing once. Pure: views in, what is new out;
//! `sign_in` prints it. The number to compare and the end are not read from views, which may be
//! skipped, but from notices, which are not.

use keyport_core::Screen;

/// Something that is new to whoever reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressStep {
    /// The browser has it, for so long.
    Waiting {
        /// Rounded up.
        minutes: u64,
    },
    /// The link was not even offered to a browser.
    NoLink,
    /// The person continued in the browser.
    Returning,
    /// The browser has handed back.
    Finishing,
}

/// What was said already.
#[derive(Debug, Default)]
pub struct ProgressReader {
    waiting: bool,
    no_link: bool,
    returning: bool,
    finishing: bool,
}

impl ProgressReader {
    /// What of this screen is new.
    pub fn hear(&mut self, screen: &Screen) -> Option<ProgressStep> {
        let (said, what) = match screen {
            Screen::Waiting { browser_failed: true, .. } => {
                (&mut self.no_link, ProgressStep::NoLink)
            }
            Screen::Waiting { returning: true, .. } => {
                (&mut self.returning, ProgressStep::Returning)
            }
            Screen::Waiting { seconds_left, .. } => {
                (&mut self.waiting, ProgressStep::Waiting { minutes: seconds_left.div_ceil(60) })
            }
            Screen::Finishing => (&mut self.finishing, ProgressStep::Finishing),
            // The others are for the window.
            _ => return None,
        };
        (!std::mem::replace(said, true)).then_some(what)
    }
}

#[cfg(test)]
mod tests {
    use keyport_core::CallbackReceiver;

    use super::*;

    fn waiting(seconds_left: u64, browser_failed: bool, returning: bool) -> Screen {
        let receiver = CallbackReceiver::Loopback;
        Screen::Waiting { seconds_left, can_open_again: true, browser_failed, returning, receiver }
    }

    #[test]
    fn each_thing_is_said_once() {
        let mut progress = ProgressReader::default();
        let screens = [
            Screen::Starting,
            Screen::Preparing,
            waiting(600, false, false),
            waiting(599, false, false),
            Screen::Confirm { number: "42".into(), seconds_left: 590 },
            waiting(580, false, true),
            waiting(579, false, true),
            Screen::Finishing,
            Screen::Finishing,
            Screen::SignedOut,
        ];
        let said: Vec<ProgressStep> =
            screens.iter().filter_map(|screen| progress.hear(screen)).collect();
        assert_eq!(
            said,
            [
                ProgressStep::Waiting { minutes: 10 },
                ProgressStep::Returning,
                ProgressStep::Finishing
            ]
        );
    }

    #[test]
    fn minutes_are_rounded_up_and_never_zero() {
        let minutes = |seconds| ProgressReader::default().hear(&waiting(seconds, false, false));
        assert_eq!(minutes(1), Some(ProgressStep::Waiting { minutes: 1 }));
        assert_eq!(minutes(60), Some(ProgressStep::Waiting { minutes: 1 }));
        assert_eq!(minutes(61), Some(ProgressStep::Waiting { minutes: 2 }));
    }

    #[test]
    fn a_link_that_may_not_be_opened_is_said() {
        assert_eq!(
            ProgressReader::default().hear(&waiting(600, true, false)),
            Some(ProgressStep::NoLink)
        );
    }
}
