//! What the ids and names of WorkOS look like, as far as settings and profiles are judged by it.

use crate::config::IdRules;

/// The rules for the ids and names in settings.
pub const IDS: IdRules = IdRules {
    is_organization: is_organization_id,
    organization_fault: "which is no WorkOS organization id: they begin with org_",
    is_provider: is_social_provider,
    provider_fault: "which is no social provider of WorkOS; they are written as in GoogleOAuth or \
                     MicrosoftOAuth",
};

/// `org_` and letters, digits or `_`.
fn is_organization_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.strip_prefix("org_").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(plain))
}

/// Whether WorkOS knows a social provider of this name, as far as its crate lists them.
fn is_social_provider(name: &str) -> bool {
    let provider = name.parse::<workos::enums::SSOProvider>();
    provider.is_ok_and(|known| !matches!(known, workos::enums::SSOProvider::Unknown(_)))
}

/// Whether a connection type is a social provider's: they end so (`GoogleOAuth`, `GitHubOAuth` …),
/// and one that the crate does not list yet does too.
pub(super) fn is_social(connection_type: &str) -> bool {
    connection_type.ends_with("OAuth")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_id_has_its_prefix_and_plain_characters() {
        assert!(
            is_organization_id("org_1") && is_organization_id("org_01EHWNCE74X7JSDV0X3SZ3KJNY")
        );
        for bad in ["acme", "org_", "org_1;drop", "Org_1", "ORG_1", "*", ""] {
            assert!(!is_organization_id(bad), "{bad}");
        }
    }

    #[test]
    fn a_provider_is_one_that_workos_lists() {
        for good in ["GoogleOAuth", "MicrosoftOAuth", "GitHubOAuth"] {
            assert!(is_social_provider(good) && is_social(good), "{good}");
        }
        for bad in ["google", "GoogleOauth", "authkit", "OktaSAML", "*", ""] {
            assert!(!is_social_provider(bad) && !is_social(bad), "{bad}");
        }
    }
}
