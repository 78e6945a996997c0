//! `check`: the list to go through before people sign in.

use super::AdminAccess;
use super::access::DEFAULT_ISSUER;
use super::output::{CommandOutput, counted, shown};
use crate::admin::{
    AdminError, CheckLine, CheckSubject, CheckVerdict, RunCheck, check_without_database,
};
use crate::ambient::{Clock as _, SystemClock};
use crate::config::Settings;
use crate::upstream::workos_sso::WorkosSso;

/// Carries the command out.
///
/// # Errors
/// `Failed` if a line is wrong.
pub async fn run(access: &AdminAccess, output: &mut CommandOutput) -> Result<(), AdminError> {
    let lines = access.ask(RunCheck {}).await?;
    print(&lines, output)
}

/// The same where neither a service nor the database can be reached.
///
/// # Errors
/// Always: the database is a wrong line.
pub async fn without_database(
    settings: &Settings,
    error: &AdminError,
    output: &mut CommandOutput,
) -> Result<(), AdminError> {
    let upstream = WorkosSso::new(&settings.upstream)
        .map_err(|_| AdminError::failed("WORKOS_API_KEY cannot be sent"))?;
    let subject = CheckSubject {
        upstream: &upstream,
        policy: &settings.policy,
        issuer: settings.public_url.as_deref().unwrap_or(DEFAULT_ISSUER),
        now: SystemClock::start().now(),
    };
    let mut lines = check_without_database(&subject, &settings.key_file).await;
    lines.push(CheckLine::wrong("database", error.sentence.clone()));
    print(&lines, output)
}

fn print(lines: &[CheckLine], output: &mut CommandOutput) -> Result<(), AdminError> {
    if output.json {
        lines.iter().try_for_each(|line| output.object(line))?;
    } else {
        let width = lines.iter().map(|line| line.subject.chars().count()).max();
        let width = width.unwrap_or_default();
        for CheckLine { subject, verdict, detail } in lines {
            let word = word(*verdict);
            let subject = shown(subject);
            output.line(&format!("{word:<19}  {subject:<width$}  {}", shown_whole(detail)))?;
        }
    }
    match lines.iter().filter(|line| line.verdict == CheckVerdict::Wrong).count() {
        0 => Ok(()),
        wrong => {
            let verb = if wrong == 1 { "is" } else { "are" };
            let what = format!("{} {verb} wrong", counted(wrong, "line", "lines"));
            Err(AdminError::failed(what))
        }
    }
}

const fn word(verdict: CheckVerdict) -> &'static str {
    match verdict {
        CheckVerdict::Ok => "ok",
        CheckVerdict::Wrong => "wrong",
        CheckVerdict::NotKnowable => "not knowable by API",
    }
}

/// Sentences of ours, with ids from elsewhere: whole, without what steers a terminal.
fn shown_whole(text: &str) -> String {
    crate::domain::cleaned(text, usize::MAX).unwrap_or_default()
}
