//! WorkOS, through its official crate and nothing else. The code exchange is sent exactly once; nothing a
//! provider says travels further than its code. Raw attributes are dropped here.

mod check;
mod lookups;
mod problem;
mod transient;
mod transport;

pub use problem::{UpstreamError, problem_of_redirect};
pub use transient::TransientIds;

use std::sync::Arc;
use std::time::Duration;

use workos::helpers::SsoAuthorizationUrlParams;
use workos::resources::sso::{GetProfileAndTokenParams, ListConnectionsParams};
use workos::{Client, RequestOptions, RequestStrategy};

use crate::admission::{ListedConnection, Selector};
use crate::config::UpstreamSettings;
use crate::domain::{Connection, Organization, Timestamp, UpstreamIdentity};
use crate::keys::SecretText;

/// Longest that a call may take, tries and all.
const PATIENCE: Duration = Duration::from_secs(12);

/// The provider.
pub struct Upstream {
    client: Client,
    wire: Arc<transport::Bounded>,
    transient: TransientIds,
    lookups: lookups::Lookups,
}

/// One opening of the provider's sign-in page.
pub struct Opening<'a> {
    /// Our callback.
    pub redirect_uri: &'a str,
    /// Who is to sign in.
    pub selector: &'a Selector,
    /// An email to fill in.
    pub login_hint: Option<&'a str>,
    /// The sealed branch.
    pub state: &'a str,
    /// S256 of the branch's verifier.
    pub code_challenge: &'a str,
}

impl Upstream {
    /// A client for this account.
    ///
    /// # Errors
    /// The key cannot be sent as a header, or TLS cannot be set up.
    pub fn new(settings: &UpstreamSettings) -> Result<Self, UpstreamError> {
        let wire = Arc::new(transport::Bounded::new()?);
        let client = Client::builder()
            .api_key(settings.api_key.expose())
            .client_id(&settings.client_id)
            .base_url(&settings.base_url)
            .max_retries(0)
            .user_agent(concat!("keyport-companion/", env!("CARGO_PKG_VERSION")))
            .transport(Arc::<transport::Bounded>::clone(&wire))
            .try_build()
            .map_err(|error| UpstreamError::of(&error))?;
        Ok(Self {
            client,
            wire,
            transient: TransientIds::default(),
            lookups: lookups::Lookups::default(),
        })
    }

    /// The upstream issuer: first part of a user's key.
    pub fn issuer(&self) -> &str {
        self.client.base_url()
    }

    /// Where the browser goes. No request is made.
    ///
    /// # Errors
    /// The base address is no address.
    pub fn authorization_url(&self, opening: &Opening<'_>) -> Result<String, UpstreamError> {
        let (mut connection, mut organization, mut provider) = (None, None, None);
        match opening.selector {
            Selector::Connection { id, .. } => connection = Some(id.clone()),
            Selector::Organization(id) => organization = Some(id.clone()),
            Selector::Provider(name) => provider = Some(name.clone()),
        }
        let params = SsoAuthorizationUrlParams {
            redirect_uri: opening.redirect_uri.to_owned(),
            connection,
            organization,
            provider,
            login_hint: opening.login_hint.map(str::to_owned),
            state: Some(opening.state.to_owned()),
            code_challenge: Some(opening.code_challenge.to_owned()),
            code_challenge_method: Some("S256".to_owned()),
            ..SsoAuthorizationUrlParams::default()
        };
        self.client
            .sso_helpers()
            .authorization_url(params)
            .map_err(|error| UpstreamError::of(&error))
    }

