//! Our account at WorkOS for its operator. Nothing is asked a second time: what changes something
//! may have been done although its answer was lost.

mod convert;
mod error;

use futures_util::future::FutureExt as _;
use workos::models::{CreateConnectionOidcOptions, CreateConnectionSAMLOptions, GenerateLink};
use workos::resources::admin_portal::GenerateLinkParams;
use workos::resources::organizations::ListOrganizationsParams;
use workos::resources::sso::{
    CreateConnectionParams, CreateConnectionParamsBody, CreateProtocolOptions,
    ListConnectionsParams, PatchProtocolOptions, UpdateConnectionParams,
    UpdateConnectionParamsBody,
};
use workos::resources::user_management::ListRedirectUrisParams;
use workos::resources::webhooks::ListWebhookEndpointsParams;

use super::{CALL_TIMEOUT, WorkosSso};
use crate::domain::{SecretText, Timestamp};
use crate::upstream::account::{
    AccountConnection, AccountOrganization, AccountPage, AccountResult, ConnectionSettings,
    ProviderAccount, ProviderAccountError, RegisteredRedirect, RegisteredWebhook,
    SigningCertificate,
};

/// Items of one answer: the most that WorkOS gives.
const PAGE: i64 = 100;
/// Pages of what is registered; more than this is not looked at.
const PAGES: usize = 20;

async fn within<T>(
    call: impl Future<Output = Result<T, workos::Error>>,
) -> Result<T, ProviderAccountError> {
    match tokio::time::timeout(CALL_TIMEOUT, call).await {
        Ok(answer) => answer.map_err(|error| error::account_error(&error)),
        Err(_) => Err(ProviderAccountError::Unreachable),
    }
}

impl WorkosSso {
    async fn all_redirects(&self) -> Result<Vec<RegisteredRedirect>, ProviderAccountError> {
        let (mut all, mut after) = (Vec::new(), None);
        for _ in 0..PAGES {
            let params = ListRedirectUrisParams { after, limit: Some(PAGE), ..Default::default() };
            let page = within(self.client.user_management().list_redirect_uris(params)).await?;
            all.extend(page.data.into_iter().map(convert::redirect));
            after = page.list_metadata.after;
            if after.is_none() {
                break;
            }
        }
        Ok(all)
    }

    async fn all_webhooks(&self) -> Result<Vec<RegisteredWebhook>, ProviderAccountError> {
        let (mut all, mut after) = (Vec::new(), None);
        for _ in 0..PAGES {
            let params =
                ListWebhookEndpointsParams { after, limit: Some(PAGE), ..Default::default() };
            let page = within(self.client.webhooks().list_webhook_endpoints(params)).await?;
            all.extend(page.data.into_iter().map(convert::webhook));
            after = page.list_metadata.after;
            if after.is_none() {
                break;
            }
        }
        Ok(all)
    }

    async fn list_connections(
        &self,
        organization_id: Option<String>,
        after: Option<String>,
    ) -> Result<AccountPage<AccountConnection>, ProviderAccountError> {
        let params = ListConnectionsParams {
            organization_id,
            after,
            limit: Some(PAGE),
            ..Default::default()
        };
        let page = within(self.client.sso().list_connections(params)).await?;
        let items = page.data.into_iter().map(convert::connection).collect();
        Ok(AccountPage { items, next: page.list_metadata.after })
    }

    async fn list_organizations(
        &self,
        after: Option<String>,
    ) -> Result<AccountPage<AccountOrganization>, ProviderAccountError> {
        let params = ListOrganizationsParams { after, limit: Some(PAGE), ..Default::default() };
        let page = within(self.client.organizations().list_organizations(params)).await?;
        let items = page.data.into_iter().map(convert::organization).collect();
        Ok(AccountPage { items, next: page.list_metadata.after })
    }

    async fn create(
        &self,
        organization: String,
        kind: Option<String>,
        settings: ConnectionSettings,
        client_secret: Option<SecretText>,
    ) -> Result<AccountConnection, ProviderAccountError> {
        let options = match settings.discovery_endpoint {
            Some(discovery_endpoint) => CreateProtocolOptions::Oidc {
                oidc_options: CreateConnectionOidcOptions {
                    discovery_endpoint,
                    client_id: settings.client_id.unwrap_or_default(),
                    client_secret: client_secret.as_ref().map(convert::secret),
                    redirect_uri: None,
                    pkce: None,
                    token_authentication_method: None,
                    jwt_signing_key_pair: None,
                    id_token_signature_algorithm: None,
                    fetch_user_info: None,
                },
            },
            None => CreateProtocolOptions::SAML {
                saml_options: CreateConnectionSAMLOptions {
                    idp_metadata_url: settings.metadata_url,
                    ..convert::no_saml_options()
                },
            },
        };
        let mut body = CreateConnectionParamsBody::new(organization, options);
        (body.name, body.connection_type) = (settings.name, kind);
        let sso = self.client.sso();
        let made = within(sso.create_connection(CreateConnectionParams::new(body))).await;
        made.map(convert::connection)
    }

