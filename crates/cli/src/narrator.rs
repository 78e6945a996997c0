//! Follows one sign-in from view to view and says each thing once. Pure: views in, what is new out; `sign_in` prints it.

use keyport_core::{Account, Problem, Screen, Stored};

/// Something that is new to whoever reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The browser has it, for so long.
    Waiting {
        /// Rounded up.
        minutes: u64,
    },
    /// No browser could be started: the link has to be opened by hand.
    BrowserFailed,
    /// Compare this number.
    Confirm(String),
    /// The person continued in the browser.
    Returning,
    /// The browser has handed back.
    Finishing,
}

/// How the sign-in ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With a session.
    SignedIn {
        /// Who.
        account: Box<Account>,
        /// Where it is kept.
        stored: Stored,
        /// The code of the reason, when it is in memory against the person's wish.
        not_saved: Option<&'static str>,
    },
    /// Without one.
    Problem {
        /// Why.
        problem: Problem,
        /// What to read to IT.
        attempt: Option<String>,
    },
}

/// What was said already.
#[derive(Debug, Default)]
pub struct Narrator {
    waiting: bool,
    browser_failed: bool,
    confirm: Option<String>,
    returning: bool,
    finishing: bool,
}

impl Narrator {
    /// What of this screen is new.
    pub fn hear(&mut self, screen: &Screen) -> Vec<Said> {
        let mut news = Vec::new();
        match screen {
            Screen::Waiting { seconds_left, browser_failed, returning, .. } => {
                if *browser_failed && !std::mem::replace(&mut self.browser_failed, true) {
                    news.push(Said::BrowserFailed);
                }
                if *returning {
                    if !std::mem::replace(&mut self.returning, true) {
                        news.push(Said::Returning);
                    }
                } else if !std::mem::replace(&mut self.waiting, true) {
                    news.push(Said::Waiting { minutes: seconds_left.div_ceil(60) });
                }
            }
            Screen::Confirm { number, .. } => {
                if self.confirm.replace(number.clone()).as_ref() != Some(number) {
                    news.push(Said::Confirm(number.clone()));
                }
            }
            Screen::Finishing => {
                if !std::mem::replace(&mut self.finishing, true) {
                    news.push(Said::Finishing);
                }
            }
            Screen::Starting
            | Screen::SignedOut
            | Screen::Preparing
            | Screen::SignedIn { .. }
            | Screen::Problem { .. } => {}
        }
        news
    }
}

impl Ending {
    /// How it ended, if this screen is an end. Nobody signed in, with no problem to show, is what a cancelled sign-in leaves.
    pub fn of(screen: &Screen) -> Option<Self> {
        match screen {
            Screen::SignedIn { account, stored, not_saved, .. } => Some(Self::SignedIn {
                account: account.clone(),
                stored: *stored,
                not_saved: *not_saved,
            }),
            Screen::Problem { code, attempt, .. } => Some(Self::Problem {
                problem: Problem::from_code(code).unwrap_or(Problem::Internal),
                attempt: attempt.clone(),
            }),
            Screen::SignedOut => Some(Self::Problem { problem: Problem::Cancelled, attempt: None }),
            Screen::Starting
            | Screen::Preparing
            | Screen::Waiting { .. }
            | Screen::Confirm { .. }
            | Screen::Finishing => None,
        }
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

    fn confirm(number: &str) -> Screen {
        Screen::Confirm { number: number.into(), seconds_left: 500 }
    }

    #[test]
    fn each_thing_is_said_once() {
        let mut narrator = Narrator::default();
        let screens = [
            Screen::Preparing,
            waiting(600, false, false),
            waiting(599, false, false),
            waiting(590, true, false),
            waiting(589, true, false),
            confirm("42"),
            confirm("42"),
            waiting(580, true, true),
            waiting(579, true, true),
            Screen::Finishing,
            Screen::Finishing,
        ];
        let said: Vec<Said> = screens.iter().flat_map(|screen| narrator.hear(screen)).collect();
        assert_eq!(
            said,
            [
                Said::Waiting { minutes: 10 },
                Said::BrowserFailed,
                Said::Confirm("42".into()),
                Said::Returning,
                Said::Finishing,
            ]
        );
    }

    #[test]
    fn another_number_is_said_too() {
        let mut narrator = Narrator::default();
        assert_eq!(narrator.hear(&confirm("42")), [Said::Confirm("42".into())]);
        assert_eq!(narrator.hear(&confirm("17")), [Said::Confirm("17".into())]);
    }

    #[test]
    fn a_screen_is_an_end_or_is_waited_through() {
        for screen in
            [Screen::Starting, Screen::Preparing, waiting(1, false, false), Screen::Finishing]
        {
            assert_eq!(Ending::of(&screen), None, "{screen:?}");
        }
        let cancelled = Ending::of(&Screen::SignedOut);
        assert_eq!(cancelled, Some(Ending::Problem { problem: Problem::Cancelled, attempt: None }));
        let timed_out = Screen::Problem {
            code: "timed_out",
            next: Problem::TimedOut.next_step(),
            attempt: Some("7F3A".into()),
            signed_in: false,
        };
        assert_eq!(
            Ending::of(&timed_out),
            Some(Ending::Problem { problem: Problem::TimedOut, attempt: Some("7F3A".into()) })
        );
    }
}
