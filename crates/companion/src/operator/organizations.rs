//! `organizations …` and `portal-link`.

use super::output::CommandOutput;
use super::{AdminAccess, provider_id};
use crate::admin::{
    AdminError, ListOrganizations, MakePortalLink, OrganizationLine, ShowOrganization,
};

/// `organizations …`
#[derive(Debug, clap::Subcommand)]
pub enum OrganizationsCommand {
    /// The organizations of the account, and which are admitted here.
    List,
    /// One organization.
    Show {
        /// `org_…`
        #[arg(value_parser = provider_id)]
        organization: String,
    },
}

/// A link for the administrator of an organization.
#[derive(Debug, clap::Args)]
pub struct PortalLinkArguments {
    /// Whose administrator (`org_…`).
    #[arg(long, value_name = "ORG", value_parser = provider_id)]
    organization: String,
    /// What is to be done there.
    #[arg(long, value_parser = [
        "sso", "dsync", "audit_logs", "log_streams", "domain_verification",
        "certificate_renewal", "bring_your_own_key",
    ])]
    intent: String,
}

/// Carries the command out.
pub async fn run(
    command: &OrganizationsCommand,
    access: &AdminAccess,
    output: &mut CommandOutput,
) -> Result<(), AdminError> {
    match command {
        OrganizationsCommand::List => list(access, output).await,
        OrganizationsCommand::Show { organization } => {
            let found = access.ask(ShowOrganization { id: organization.clone() }).await?;
            if output.json {
                return output.object(&found);
            }
            output.facts(&[
                ("Organization", found.organization.id.clone()),
                ("Name", found.organization.name.clone()),
                ("Domains", domains(&found)),
                ("Admitted here", admitted(&found)),
                ("External id", found.organization.external_id.unwrap_or_default()),
            ])
        }
    }
}

async fn list(access: &AdminAccess, output: &mut CommandOutput) -> Result<(), AdminError> {
    let (mut after, mut is_empty) = (None, true);
    loop {
        let page = access.ask(ListOrganizations { after }).await?;
        is_empty &= page.items.is_empty();
        output.rows(["ORGANIZATION", "NAME", "ADMITTED", "DOMAINS"], &page.items, |found| {
            let organization = &found.organization;
            [organization.id.clone(), organization.name.clone(), admitted(found), domains(found)]
        })?;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if is_empty && !output.json {
        output.line("There is no organization.")?;
    }
    Ok(())
}

fn admitted(found: &OrganizationLine) -> String {
    if found.is_admitted { "yes" } else { "no" }.to_owned()
}

fn domains(found: &OrganizationLine) -> String {
    let domains = found.organization.domains.iter().map(|(domain, state)| match state {
        Some(state) if state == "verified" => domain.clone(),
        Some(state) => format!("{domain} ({state})"),
        None => domain.clone(),
    });
    domains.collect::<Vec<_>>().join(" ")
}

/// Prints the link, this once.
pub async fn portal_link(
    arguments: &PortalLinkArguments,
    access: &AdminAccess,
    output: &mut CommandOutput,
) -> Result<(), AdminError> {
    let PortalLinkArguments { organization, intent } = arguments;
    let (organization, intent) = (organization.clone(), intent.clone());
    let link = access.ask(MakePortalLink { organization, intent }).await?;
    if output.json {
        return output.object(&link);
    }
    output.line(&link.link)
}
