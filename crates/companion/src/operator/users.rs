//! `users list` and `users show`.

use serde::Serialize;

use super::output::{CommandOutput, moment};
use super::{AdminAccess, people, sessions};
use crate::admin::{AdminError, ListUsers, SessionLine, UserLine};
use crate::domain::SessionSelector;
use crate::storage::UserSelector;

/// `users …`
#[derive(Debug, clap::Subcommand)]
pub enum UsersCommand {
    /// Who has signed in here.
    List(Of),
    /// One person and their sessions.
    Show {
        /// By id or email.
        #[arg(value_name = "ID|EMAIL", value_parser = people::selector)]
        user: UserSelector,
    },
}

/// Which users; without any, all.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub struct Of {
    /// The people of an organization (`org_…`).
    #[arg(long, value_name = "ORG")]
    organization: Option<String>,
    /// The people of a connection (`conn_…`).
    #[arg(long, value_name = "CONN")]
    connection: Option<String>,
}

/// Carries the command out.
pub async fn run(
    command: &UsersCommand,
    access: &AdminAccess,
    output: &mut CommandOutput,
) -> Result<(), AdminError> {
    match command {
        UsersCommand::List(of) => list(of, access, output).await,
        UsersCommand::Show { user } => show(user, access, output).await,
    }
}

async fn list(of: &Of, access: &AdminAccess, output: &mut CommandOutput) -> Result<(), AdminError> {
    let organization = of.organization.clone().map(UserSelector::Organization);
    let connection = of.connection.clone().map(UserSelector::Connection);
    let of = organization.or(connection).unwrap_or(UserSelector::All);
    let (mut after, mut is_empty) = (None, true);
    loop {
        let page = access.ask(ListUsers { of: of.clone(), after }).await?;
        is_empty &= page.users.is_empty();
        print(output, &page.users)?;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if is_empty && !output.json {
        output.line("No one has signed in there yet.")?;
    }
    Ok(())
}

fn print(output: &mut CommandOutput, users: &[UserLine]) -> Result<(), AdminError> {
    let header = ["USER", "PERSON", "NAME", "ORGANIZATION", "SESSIONS", "LAST SIGN-IN"];
    output.rows(header, users, |line| {
        let organization = line.organization_name.clone().or(line.organization.clone());
        [
            line.user.to_string(),
            line.email.clone(),
            line.name.clone().unwrap_or_default(),
            organization.unwrap_or_default(),
            line.sessions.to_string(),
            moment(&line.last_signed_in),
        ]
    })
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    user: &'a UserLine,
    living: Vec<SessionLine>,
}

async fn show(
    of: &UserSelector,
    access: &AdminAccess,
    output: &mut CommandOutput,
) -> Result<(), AdminError> {
    for user in people::find(access, of).await? {
        let mut living = Vec::new();
        sessions::for_each_page(access, SessionSelector::User(user.user), |page| {
            living.extend(page.iter().map(SessionLine::clone));
            Ok(())
        })
        .await?;
        if output.json {
            output.object(&Shown { user: &user, living })?;
            continue;
        }
        output.facts(&facts(&user))?;
        output.line("")?;
        if living.is_empty() {
            output.line("No session is alive.")?;
        }
        sessions::print(output, &living)?;
        output.end_table();
    }
    Ok(())
}

fn facts(user: &UserLine) -> Vec<(&'static str, String)> {
    let organization = match (&user.organization_name, &user.organization) {
        (Some(name), Some(id)) => format!("{name} ({id})"),
        (_, id) => id.clone().unwrap_or_default(),
    };
    vec![
        ("User", user.user.to_string()),
        ("Email", user.email.clone()),
        ("Name", user.name.clone().unwrap_or_default()),
        ("Organization", organization),
        ("Connection", user.connection.clone().unwrap_or_else(|| "none".to_owned())),
        ("Signed in by", user.method.clone()),
        ("First sign-in", moment(&user.first_signed_in)),
        ("Last sign-in", moment(&user.last_signed_in)),
    ]
}
