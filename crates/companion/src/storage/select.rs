//! What is asked of the tables: the same columns in the same order, whichever engine keeps them. A
//! condition is the engine's own, except where both read the same parameters.

use super::UserSelector;
use crate::domain::SessionSelector;

macro_rules! select_grant {
    ($condition:literal) => {
        concat!(
            "SELECT id, upstream_authorization, request, attempt, jkt, browser, client_id,
                    redirect_uri, code_challenge, scope, device_name, started_at, fulfilled_at,
                    stage, user_id, device_known, number, confirmed, code_deadline, session_id,
                    problem, cancelled_by, upstream_session, sealed_state
             FROM grants WHERE ",
            $condition
        )
    };
}
pub(super) use select_grant;

macro_rules! user_columns {
    () => {
        "users.id, users.email, users.name, users.organization_id, users.organization_name,
         users.connection_id, users.connection_type"
    };
}
pub(super) use user_columns;

macro_rules! select_subject {
    ($condition:literal) => {
        concat!(
            "SELECT kind, id, state, updated_at, event, withdrawn_at, organization, person, email
             FROM upstream_subjects WHERE ",
            $condition
        )
    };
}
pub(super) use select_subject;

macro_rules! session_columns {
    () => {
        concat!(
            "sessions.id, sessions.client_id, sessions.jkt, sessions.scope, sessions.auth_time,
             sessions.created_at, sessions.deadline, sessions.ended_because,
             EXISTS (SELECT 1 FROM device_keys
                     WHERE device_keys.jkt = sessions.jkt
                       AND device_keys.user_id = sessions.user_id), ",
            user_columns!()
        )
    };
}
pub(super) use session_columns;

/// Columns of a session before those of its user, and of a session with its user.
pub(super) const BEFORE_USER: usize = 9;
pub(super) const OF_SESSION: usize = BEFORE_USER + 7;

macro_rules! select_session {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            session_columns!(),
            " FROM sessions JOIN users ON users.id = sessions.user_id WHERE ",
            $condition
        )
    };
}
pub(super) use select_session;

/// The condition of a selector on sessions and their users; its value is the parameter `$1`.
pub(super) const fn of_selector(selector: &SessionSelector) -> &'static str {
    match selector {
        SessionSelector::Session(_) => "sessions.id = $1",
        SessionSelector::User(_) | SessionSelector::Everywhere { .. } => "sessions.user_id = $1",
        SessionSelector::DeviceKey(_) => "sessions.jkt = $1",
        SessionSelector::Organization(_) => "users.organization_id = $1",
        SessionSelector::Connection(_) => "users.connection_id = $1",
        SessionSelector::UpstreamSession(_) => "sessions.upstream_session = $1",
        SessionSelector::All => "CAST($1 AS TEXT) IS NOT NULL",
    }
}

/// The condition of the same selector on grants; `None` where it means no grant.
pub(super) const fn grants_of_selector(selector: &SessionSelector) -> Option<&'static str> {
    Some(match selector {
        SessionSelector::Session(_) => return None,
        SessionSelector::User(_) | SessionSelector::Everywhere { .. } => "user_id = $1",
        SessionSelector::DeviceKey(_) => "jkt = $1",
        SessionSelector::Organization(_) => {
            "user_id IN (SELECT users.id FROM users WHERE users.organization_id = $1)"
        }
        SessionSelector::Connection(_) => {
            "user_id IN (SELECT users.id FROM users WHERE users.connection_id = $1)"
        }
        SessionSelector::UpstreamSession(_) => "upstream_session = $1",
        SessionSelector::All => "CAST($1 AS TEXT) IS NOT NULL",
    })
}

/// Sessions that end with a selector: of sign-ins before `$2` and not ended yet, as many as `$3`.
pub(super) fn sessions_to_end(selector: &SessionSelector) -> String {
    let condition = of_selector(selector);
    let select = select_session!("");
    format!(
        "{select} {condition} AND sessions.auth_time < $2 AND sessions.ended_at IS NULL
         ORDER BY sessions.id LIMIT $3"
    )
}

