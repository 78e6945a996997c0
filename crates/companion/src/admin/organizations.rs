//! Organizations of the account at the provider, and links for their administrators.

use serde::{Deserialize, Serialize};

use super::provider::explain;
use super::{AdminError, Administration, Request};
use crate::upstream::{AccountOrganization, AccountPage};

/// An organization, and whether its people may sign in here.
#[derive(Debug, Serialize, Deserialize)]
pub struct OrganizationLine {
    /// As the provider has it.
    #[serde(flatten)]
    pub organization: AccountOrganization,
    /// Whether the rules admit it.
    pub is_admitted: bool,
}

impl Administration {
    fn line(&self, organization: AccountOrganization) -> OrganizationLine {
        let is_admitted = self.app.policy.now().organizations.allows(&organization.id);
        OrganizationLine { organization, is_admitted }
    }
}

/// The organizations, a page of them.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListOrganizations {
    /// Where the page begins.
    pub after: Option<String>,
}

impl Request for ListOrganizations {
    const PATH: &'static str = "/organizations/list";
    type Answer = AccountPage<OrganizationLine>;

    async fn carry_out(self, administration: &Administration) -> Result<Self::Answer, AdminError> {
        let listed = administration.account()?.organizations(self.after).await;
        let listed = listed.map_err(|error| explain(&error, "list of organizations"))?;
        let items = listed.items.into_iter().map(|found| administration.line(found)).collect();
        Ok(AccountPage { items, next: listed.next })
    }
}

/// One organization.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShowOrganization {
    /// `org_…`
    pub id: String,
}

impl Request for ShowOrganization {
    const PATH: &'static str = "/organizations/show";
    type Answer = OrganizationLine;

    async fn carry_out(self, administration: &Administration) -> Result<Self::Answer, AdminError> {
        let found = administration.account()?.show_organization(&self.id).await;
        let found = found.map_err(|error| explain(&error, &format!("organization {}", self.id)))?;
        Ok(administration.line(found))
    }
}

/// A link to the provider's pages for the administrator of an organization.
#[derive(Debug, Serialize, Deserialize)]
pub struct MakePortalLink {
    /// `org_…`
    pub organization: String,
    /// What the administrator is to do there; the provider's word.
    pub intent: String,
}

/// The link, this once: whoever has it acts for the organization.
#[derive(Serialize, Deserialize)]
pub struct PortalLink {
    /// The address.
    pub link: String,
}

impl Request for MakePortalLink {
    const PATH: &'static str = "/portal-link";
    type Answer = PortalLink;

    async fn carry_out(self, administration: &Administration) -> Result<Self::Answer, AdminError> {
        let Self { organization, intent } = self;
        let made =
            administration.account()?.portal_link(organization.clone(), intent.clone()).await;
        let link =
            made.map_err(|error| explain(&error, &format!("organization {organization}")))?;
        tracing::info!(organization, intent, "the operator has made a portal link");
        Ok(PortalLink { link: link.expose().to_owned() })
    }
}
