//! `audit export`: the audit table as lines of JSON, page by page.

use super::AdminAccess;
use super::output::CommandOutput;
use crate::admin::{AdminError, ExportAudit, read_instant};
use crate::domain::Timestamp;

/// `audit …`
#[derive(Debug, clap::Subcommand)]
pub enum AuditCommand {
    /// Print the audit table, one JSON object a line, the oldest first.
    Export {
        /// Only what is not older: a date or an RFC 3339 time, in UTC unless it says otherwise.
        #[arg(long, value_name = "TIME", value_parser = instant)]
        since: Option<Timestamp>,
    },
}

fn instant(text: &str) -> Result<Timestamp, &'static str> {
    read_instant(text).ok_or("not a time; write 2026-11-22 or 2026-11-22T04:10:00Z")
}

/// Carries the command out.
pub async fn run(
    command: &AuditCommand,
    access: &AdminAccess,
    output: &mut CommandOutput,
) -> Result<(), AdminError> {
    let AuditCommand::Export { since } = command;
    let since = since.map_or(0, Timestamp::seconds);
    let mut after = 0;
    loop {
        let page = access.ask(ExportAudit { after, since }).await?;
        page.rows.iter().try_for_each(|row| output.object(row))?;
        match page.next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}
