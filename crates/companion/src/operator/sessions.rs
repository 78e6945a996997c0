//! `sessions list` and `sessions revoke`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::confirm::{confirm, say};
use super::output::{CommandOutput, counted, moment, shown};
use super::{AdminAccess, people};
use crate::admin::{AdminError, EndSessions, ListSessions, SessionLine};
use crate::domain::{SessionId, SessionSelector, Thumbprint, UserId};
use crate::storage::UserSelector;

/// People who are named before something happens to them; the rest is counted.
const NAMED: usize = 20;

/// `sessions …`
#[derive(Debug, clap::Subcommand)]
pub enum SessionsCommand {
    /// Who is signed in where.
    List(Whose),
    /// End sessions: at once for whatever asks this service, within 5 minutes for access tokens
    /// that are out. Who is still admitted can sign in again.
    Revoke {
        #[command(flatten)]
        whose: Whose,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// Whose sessions; without any, all.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub struct Whose {
    /// People, by id or email.
    #[arg(long, value_name = "ID|EMAIL", num_args = 1.., value_parser = people::selector)]
    user: Vec<UserSelector>,
    /// The people of an organization (`org_…`).
    #[arg(long, value_name = "ORG")]
    organization: Option<String>,
    /// One device: the thumbprint of its key, `device` in `--json`.
    #[arg(long, value_name = "THUMBPRINT")]
    device: Option<Thumbprint>,
    /// The people of a connection (`conn_…`).
    #[arg(long, value_name = "CONN")]
    connection: Option<String>,
    /// One session (`session_…`).
    #[arg(long, value_name = "SESSION")]
    session: Option<SessionId>,
    /// Every session.
    #[arg(long)]
    all: bool,
}

impl Whose {
    /// Empty where none is meant; several only for several people.
    async fn selectors(&self, access: &AdminAccess) -> Result<Vec<SessionSelector>, AdminError> {
        if !self.user.is_empty() {
            let mut of = Vec::new();
            for person in &self.user {
                let found = people::find(access, person).await?;
                of.extend(found.into_iter().map(|user| SessionSelector::User(user.user)));
            }
            of.dedup();
            return Ok(of);
        }
        let one = self.organization.clone().map(SessionSelector::Organization);
        let one = one.or(self.connection.clone().map(SessionSelector::Connection));
        let one = one.or(self.device.map(SessionSelector::DeviceKey));
        let one = one.or(self.session.map(SessionSelector::Session));
        Ok(one.or(self.all.then_some(SessionSelector::All)).into_iter().collect())
    }
}

/// Carries the command out.
pub async fn run(
    command: &SessionsCommand,
    access: &AdminAccess,
    output: &mut CommandOutput,
) -> Result<(), AdminError> {
    match command {
        SessionsCommand::List(whose) => list(whose, access, output).await,
        SessionsCommand::Revoke { whose, yes } => revoke(whose, *yes, access, output).await,
    }
}

async fn list(
    whose: &Whose,
    access: &AdminAccess,
    output: &mut CommandOutput,
) -> Result<(), AdminError> {
    let mut selectors = whose.selectors(access).await?;
    if selectors.is_empty() {
        selectors.push(SessionSelector::All);
    }
    let mut count = 0;
    for of in selectors {
        for_each_page(access, of, |sessions| {
            count += sessions.len();
            print(output, sessions)
        })
        .await?;
    }
    if count == 0 && !output.json {
        output.line("No session is alive there.")?;
    }
    Ok(())
}

/// Prints sessions as rows.
pub fn print(output: &mut CommandOutput, sessions: &[SessionLine]) -> Result<(), AdminError> {
    let header = ["SESSION", "PERSON", "DEVICE", "APP", "SIGNED IN", "LAST USED", "FROM"];
    output.rows(header, sessions, |line| {
        [
            line.session.to_string(),
            line.email.clone(),
            line.device_name.clone().unwrap_or_default(),
            line.client_id.clone(),
            moment(&line.signed_in),
            moment(&line.last_used),
            line.last_address.map(|address| address.to_string()).unwrap_or_default(),
        ]
    })
}

/// Calls `each` with page after page.
pub async fn for_each_page(
    access: &AdminAccess,
    of: SessionSelector,
    mut each: impl FnMut(&[SessionLine]) -> Result<(), AdminError>,
) -> Result<(), AdminError> {
    let mut after = None;
    loop {
        let page = access.ask(ListSessions { of: of.clone(), after }).await?;
        each(&page.sessions)?;
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// How many sessions there are, and of whom.
#[derive(Debug, Default)]
pub struct Concerned {
    /// Sessions.
    pub sessions: usize,
    /// The email of each person.
    pub people: BTreeMap<UserId, String>,
}

impl Concerned {
    /// Counts the sessions of a selector.
    ///
    /// # Errors
    /// Service or database do not answer.
    pub async fn of(access: &AdminAccess, of: &[SessionSelector]) -> Result<Self, AdminError> {
        let mut concerned = Self::default();
        for of in of {
            for_each_page(access, of.clone(), |sessions| {
                concerned.sessions += sessions.len();
                for line in sessions {
                    concerned.people.entry(line.user).or_insert_with(|| line.email.clone());
                }
                Ok(())
            })
            .await?;
        }
        Ok(concerned)
    }

    /// The people by email, in order.
    pub fn emails(&self) -> Vec<&str> {
        let mut emails: Vec<&str> = self.people.values().map(String::as_str).collect();
        emails.sort_unstable();
        emails
    }

    /// The people, one a line, up to a number that can be read.
    pub fn names(&self) -> String {
        let emails = self.emails();
        let mut names: Vec<String> =
            emails.iter().take(NAMED).map(|email| format!("  {}\n", shown(email))).collect();
        if emails.len() > NAMED {
            names.push(format!("  and {} more\n", emails.len() - NAMED));
        }
        names.concat()
    }

    /// `3 sessions of 2 people`.
    pub fn in_words(&self) -> String {
        let people = counted(self.people.len(), "person", "people");
        format!("{} of {people}", counted(self.sessions, "session", "sessions"))
    }
}

#[derive(Serialize)]
struct Revoked<'a> {
    ended: usize,
    people: Vec<&'a str>,
}

async fn revoke(
    whose: &Whose,
    yes: bool,
    access: &AdminAccess,
    output: &mut CommandOutput,
) -> Result<(), AdminError> {
    let selectors = whose.selectors(access).await?;
    if selectors.is_empty() {
        return Err(AdminError::usage(
            "say whose sessions: --user, --organization, --device, --connection, --session or \
             --all",
        ));
    }
    let concerned = Concerned::of(access, &selectors).await?;
    if let (Some(session), 0) = (whose.session, concerned.sessions) {
        return Err(AdminError::not_found(format!("{session} is not alive")));
    }
    if !output.json {
        say(&format!("{}\n{}", concerned.in_words(), concerned.names()));
    }
    if whose.all || concerned.people.len() > 1 {
        confirm(&format!("End {}?", concerned.in_words()), yes).await?;
    }
    let mut ended = 0;
    for of in selectors {
        loop {
            let some = access.ask(EndSessions { of: of.clone() }).await?;
            ended += some.ended;
            if !some.may_be_more {
                break;
            }
        }
    }
    if output.json {
        return output.object(&Revoked { ended, people: concerned.emails() });
    }
    output.line(&format!("{} ended.", counted(ended, "session", "sessions")))
}
