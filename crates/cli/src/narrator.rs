//! Follows one sign-in from view to view and says each thing once. Pure: views in, what is new out;
//! `sign_in` prints it. The number to compare and the end are not read from views, which may be
//! skipped, but from notices, which are not.

use keyport_core::Screen;

/// Something that is new to whoever reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
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
pub struct Narrator {
    waiting: bool,
    no_link: bool,
    returning: bool,
    finishing: bool,
}

impl Narrator {
    /// What of this screen is new.
    pub fn hear(&mut self, screen: &Screen) -> Option<Said> {
        let (said, what) = match screen {
            Screen::Waiting { browser_failed: true, .. } => (&mut self.no_link, Said::NoLink),
            Screen::Waiting { returning: true, .. } => (&mut self.returning, Said::Returning),
            Screen::Waiting { seconds_left, .. } => {
                (&mut self.waiting, Said::Waiting { minutes: seconds_left.div_ceil(60) })
            }
            Screen::Finishing => (&mut self.finishing, Said::Finishing),
            Screen::Starting
            | Screen::SignedOut
            | Screen::Preparing
            | Screen::Confirm { .. }
            | Screen::SignedIn { .. }
            | Screen::Problem { .. } => return None,
        };
        (!std::mem::replace(said, true)).then_some(what)
    }
}

/// Whether no sign-in is under way on this screen.
pub fn is_at_rest(screen: &Screen) -> bool {
    match screen {
        Screen::SignedOut | Screen::SignedIn { .. } | Screen::Problem { .. } => true,
        Screen::Starting
        | Screen::Preparing
        | Screen::Waiting { .. }
        | Screen::Confirm { .. }
        | Screen::Finishing => false,
    }
}

#[cfg(test)]
mod tests {
    use keyport_core::Door;

    use super::*;

    fn waiting(seconds_left: u64, browser_failed: bool, returning: bool) -> Screen {
        let door = Door::Loopback;
        Screen::Waiting { seconds_left, can_open_again: true, browser_failed, returning, door }
    }

    #[test]
    fn each_thing_is_said_once() {
        let mut narrator = Narrator::default();
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
        let said: Vec<Said> = screens.iter().filter_map(|screen| narrator.hear(screen)).collect();
        assert_eq!(said, [Said::Waiting { minutes: 10 }, Said::Returning, Said::Finishing]);
    }

    #[test]
    fn minutes_are_rounded_up_so_that_nobody_reads_zero() {
        let minutes = |seconds| Narrator::default().hear(&waiting(seconds, false, false));
        assert_eq!(minutes(1), Some(Said::Waiting { minutes: 1 }));
        assert_eq!(minutes(60), Some(Said::Waiting { minutes: 1 }));
        assert_eq!(minutes(61), Some(Said::Waiting { minutes: 2 }));
    }

    #[test]
    fn a_link_that_may_not_be_opened_is_said() {
        assert_eq!(Narrator::default().hear(&waiting(600, true, false)), Some(Said::NoLink));
    }

    #[test]
    fn a_sign_in_is_under_way_or_it_is_not() {
        for screen in
            [Screen::Starting, Screen::Preparing, waiting(1, false, false), Screen::Finishing]
        {
            assert!(!is_at_rest(&screen), "{screen:?}");
        }
        assert!(is_at_rest(&Screen::SignedOut));
    }
}
