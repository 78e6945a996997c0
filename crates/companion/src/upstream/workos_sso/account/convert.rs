//! The shapes of the WorkOS crate as ours.

use workos::SecretString;
use workos::models::{
    Connection, CreateConnectionSAMLOptions, Organization, PatchConnectionOidcOptions,
    PatchConnectionSAMLOptions, PortalLinkResponse, RedirectUri, SAMLIdpSigningCertificate,
    WebhookEndpoint,
};

use crate::domain::SecretText;
use crate::upstream::account::{
    AccountConnection, AccountOrganization, RegisteredRedirect, RegisteredWebhook,
    SigningCertificate,
};

pub(super) fn connection(found: Connection) -> AccountConnection {
    AccountConnection {
        id: found.id,
        name: found.name,
        kind: found.connection_type.as_str().to_owned(),
        state: found.state.as_str().to_owned(),
        organization: found.organization_id,
        domains: found.domains.into_iter().map(|domain| domain.domain).collect(),
        created_at: found.created_at,
        updated_at: found.updated_at,
    }
}

pub(super) fn organization(found: Organization) -> AccountOrganization {
    let domains = found.domains.into_iter();
    AccountOrganization {
        id: found.id,
        name: found.name,
        domains: domains
            .map(|domain| (domain.domain, domain.state.map(|state| state.as_str().to_owned())))
            .collect(),
        external_id: found.external_id,
    }
}

pub(super) fn certificate(found: SAMLIdpSigningCertificate) -> SigningCertificate {
    SigningCertificate { id: found.id, not_before: found.not_before, not_after: found.not_after }
}

pub(super) fn redirect(found: RedirectUri) -> RegisteredRedirect {
    RegisteredRedirect { uri: found.uri, is_default: found.default }
}

/// Its secret goes no further.
pub(super) fn webhook(found: WebhookEndpoint) -> RegisteredWebhook {
    let is_enabled = found.status.as_str() == "enabled";
    RegisteredWebhook { url: found.endpoint_url, is_enabled }
}

pub(super) fn link(made: &PortalLinkResponse) -> SecretText {
    SecretText::new(made.link.expose())
}

pub(super) fn secret(given: &SecretText) -> SecretString {
    SecretString::new(given.expose())
}

pub(super) fn no_saml_options() -> CreateConnectionSAMLOptions {
    CreateConnectionSAMLOptions {
        idp_metadata_url: None,
        acs_url: None,
        sp_entity_id: None,
        idp_entity_id: None,
        idp_sso_url: None,
        idp_signing_certs: None,
        sp_signing_key_pair: None,
        sp_encryption_key_pairs: None,
    }
}

pub(super) fn no_saml_changes() -> PatchConnectionSAMLOptions {
    PatchConnectionSAMLOptions {
        idp_metadata_url: None,
        acs_url: None,
        sp_entity_id: None,
        idp_entity_id: None,
        idp_sso_url: None,
    }
}

pub(super) fn no_oidc_changes() -> PatchConnectionOidcOptions {
    PatchConnectionOidcOptions {
        discovery_endpoint: None,
        client_id: None,
        client_secret: None,
        redirect_uri: None,
        pkce: None,
        token_authentication_method: None,
        id_token_signature_algorithm: None,
        fetch_user_info: None,
    }
}
