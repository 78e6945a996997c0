//! The tables of the SQLite engine, as a list of migrations that only grows. Instants are seconds
//! since the epoch, ids and hashes are blobs. Pending rows of `grants` are the journal of upstream
//! exchanges.

/// Marks the file as ours: "KPRT".
pub(super) const APPLICATION_ID: i64 = 0x4b50_5254;

/// One migration per version, applied in order and never edited once released.
pub(super) const MIGRATIONS: &[&str] = &[FIRST, UNAUTHENTICATED_ROWS, BOUNDS];

const FIRST: &str = "
CREATE TABLE binding (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    key_check TEXT NOT NULL,
    probes INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE users (
    id BLOB PRIMARY KEY,
    issuer TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    idp_id TEXT NOT NULL,
    connection_type TEXT NOT NULL,
    email TEXT NOT NULL,
    name TEXT,
    organization_id TEXT,
    organization_name TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (issuer, connection_id, idp_id)
) STRICT;

CREATE TABLE device_keys (
    jkt BLOB NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_name TEXT,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (jkt, user_id)
) STRICT;

CREATE TABLE grants (
    id BLOB PRIMARY KEY,
    authorization BLOB NOT NULL UNIQUE,
    request BLOB NOT NULL,
    attempt BLOB,
    jkt BLOB NOT NULL,
    browser BLOB NOT NULL,
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    sealed_state TEXT,
    code_challenge TEXT NOT NULL,
    scope TEXT NOT NULL,
    device_name TEXT,
    started_at INTEGER NOT NULL,
    fulfilled_at INTEGER,
    stage TEXT NOT NULL,
    user_id BLOB REFERENCES users (id) ON DELETE CASCADE,
    device_known INTEGER,
    number INTEGER,
    confirmed INTEGER,
    code_hash BLOB UNIQUE,
    code_deadline INTEGER,
    session_id BLOB,
    problem TEXT,
    cancelled_by TEXT,
    sweep_at INTEGER NOT NULL
) STRICT;
-- The first fulfilled authorization of a pushed request wins: a second one cannot be written.
CREATE UNIQUE INDEX grants_winner ON grants (request) WHERE fulfilled_at IS NOT NULL;
CREATE INDEX grants_attempt ON grants (attempt, jkt) WHERE attempt IS NOT NULL;
CREATE INDEX grants_sweep ON grants (sweep_at);
CREATE INDEX grants_user ON grants (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE attempts (
    attempt BLOB NOT NULL,
    jkt BLOB NOT NULL,
    outcome TEXT,
    problem TEXT,
    cancelled_at INTEGER,
    sweep_at INTEGER NOT NULL,
    PRIMARY KEY (attempt, jkt)
) STRICT;
CREATE INDEX attempts_sweep ON attempts (sweep_at);

CREATE TABLE sessions (
    id BLOB PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    jkt BLOB NOT NULL,
    scope TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    ended_at INTEGER,
    ended_because TEXT
) STRICT;
-- One live session per user, client and device key.
CREATE UNIQUE INDEX sessions_live ON sessions (user_id, client_id, jkt) WHERE ended_at IS NULL;
CREATE INDEX sessions_deadline ON sessions (deadline);

-- One row per family: the current generation and, sealed under the parent token, the current secret. The parent is
-- not stored: who presents it proves it by opening the seal.
CREATE TABLE families (
    id BLOB PRIMARY KEY,
    session_id BLOB NOT NULL UNIQUE REFERENCES sessions (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    token_hash BLOB NOT NULL,
    sealed_child BLOB,
    used_at INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    detail TEXT,
    user_id BLOB,
    session_id BLOB,
    grant_id BLOB,
    client_id TEXT,
    jkt BLOB
) STRICT;
CREATE INDEX audit_at ON audit (at);
";

/// Rows that cost no sign-in at the provider, to be counted off by `sweep`.
const UNAUTHENTICATED_ROWS: &str = "
CREATE INDEX grants_unauthenticated ON grants (sweep_at) WHERE fulfilled_at IS NULL AND stage <> 'pending';
CREATE INDEX attempts_unauthenticated ON attempts (sweep_at) WHERE outcome IS NULL;
CREATE INDEX audit_unauthenticated ON audit (at) WHERE user_id IS NULL AND session_id IS NULL;
";

/// What bounds rows and look-ups: grants are counted for a request; audit rows have a class, a
/// source and a count of what was folded in; device keys are forgotten by age; the latest time is
/// kept.
const BOUNDS: &str = "
CREATE INDEX grants_request ON grants (request);
CREATE INDEX device_keys_seen ON device_keys (last_seen);
ALTER TABLE binding ADD COLUMN latest_seen INTEGER;

ALTER TABLE audit ADD COLUMN last_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit ADD COLUMN class INTEGER NOT NULL DEFAULT 1;
ALTER TABLE audit ADD COLUMN source BLOB NOT NULL DEFAULT x'';
ALTER TABLE audit ADD COLUMN folded INTEGER NOT NULL DEFAULT 0;
UPDATE audit SET last_at = at, class = iif(user_id IS NULL AND session_id IS NULL, 0, 1);
DROP INDEX audit_at;
DROP INDEX audit_unauthenticated;
CREATE INDEX audit_class ON audit (class, at);
CREATE INDEX audit_source ON audit (source, event, at);
CREATE TABLE audit_counts (class INTEGER PRIMARY KEY, rows INTEGER NOT NULL) STRICT;
INSERT INTO audit_counts
    SELECT column1, (SELECT count(*) FROM audit WHERE class = column1) FROM (VALUES (0), (1), (2));
";
