//! What is looked at of the admitted organizations: that they exist, that people can sign in, and
//! for how long the certificates of their connections are valid.

use super::{CheckLine, CheckSubject};
use crate::admin::instant::read_instant;
use crate::admin::provider::explain;
use crate::admission::AllowedOrganizations;
use crate::domain::Timestamp;
use crate::upstream::{
    AccountConnection, ProviderAccount, ProviderAccountError, SigningCertificate,
};

/// A certificate that ends earlier is said: whoever renews it needs some weeks.
const SOON: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 3600);
/// Pages of connections that are looked at for one organization.
const PAGES: usize = 10;

pub(super) async fn lines(
    subject: &CheckSubject<'_>,
    account: &dyn ProviderAccount,
) -> Vec<CheckLine> {
    let policy = subject.policy;
    let ids = match &policy.organizations {
        AllowedOrganizations::Every => {
            return vec![CheckLine::not_knowable(
                "organizations",
                "KEYPORT_ORGANIZATIONS admits every one: `connections list` shows which can sign \
                 in",
            )];
        }
        AllowedOrganizations::These(ids) => ids,
    };
    if ids.is_empty() {
        return vec![if policy.providers.is_empty() {
            CheckLine::wrong(
                "organizations",
                "no person may sign in: name organizations in KEYPORT_ORGANIZATIONS",
            )
        } else {
            CheckLine::ok("organizations", "none; people enter by KEYPORT_PROVIDERS")
        }];
    }
    let mut lines = Vec::new();
    for id in ids {
        lines.extend(organization(subject, account, id).await);
    }
    lines
}

async fn organization(
    subject: &CheckSubject<'_>,
    account: &dyn ProviderAccount,
    id: &str,
) -> Vec<CheckLine> {
    let name = format!("organization {id}");
    let found = match account.show_organization(id).await {
        Ok(found) => found,
        Err(ProviderAccountError::NotFound) => {
            return vec![CheckLine::wrong(
                name,
                "the provider has none of this id: correct KEYPORT_ORGANIZATIONS, or take the API \
                 key of its environment",
            )];
        }
        Err(error) => {
            return vec![CheckLine::not_knowable(&name, explain(&error, &name).sentence)];
        }
    };
    let connections = match connections(account, id).await {
        Ok(connections) => connections,
        Err(error) => {
            return vec![CheckLine::not_knowable(&name, explain(&error, &name).sentence)];
        }
    };
    let active: Vec<_> = connections.iter().filter(|one| one.state == "active").collect();
    let Some(first) = active.first() else {
        let detail = if subject.policy.providers.is_empty() {
            "no connection of it is active: set one up with `portal-link`, or in the dashboard"
        } else {
            "no connection of it is active: its people enter by KEYPORT_PROVIDERS alone"
        };
        return vec![if subject.policy.providers.is_empty() {
            CheckLine::wrong(name, detail)
        } else {
            CheckLine::ok(name, detail)
        }];
    };
    let mut lines =
        vec![CheckLine::ok(name, format!("{} signs in through {}", found.name, first.id))];
    for connection in active.into_iter().filter(|one| one.kind.ends_with("SAML")) {
        lines.push(certificates(subject.now, account, connection).await);
    }
    lines
}

async fn connections(
    account: &dyn ProviderAccount,
    organization: &str,
) -> Result<Vec<AccountConnection>, ProviderAccountError> {
    let (mut all, mut after) = (Vec::new(), None);
    for _ in 0..PAGES {
        let page = account.connections(Some(organization.to_owned()), after).await?;
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(all)
}

async fn certificates(
    now: Timestamp,
    account: &dyn ProviderAccount,
    connection: &AccountConnection,
) -> CheckLine {
    let name = format!("certificates of {}", connection.id);
    match account.certificates(&connection.id).await {
        Ok(listed) => judge(now, name, &listed),
        Err(error) => CheckLine::not_knowable(name, super::unlisted(&error)),
    }
}

/// The one that ends last counts: the identity provider signs with any of them.
fn judge(now: Timestamp, name: String, listed: &[SigningCertificate]) -> CheckLine {
    let ends = listed.iter().filter_map(|one| one.not_after.as_deref());
    let Some((end, text)) = ends.filter_map(|text| Some((read_instant(text)?, text))).max() else {
        return CheckLine::not_knowable(name, "the provider does not say when one ends");
    };
    let date = text.get(..10).unwrap_or(text);
    let renew = "let its administrator bring a new one: `portal-link --intent certificate_renewal`";
    if now.has_reached(end) {
        return CheckLine::wrong(name, format!("the last one ended on {date}: {renew}"));
    }
    if now.plus(SOON).has_reached(end) {
        return CheckLine::wrong(name, format!("the last one ends on {date}: {renew}"));
    }
    CheckLine::ok(name, format!("valid until {date}"))
}
