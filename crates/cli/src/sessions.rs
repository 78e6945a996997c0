//! `keyport sessions`: where the person is signed in, and ending one of these sessions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyport_client::session::Sessions;
use keyport_core::{Account, DeviceSession, Moment, Problem};

use crate::accounts::{self, AccountError};
use crate::arguments::{DeviceSessions, DeviceSessionsCommand};
use crate::event::OutputEvent;
use crate::exit::Exit;
use crate::output::Output;
use crate::session::{Asked, end, on_accounts};

/// Lists the sessions of one account, or ends the one that is named.
pub async fn sessions(wanted: &DeviceSessions, output: &Output) -> Exit {
    let of = wanted.account();
    on_accounts(&of.session, Asked::Companion, output, async |sessions, accounts| {
        let account = match &of.account {
            Some(wanted) => accounts::chosen(&accounts, wanted, output)?,
            None => &accounts[0],
        };
        let listed = sessions.device_sessions(&account.id).await?;
        match &wanted.what {
            None => print(&listed, output),
            Some(DeviceSessionsCommand::End(wanted)) => {
                let Some(session) = listed.iter().find(|listed| listed.id == wanted.id) else {
                    return Err(AccountError::Problem(Problem::SessionUnknown));
                };
                end_one(&sessions, account, session, output).await?;
            }
        }
        Ok(())
    })
    .await
}

async fn end_one(
    sessions: &Sessions,
    account: &Account,
    session: &DeviceSession,
    output: &Output,
) -> Result<(), Problem> {
    if session.is_this {
        return end(sessions, account, output).await;
    }
    sessions.end_device_session(&account.id, &session.id).await?;
    output.event(&OutputEvent::SessionEnded { id: &session.id });
    output.say("cli-session-ended", &[("device", &device_of(session, output))]);
    Ok(())
}

fn print(listed: &[DeviceSession], output: &Output) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    for session in listed {
        output.event(&OutputEvent::session(session));
        let device = device_of(session, output);
        let place = if session.is_this { "cli-session-here" } else { "cli-session-there" };
        output.result(&output.text(place, &[("device", &device)]));
        let used = ago(now, session.last_used, output);
        let (words, address) = match &session.address {
            Some(address) => ("cli-session-used-from", address.as_str()),
            None => ("cli-session-used", ""),
        };
        let facts = [("used", &*used), ("address", address), ("id", &session.id)];
        output.result(&output.text(words, &facts));
    }
}

fn device_of(session: &DeviceSession, output: &Output) -> String {
    session.device.clone().unwrap_or_else(|| output.text("cli-session-device-unknown", &[]))
}

/// "5 minutes ago"; a time to come is the disagreement of two clocks.
fn ago(now: Duration, then: Moment, output: &Output) -> String {
    let minutes = now.saturating_sub(Duration::from_millis(then.0)).as_secs() / 60;
    let (words, count) = match minutes {
        0 => ("cli-ago-now", 0),
        1..60 => ("cli-ago-minutes", minutes),
        60..2880 => ("cli-ago-hours", minutes / 60),
        _ => ("cli-ago-days", minutes / 1440),
    };
    output.text(words, &[("count", &count.to_string())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_ago_is_said_in_plain_words() {
        let output = Output::for_people();
        let now = Duration::from_secs(100 * 24 * 3600);
        for (seconds, words) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3599, "59 minutes ago"),
            (3600, "1 hour ago"),
            (47 * 3600, "47 hours ago"),
            (48 * 3600, "2 days ago"),
            (90 * 24 * 3600, "90 days ago"),
        ] {
            let then = now - Duration::from_secs(seconds);
            let then = Moment(then.as_millis().try_into().unwrap());
            assert_eq!(ago(now, then, &output), words);
        }
        assert_eq!(ago(now, Moment(u64::MAX), &output), "just now");
    }
}
