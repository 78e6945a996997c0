//! What is asked of the tables: the same columns in the same order, whichever engine keeps them. A
//! condition is the engine's own.

macro_rules! select_grant {
    ($condition:literal) => {
        concat!(
            "SELECT id, upstream_authorization, request, attempt, jkt, browser, client_id,
                    redirect_uri, code_challenge, scope, device_name, started_at, fulfilled_at,
                    stage, user_id, device_known, number, confirmed, code_deadline, session_id,
                    problem, cancelled_by, sealed_state
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

macro_rules! session_columns {
    () => {
        concat!(
            "sessions.id, sessions.client_id, sessions.jkt, sessions.scope, sessions.auth_time,
             sessions.created_at, sessions.deadline, sessions.ended_at IS NOT NULL,
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