    async fn update(
        &self,
        id: &str,
        settings: ConnectionSettings,
        client_secret: Option<SecretText>,
    ) -> Result<AccountConnection, ProviderAccountError> {
        let mut body = UpdateConnectionParamsBody::new();
        body.name = settings.name;
        let is_oidc = settings.discovery_endpoint.is_some()
            || settings.client_id.is_some()
            || client_secret.is_some();
        body.protocol_options = if is_oidc {
            let mut oidc_options = convert::no_oidc_changes();
            oidc_options.discovery_endpoint = settings.discovery_endpoint;
            oidc_options.client_id = settings.client_id;
            oidc_options.client_secret = client_secret.as_ref().map(convert::secret);
            Some(PatchProtocolOptions::Oidc { oidc_options })
        } else {
            settings.metadata_url.map(|url| {
                let mut saml_options = convert::no_saml_changes();
                saml_options.idp_metadata_url = Some(url);
                PatchProtocolOptions::SAML { saml_options }
            })
        };
        let params = UpdateConnectionParams::new(body);
        let changed = within(self.client.sso().update_connection(id, params)).await;
        changed.map(convert::connection)
    }

    async fn link(
        &self,
        organization: String,
        intent: String,
    ) -> Result<SecretText, ProviderAccountError> {
        let body = GenerateLink {
            return_url: None,
            success_url: None,
            organization,
            external_user_id: None,
            // Any word parses.
            intent: intent.parse().ok(),
            it_contact_emails: None,
        };
        let portal = self.client.admin_portal();
        let made = within(portal.generate_link(GenerateLinkParams::new(body))).await?;
        Ok(convert::link(&made))
    }
}

impl ProviderAccount for WorkosSso {
    fn form_faults(&self) -> Vec<&'static str> {
        let mut faults = Vec::new();
        if !self.client.api_key().starts_with("sk_") {
            faults.push("WORKOS_API_KEY");
        }
        if !self.client.client_id().starts_with("client_") {
            faults.push("WORKOS_CLIENT_ID");
        }
        faults
    }

    fn connections(
        &self,
        organization: Option<String>,
        after: Option<String>,
    ) -> AccountResult<'_, AccountPage<AccountConnection>> {
        self.list_connections(organization, after).boxed()
    }

    fn show_connection<'a>(&'a self, id: &'a str) -> AccountResult<'a, AccountConnection> {
        let sso = self.client.sso();
        async move { within(sso.get_connection(id)).await.map(convert::connection) }.boxed()
    }

    fn create_connection(
        &self,
        organization: String,
        kind: Option<String>,
        settings: ConnectionSettings,
        client_secret: Option<SecretText>,
    ) -> AccountResult<'_, AccountConnection> {
        self.create(organization, kind, settings, client_secret).boxed()
    }

    fn update_connection<'a>(
        &'a self,
        id: &'a str,
        settings: ConnectionSettings,
        client_secret: Option<SecretText>,
    ) -> AccountResult<'a, AccountConnection> {
        self.update(id, settings, client_secret).boxed()
    }

    fn delete_connection<'a>(&'a self, id: &'a str) -> AccountResult<'a, ()> {
        let sso = self.client.sso();
        async move { within(sso.delete_connection(id)).await }.boxed()
    }

    fn certificates<'a>(
        &'a self,
        connection: &'a str,
    ) -> AccountResult<'a, Vec<SigningCertificate>> {
        let sso = self.client.sso();
        async move {
            let listed = within(sso.list_connection_saml_idp_signing_certs(connection)).await?;
            Ok(listed.data.into_iter().map(convert::certificate).collect())
        }
        .boxed()
    }

    fn organizations(
        &self,
        after: Option<String>,
    ) -> AccountResult<'_, AccountPage<AccountOrganization>> {
        self.list_organizations(after).boxed()
    }

    fn show_organization<'a>(&'a self, id: &'a str) -> AccountResult<'a, AccountOrganization> {
        let organizations = self.client.organizations();
        async move { within(organizations.get_organization(id)).await.map(convert::organization) }
            .boxed()
    }

    fn portal_link(&self, organization: String, intent: String) -> AccountResult<'_, SecretText> {
        self.link(organization, intent).boxed()
    }

    fn redirects(&self) -> AccountResult<'_, Vec<RegisteredRedirect>> {
        self.all_redirects().boxed()
    }

    fn webhooks(&self) -> AccountResult<'_, Vec<RegisteredWebhook>> {
        self.all_webhooks().boxed()
    }

    fn latest_time(&self) -> Option<Timestamp> {
        self.wire.latest_time()
    }
}