/// Grants that end with a selector: of sign-ins before `$2` that could become sessions, as many as
/// `$3`.
pub(super) fn grants_to_end(selector: &SessionSelector) -> Option<String> {
    let condition = grants_of_selector(selector)?;
    let select = select_grant!("");
    Some(format!(
        "{select} {condition} AND fulfilled_at < $2 AND stage IN ('fulfilled', 'minted')
         ORDER BY id LIMIT $3"
    ))
}

/// The next user of an upstream, after the id `$3`, who has sessions that are alive at `$4`, began
/// before `$5` and have one of the upstream's: the user's id there and those sessions. The user is
/// found by the index of identities.
/// Parameters come in the order of their numbers, as SQLite counts them.
pub(super) const UPSTREAM_SESSIONS: &str = "
    WITH next_user AS (
        SELECT users.id, users.idp_id FROM users
        WHERE users.issuer = $1 AND users.upstream = $2
              AND coalesce(users.connection_id, '') = '' AND users.idp_id > $3
              AND EXISTS (SELECT 1 FROM sessions
                          WHERE sessions.user_id = users.id
                                AND sessions.upstream_session IS NOT NULL
                                AND sessions.ended_at IS NULL
                                AND sessions.deadline > $4 AND sessions.created_at < $5)
        ORDER BY users.idp_id LIMIT 1)
    SELECT next_user.idp_id, sessions.upstream_session
    FROM next_user JOIN sessions ON sessions.user_id = next_user.id
    WHERE sessions.upstream_session IS NOT NULL AND sessions.ended_at IS NULL
          AND sessions.deadline > $4 AND sessions.created_at < $5";

/// Seconds that a session is left alone for: the upstream's list may not have it yet.
pub(super) const TOO_NEW: i64 = 60;

/// Sessions that are alive at `$3`, with what is listed of them; after the id `$2`, as many as
/// `$4`.
pub(super) fn sessions_to_list(selector: &SessionSelector) -> String {
    let (columns, condition) = (session_columns!(), of_selector(selector));
    format!(
        "SELECT {columns}, device_keys.device_name,
                coalesce(families.used_at, sessions.created_at), sessions.last_address
         FROM sessions JOIN users ON users.id = sessions.user_id
              LEFT JOIN device_keys ON device_keys.jkt = sessions.jkt
                                   AND device_keys.user_id = sessions.user_id
              LEFT JOIN families ON families.session_id = sessions.id
         WHERE {condition} AND sessions.id > $2 AND sessions.ended_at IS NULL
               AND sessions.deadline > $3
         ORDER BY sessions.id LIMIT $4"
    )
}

/// The condition of a selector on users; its value is the parameter `$2`.
const fn of_user_selector(selector: &UserSelector) -> &'static str {
    match selector {
        UserSelector::Id(_) => "users.id = $2",
        UserSelector::Email(_) => "lower(users.email) = lower(CAST($2 AS TEXT))",
        UserSelector::Organization(_) => "users.organization_id = $2",
        UserSelector::Connection(_) => "users.connection_id = $2",
        UserSelector::All => "CAST($2 AS TEXT) IS NOT NULL",
    }
}

/// Columns of a user.
pub(super) const OF_USER: usize = 7;

/// Users after the id `$3`, as many as `$4`, with the number of their sessions alive at `$1`.
pub(super) fn users_to_list(selector: &UserSelector) -> String {
    let (columns, condition) = (user_columns!(), of_user_selector(selector));
    format!(
        "SELECT {columns}, users.created_at, users.updated_at,
                (SELECT count(*) FROM sessions
                 WHERE sessions.deadline > $1 AND sessions.user_id = users.id
                       AND sessions.ended_at IS NULL)
         FROM users WHERE {condition} AND users.id > $3 ORDER BY users.id LIMIT $4"
    )
}

/// Rows of the audit table after the number `$1` and not older than `$2`, as many as `$3`.
pub(super) const AUDIT_TO_LIST: &str =
    "SELECT id, at, last_at, event, detail, class, folded, user_id, session_id, grant_id, client_id,
            jkt
     FROM audit WHERE id > $1 AND last_at >= $2 ORDER BY id LIMIT $3";
