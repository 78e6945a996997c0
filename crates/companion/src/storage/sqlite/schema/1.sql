CREATE TABLE binding (
    singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
    key_check TEXT NOT NULL,
    probes INTEGER NOT NULL DEFAULT 0,
    -- The latest time that was plausible.
    latest_seen INTEGER
) STRICT;

CREATE TABLE users (
    id BLOB PRIMARY KEY,
    issuer TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    idp_id TEXT NOT NULL,
    connection_type TEXT NOT NULL,
    profile_id TEXT NOT NULL,
    email TEXT NOT NULL,
    name TEXT,
    organization_id TEXT,
    organization_name TEXT,
    -- First and last name, role, groups, custom attributes: a JSON object.
    attributes TEXT NOT NULL,
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
CREATE INDEX device_keys_seen ON device_keys (last_seen);

-- Pending rows are the journal of upstream exchanges.
CREATE TABLE grants (
    id BLOB PRIMARY KEY,
    upstream_authorization BLOB NOT NULL UNIQUE,
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
-- The first fulfilled grant of a pushed request wins: a second one cannot be written.
CREATE UNIQUE INDEX grants_winner ON grants (request) WHERE fulfilled_at IS NOT NULL;
CREATE INDEX grants_request ON grants (request);
CREATE INDEX grants_attempt ON grants (attempt, jkt) WHERE attempt IS NOT NULL;
CREATE INDEX grants_sweep ON grants (sweep_at);
CREATE INDEX grants_user ON grants (user_id) WHERE user_id IS NOT NULL;
-- Rows that cost no sign-in at the provider.
CREATE INDEX grants_unauthenticated ON grants (sweep_at)
    WHERE fulfilled_at IS NULL AND stage <> 'pending';

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
CREATE INDEX attempts_unauthenticated ON attempts (sweep_at) WHERE outcome IS NULL;

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

-- One row per family: the current generation and, sealed under the parent token, the current
-- secret. The parent is not stored: who presents it proves it by opening the seal.
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
    last_at INTEGER NOT NULL,
    event TEXT NOT NULL,
    detail TEXT,
    class INTEGER NOT NULL,
    source BLOB NOT NULL,
    -- Repetitions that were counted in this row.
    folded INTEGER NOT NULL DEFAULT 0,
    user_id BLOB,
    session_id BLOB,
    grant_id BLOB,
    client_id TEXT,
    jkt BLOB
) STRICT;
CREATE INDEX audit_class ON audit (class, at);
CREATE INDEX audit_source ON audit (source, event, at);
CREATE TABLE audit_counts (class INTEGER PRIMARY KEY, rows INTEGER NOT NULL) STRICT;
INSERT INTO audit_counts (class, rows) VALUES (0, 0), (1, 0), (2, 0);