    /// Exchanges a code for the profile. Sent once: a second try after a lost answer would burn the sign-in.
    ///
    /// # Errors
    /// What the provider answered, or that it did not.
    pub async fn exchange_code(
        &self,
        code: &SecretText,
        code_verifier: &SecretText,
    ) -> Result<UpstreamIdentity, UpstreamError> {
        let body = workos::models::TokenQuery {
            client_id: self.client.client_id().to_owned(),
            client_secret: self.client.api_key().into(),
            code: Some(code.expose().into()),
            grant_type: workos::enums::TokenQueryGrantType::AuthorizationCode,
            code_verifier: Some(code_verifier.expose().into()),
            subject_token: None,
            subject_token_type: None,
            organization_id: None,
        };
        let options = RequestOptions::new().strategy(RequestStrategy::Once);
        let sso = self.client.sso();
        let answer = sso.get_profile_and_token_with_options(
            GetProfileAndTokenParams::new(body),
            Some(&options),
        );
        let profile = within(answer).await?.profile;
        let organization = profile.organization_id.map(|id| Organization { name: id.clone(), id });
        self.transient.observe(&profile.connection_id, &profile.email, &profile.idp_id);
        Ok(UpstreamIdentity {
            issuer: self.issuer().to_owned(),
            connection: Connection {
                id: profile.connection_id,
                kind: profile.connection_type.as_str().to_owned(),
            },
            idp_id: profile.idp_id,
            email: profile.email,
            name: full_name(profile.name, profile.first_name, profile.last_name),
            organization,
        })
    }

    /// What the organization is called. A failure costs the name, not the sign-in.
    pub async fn name_organization(&self, organization: &mut Organization) {
        let organizations = self.client.organizations();
        match look_up(|| organizations.get_organization(&organization.id)).await {
            Ok(found) => organization.name = found.name,
            Err(error) => {
                tracing::warn!(organization = %organization.id, %error, "the organization has no name");
            }
        }
    }

    /// The connections that serve an email domain.
    ///
    /// # Errors
    /// The provider did not answer as it should.
    pub async fn connections_of_domain(
        &self,
        domain: &str,
        now: Timestamp,
    ) -> Result<Vec<ListedConnection>, UpstreamError> {
        if let Some(listed) = self.lookups.recall(domain, now) {
            return Ok(listed);
        }
        if let Err(spent) = self.spend(now) {
            return self.lookups.recall_old(domain, now).ok_or(spent);
        }
        let sso = self.client.sso();
        let list = look_up(|| {
            sso.list_connections(ListConnectionsParams {
                domain: Some(domain.to_owned()),
                limit: Some(100),
                ..Default::default()
            })
        })
        .await?;
        let serves = |connection: &workos::models::Connection| {
            connection.domains.iter().any(|served| served.domain.eq_ignore_ascii_case(domain))
        };
        let listed: Vec<ListedConnection> =
            list.data.into_iter().filter(serves).map(listed).collect();
        self.lookups.remember(domain, &listed, now);
        Ok(listed)
    }

    fn spend(&self, now: Timestamp) -> Result<(), UpstreamError> {
        if self.lookups.spend(now) {
            return Ok(());
        }
        tracing::warn!("more look-ups for pushed requests than the provider should see");
        Err(UpstreamError::TooMany { retry_after: 1 })
    }

    /// One connection, if there is one.
    ///
    /// # Errors
    /// The provider did not answer as it should.
    pub async fn connection(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<ListedConnection>, UpstreamError> {
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Ok(None);
        }
        self.spend(now)?;
        let sso = self.client.sso();
        match look_up(|| sso.get_connection(id)).await {
            Ok(connection) => Ok(Some(listed(connection))),
            Err(UpstreamError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A question that may be asked again if the provider stumbled. Not after a 429, as the crate would: what it asks us
/// to wait for may be longer than a person waits.
async fn look_up<T, A>(ask: impl Fn() -> A) -> Result<T, UpstreamError>
where
    A: Future<Output = Result<T, workos::Error>>,
{
    within(async {
        match ask().await {
            Err(error) if error.is_server_error() || matches!(error, workos::Error::Network(_)) => {
                ask().await
            }
            answer => answer,
        }
    })
    .await
}

async fn within<T>(
    call: impl Future<Output = Result<T, workos::Error>>,
) -> Result<T, UpstreamError> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answer) => answer.map_err(|error| UpstreamError::of(&error)),
        Err(_) => Err(UpstreamError::Unreachable),
    }
}

fn listed(connection: workos::models::Connection) -> ListedConnection {
    ListedConnection {
        active: connection.state.as_str() == "active",
        id: connection.id,
        organization: connection.organization_id,
    }
}

fn full_name(name: Option<String>, first: Option<String>, last: Option<String>) -> Option<String> {
    let joined = [first, last].into_iter().flatten().collect::<Vec<_>>().join(" ");
    name.or(Some(joined)).filter(|name| !name.trim().is_empty())
}
