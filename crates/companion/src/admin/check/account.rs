//! What is looked at of the public address and of the account at the provider.

use super::{CheckLine, CheckSubject};
use crate::domain::Timestamp;
use crate::upstream::{AccountCheck, ProviderAccount, RegisteredRedirect};

/// The furthest that our clock and the provider's may differ, in seconds: signed events are refused
/// beyond three minutes.
const CLOCK: u64 = 60;

type Lines = Vec<CheckLine>;

pub(super) async fn lines(subject: &CheckSubject<'_>) -> Lines {
    let mut lines = vec![public_address(subject.issuer)];
    let Some(account) = subject.upstream.account() else {
        lines.push(CheckLine::not_knowable("account", "this provider has no API for it"));
        return lines;
    };
    let faults = account.form_faults();
    for name in &faults {
        let form = match *name {
            "WORKOS_API_KEY" => "sk_",
            _ => "client_",
        };
        lines.push(CheckLine::wrong(
            *name,
            format!("it does not begin with {form}: copy it from the provider's dashboard again"),
        ));
    }
    let credentials = credentials(subject).await;
    let is_accepted = credentials.verdict == super::CheckVerdict::Ok;
    // A key of a wrong form is refused too: that is one fault.
    if faults.is_empty() || is_accepted {
        lines.push(credentials);
    }
    if !is_accepted {
        let why = "the provider answers once it can be reached and accepts the API key";
        let rest = ["redirect URI", "default redirect URI", "webhook endpoint", "clock"];
        lines.extend(rest.map(|subject| CheckLine::not_knowable(subject, why)));
        lines.push(CheckLine::not_knowable("organizations", why));
        return lines;
    }
    lines.extend(redirects(subject, account).await);
    lines.push(webhook(subject, account).await);
    lines.push(clock(subject.now, account.latest_time()));
    lines.extend(super::organizations::lines(subject, account).await);
    lines
}

fn public_address(issuer: &str) -> CheckLine {
    if issuer.starts_with("https://") {
        return CheckLine::ok("public address", issuer);
    }
    CheckLine::wrong(
        "public address",
        format!("{issuer} is not https: set KEYPORT_PUBLIC_URL to the address that people reach"),
    )
}

async fn credentials(subject: &CheckSubject<'_>) -> CheckLine {
    let name = "API key and client id";
    match subject.upstream.check_credentials().await {
        AccountCheck::Accepted => CheckLine::ok(name, "they belong together and are accepted"),
        AccountCheck::Refused(sentence) => CheckLine::wrong(name, sentence),
        AccountCheck::Unknown(error) => CheckLine::wrong(
            name,
            format!("{error}: look at the network and at WORKOS_BASE_URL, and check again"),
        ),
    }
}

/// By the list that is registered, or, where the provider gives none, by where a sign-in without a
/// selector comes back.
async fn redirects(subject: &CheckSubject<'_>, account: &dyn ProviderAccount) -> Lines {
    let (ours, default) = ("redirect URI", "default redirect URI");
    let callback = format!("{}/callback", subject.issuer);
    let register = format!("register {callback} among the redirect URIs in the dashboard");
    match account.redirects().await {
        Ok(registered) => {
            let is_registered = registered.iter().any(|redirect| allows(redirect, &callback));
            let has_default = registered.iter().any(|redirect| redirect.is_default);
            vec![
                if is_registered {
                    CheckLine::ok(ours, format!("{callback} is registered"))
                } else {
                    CheckLine::wrong(ours, register)
                },
                if has_default {
                    CheckLine::ok(default, "there is one")
                } else {
                    CheckLine::wrong(
                        default,
                        format!("there is none: make {callback} the default in the dashboard"),
                    )
                },
            ]
        }
        Err(error) => {
            let unknown = CheckLine::not_knowable(default, super::unlisted(&error));
            let line = match subject.upstream.check_redirect_uri(&callback).await {
                AccountCheck::Accepted => {
                    CheckLine::ok(ours, format!("a sign-in comes back to {callback}"))
                }
                AccountCheck::Refused(_) => CheckLine::wrong(ours, register),
                AccountCheck::Unknown(error) => CheckLine::not_knowable(ours, error.to_string()),
            };
            vec![line, unknown]
        }
    }
}

/// Exactly, or with wildcards: `*` stands for a port, or for a part of a host name.
fn allows(registered: &RegisteredRedirect, callback: &str) -> bool {
    let Some((before, after)) = registered.uri.split_once('*') else {
        return registered.uri == callback;
    };
    let rest = callback.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    rest.is_some_and(|part| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_in_host = before.matches('/').count() == 2;
        is_in_host && !part.is_empty() && part.bytes().all(is_plain)
    })
}

async fn webhook(subject: &CheckSubject<'_>, account: &dyn ProviderAccount) -> CheckLine {
    let name = "webhook endpoint";
    let ours = format!("{}/webhooks/workos", subject.issuer);
    match account.webhooks().await {
        Err(error) => CheckLine::not_knowable(name, super::unlisted(&error)),
        Ok(registered) => match registered.iter().find(|endpoint| endpoint.url == ours) {
            Some(endpoint) if endpoint.is_enabled => {
                CheckLine::ok(name, format!("{ours} is registered"))
            }
            Some(_) => CheckLine::wrong(
                name,
                format!("{ours} is registered and switched off: enable it in the dashboard"),
            ),
            None => CheckLine::ok(name, "none is registered"),
        },
    }
}

fn clock(now: Timestamp, provider: Option<Timestamp>) -> CheckLine {
    let Some(provider) = provider else {
        return CheckLine::not_knowable("clock", "the provider does not say what time it is");
    };
    let difference = now.seconds().abs_diff(provider.seconds());
    if difference <= CLOCK {
        return CheckLine::ok("clock", format!("{difference} s beside the provider's"));
    }
    CheckLine::wrong(
        "clock",
        format!("{difference} s beside the provider's: set the clock of this machine by NTP"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_a_port_or_a_part_of_a_name() {
        let callback = "https://a.acme.test/callback";
        for (uri, allowed) in [
            (callback, true),
            ("https://*.acme.test/callback", true),
            ("https://a.acme.test/callback2", false),
            ("https://*/callback", false),
            ("https://*.test/callback", false),
            ("https://a.acme.test/*", false),
        ] {
            let registered = RegisteredRedirect { uri: uri.to_owned(), is_default: false };
            assert_eq!(allows(&registered, callback), allowed, "{uri}");
        }
    }
}
