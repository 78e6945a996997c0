//! The endpoints that there are, one line each: the router is built from them, faults are ordered
//! by their names, and `SUPPORTED.md` is printed from them.

use std::fmt::Write as _;

use axum::Router;
use axum::routing::{MethodRouter, delete, get, patch, post, put};

use super::user_management::{
    self, authenticate, authorize as authkit_authorize, factors, hosted, leaving, memberships,
    sessions, users,
};
use super::{
    authorize, connections, directories, events, idp_initiated, links, organizations, profile,
    token,
};
use super::{webhook_endpoints, writing};
use crate::emulator::Emulator;

/// How well an endpoint is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Path, parameters and answers as WorkOS documents them or its SDKs send and read them.
    Documented,
    /// The path is known; some of what it answers is not.
    Guessed,
    /// A page or a call that WorkOS has at another place, or not at all.
    Own,
}

/// One method of one path.
pub struct Endpoint {
    method: &'static str,
    path: &'static str,
    support: Support,
    note: &'static str,
    handler: MethodRouter<Emulator>,
}

impl Endpoint {
    /// As faults name it: `POST /sso/token`.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

pub fn router() -> Router<Emulator> {
    endpoints().into_iter().fold(Router::new(), |router, it| router.route(it.path, it.handler))
}

/// Every endpoint that counts its calls and takes faults.
pub fn names() -> Vec<String> {
    endpoints().iter().map(Endpoint::name).collect()
}

/// All of them, in the order in which they are printed.
pub fn endpoints() -> Vec<Endpoint> {
    [
        sso(),
        connections_and_organizations(),
        events_and_directories(),
        authkit(),
        users_and_sessions(),
        memberships_and_leaving(),
        second_factors(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What the SDKs have and the emulator has not.
const ABSENT: &[&str] = &[
    "`POST /user_management/authorize/device` and its grant",
    "`/user_management/magic_auth`, `password_reset`, `invitations`, and their grants",
    "creating and updating `/user_management/users` and `organization_memberships`",
    "`/user_management/cors_origins`, `jwt_template`, identities",
    "the grants and challenges of Radar",
    "`/api_keys`, `/authorization`, `/audit_logs`, `/feature_flags`, `/groups`, `/pipes`, `/vault`",
];

/// The text of `SUPPORTED.md`: every endpoint, and how well it is known.
#[must_use]
pub fn supported() -> String {
    let mut page = "# What of WorkOS the emulator answers\n\n\
        Printed from `src/http/table.rs`, from which the router is built.\n\n\
        | endpoint | support | note |\n|---|---|---|\n"
        .to_owned();
    for endpoint in endpoints() {
        let support = match endpoint.support {
            Support::Documented => "as documented",
            Support::Guessed => "guessed",
            Support::Own => "the emulator's own",
        };
        let _ = writeln!(page, "| `{}` | {support} | {} |", endpoint.name(), endpoint.note);
    }
    page.push_str("\nAbsent:\n\n");
    for absent in ABSENT {
        let _ = writeln!(page, "- {absent}");
    }
    page
}

fn line(
    name: &'static str,
    support: Support,
    note: &'static str,
    handler: MethodRouter<Emulator>,
) -> Endpoint {
    let (method, path) = name.split_once(' ').unwrap_or(("GET", name));
    Endpoint { method, path, support, note, handler }
}

use Support::{Documented, Guessed, Own};

fn sso() -> Vec<Endpoint> {
    vec![
        line("GET /sso/authorize", Documented, "", get(authorize::show)),
        line("POST /sso/authorize", Own, "the form of the sign-in page", post(authorize::submit)),
        line("POST /sso/token", Documented, "form and JSON", post(token::exchange)),
        line("GET /sso/profile", Documented, "", get(profile::show)),
        line("GET /sso/jwks/{client_id}", Documented, "", get(user_management::jwks)),
        line(
            "POST /sso/logout/authorize",
            Documented,
            "GenericOIDC connections only",
            post(links::authorize_logout),
        ),
        line("GET /sso/logout", Guessed, "on to the default sign-out redirect", get(links::logout)),
        line("GET /idp-initiated", Own, "a tile of the provider's", get(idp_initiated::show)),
        line("POST /idp-initiated", Own, "its form", post(idp_initiated::submit)),
    ]
}

fn connections_and_organizations() -> Vec<Endpoint> {
    vec![
        line("GET /connections", Documented, "", get(connections::list)),
        line("GET /connections/{id}", Documented, "", get(connections::show)),
        line("DELETE /connections/{id}", Documented, "204", delete(connections::delete)),
        line("GET /organizations/{id}", Documented, "", get(organizations::show)),
        line(
            "POST /connections",
            Guessed,
            "active with `saml_options` or `oidc_options`, which are not looked at",
            post(writing::create_connection),
        ),
        line(
            "PATCH /connections/{id}",
            Guessed,
            "name and type",
            patch(writing::update_connection),
        ),
        line("POST /organizations", Documented, "", post(writing::create_organization)),
        line("PUT /organizations/{id}", Documented, "", put(writing::update_organization)),
        line("GET /organizations", Documented, "filter `domains`", get(organizations::list)),
        line(
            "POST /portal/generate_link",
            Documented,
            "the link leads to a page of the emulator",
            post(links::generate_portal_link),
        ),
        line("GET /portal", Own, "stands in for the admin portal", get(links::portal)),
        line("DELETE /organizations/{id}", Documented, "202", delete(organizations::delete)),
    ]
}

fn events_and_directories() -> Vec<Endpoint> {
    vec![
        line("GET /events", Documented, "", get(events::list)),
        line("GET /webhook_endpoints", Documented, "", get(webhook_endpoints::list)),
        line("POST /webhook_endpoints", Documented, "", post(webhook_endpoints::create)),
        line("DELETE /webhook_endpoints/{id}", Documented, "", delete(webhook_endpoints::delete)),
        line("GET /directories", Documented, "", get(directories::list)),
        line("GET /directories/{id}", Documented, "", get(directories::show)),
        line("DELETE /directories/{id}", Documented, "202", delete(directories::delete)),
        line("GET /directory_users", Documented, "", get(directories::users)),
        line("GET /directory_users/{id}", Documented, "", get(directories::user)),
        line("GET /directory_groups", Guessed, "one page", get(directories::groups)),
    ]
}

fn authkit() -> Vec<Endpoint> {
    let page = "the hosted page";
    let provider = "the page of an identity provider";
    vec![
        line(
            "GET /user_management/authorize",
            Documented,
            "on to one of the two pages below",
            get(authkit_authorize::authorize),
        ),
        line("GET /authkit/sign-in", Own, page, get(hosted::show)),
        line("POST /authkit/sign-in", Own, page, post(hosted::submit)),
        line(
            "GET /identity-provider/authkit",
            Own,
            provider,
            get(authkit_authorize::show_provider),
        ),
        line(
            "POST /identity-provider/authkit",
            Own,
            provider,
            post(authkit_authorize::submit_provider),
        ),
        line(
            "POST /user_management/authenticate",
            Documented,
            "grants: code, refresh, password, email verification, TOTP, organization selection",
            post(authenticate::authenticate),
        ),
    ]
}

fn users_and_sessions() -> Vec<Endpoint> {
    vec![
        line(
            "GET /user_management/redirect_uris",
            Documented,
            "with the default one",
            get(links::redirect_uris),
        ),
        line("GET /user_management/users", Documented, "", get(users::list)),
        line("GET /user_management/users/{id}", Documented, "", get(users::show)),
        line("GET /user_management/users/{id}/sessions", Documented, "", get(sessions::list)),
        line(
            "GET /user_management/email_verification/{id}",
            Documented,
            "with the code",
            get(users::show_verification),
        ),
        line(
            "GET /user_management/organization_memberships",
            Documented,
            "",
            get(memberships::list),
        ),
        line(
            "GET /user_management/organization_memberships/{id}",
            Documented,
            "",
            get(memberships::show),
        ),
        line("POST /user_management/sessions/revoke", Documented, "", post(sessions::revoke)),
        line(
            "GET /user_management/sessions/logout",
            Guessed,
            "an unknown session redirects too",
            get(sessions::logout),
        ),
    ]
}

fn memberships_and_leaving() -> Vec<Endpoint> {
    vec![
        line("DELETE /user_management/users/{id}", Documented, "", delete(leaving::delete_user)),
        line(
            "DELETE /user_management/organization_memberships/{id}",
            Documented,
            "",
            delete(leaving::delete_membership),
        ),
        line(
            "PUT /user_management/organization_memberships/{id}/deactivate",
            Documented,
            "",
            put(leaving::deactivate),
        ),
        line(
            "PUT /user_management/organization_memberships/{id}/reactivate",
            Documented,
            "",
            put(leaving::reactivate),
        ),
    ]
}

fn second_factors() -> Vec<Endpoint> {
    vec![
        line(
            "GET /user_management/users/{id}/auth_factors",
            Documented,
            "confirmed ones",
            get(factors::list_of_user),
        ),
        line(
            "POST /user_management/users/{id}/auth_factors",
            Documented,
            "TOTP only",
            post(factors::enroll_for_user),
        ),
        line("POST /auth/factors/enroll", Documented, "TOTP only", post(factors::enroll)),
        line("GET /auth/factors/{id}", Documented, "", get(factors::show)),
        line("DELETE /auth/factors/{id}", Documented, "204", delete(factors::delete)),
        line("POST /auth/factors/{id}/challenge", Documented, "", post(factors::challenge)),
        line("POST /auth/challenges/{id}/verify", Documented, "", post(factors::verify)),
    ]
}
