CREATE TABLE binding (
    singleton BOOLEAN PRIMARY KEY CHECK (singleton),
    version BIGINT NOT NULL,
    key_check TEXT NOT NULL,
    probes BIGINT NOT NULL DEFAULT 0,
    -- The latest time that was plausible.
    latest_seen BIGINT
);

CREATE TABLE users (
    id BYTEA PRIMARY KEY,
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
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (issuer, connection_id, idp_id)
);

CREATE TABLE device_keys (
    jkt BYTEA NOT NULL,
    user_id BYTEA NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_name TEXT,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    PRIMARY KEY (jkt, user_id)
);
CREATE INDEX device_keys_user ON device_keys (user_id);
CREATE INDEX device_keys_seen ON device_keys (last_seen);

-- Pending rows are the journal of upstream exchanges.
CREATE TABLE grants (
    -- The order of insertion.
    number_of_row BIGINT GENERATED ALWAYS AS IDENTITY,
    id BYTEA PRIMARY KEY,
    upstream_authorization BYTEA NOT NULL UNIQUE,
    request BYTEA NOT NULL,
    attempt BYTEA,
    jkt BYTEA NOT NULL,
    browser BYTEA NOT NULL,
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    sealed_state TEXT,
    code_challenge TEXT NOT NULL,
    scope TEXT NOT NULL,
    device_name TEXT,
    started_at BIGINT NOT NULL,
    fulfilled_at BIGINT,
    stage TEXT NOT NULL,
    user_id BYTEA REFERENCES users (id) ON DELETE CASCADE,
    device_known BOOLEAN,
    number SMALLINT,
    confirmed BOOLEAN,
    code_hash BYTEA UNIQUE,
    code_deadline BIGINT,
    session_id BYTEA,
    problem TEXT,
    cancelled_by TEXT,
    sweep_at BIGINT NOT NULL
);
-- The first fulfilled grant of a pushed request wins: a second one cannot be written.
CREATE UNIQUE INDEX grants_winner ON grants (request) WHERE fulfilled_at IS NOT NULL;
CREATE INDEX grants_request ON grants (request);
CREATE INDEX grants_attempt ON grants (attempt, jkt, number_of_row) WHERE attempt IS NOT NULL;
CREATE INDEX grants_sweep ON grants (sweep_at);
CREATE INDEX grants_user ON grants (user_id) WHERE user_id IS NOT NULL;
-- Rows that cost no sign-in at the provider.
CREATE INDEX grants_unauthenticated ON grants (sweep_at)
    WHERE fulfilled_at IS NULL AND stage <> 'pending';

CREATE TABLE attempts (
    attempt BYTEA NOT NULL,
    jkt BYTEA NOT NULL,
    outcome TEXT,
    problem TEXT,
    cancelled_at BIGINT,
    sweep_at BIGINT NOT NULL,
    PRIMARY KEY (attempt, jkt)
);
CREATE INDEX attempts_sweep ON attempts (sweep_at);
CREATE INDEX attempts_unauthenticated ON attempts (sweep_at) WHERE outcome IS NULL;

CREATE TABLE sessions (
    id BYTEA PRIMARY KEY,
    user_id BYTEA NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    jkt BYTEA NOT NULL,
    scope TEXT NOT NULL,
    auth_time BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    deadline BIGINT NOT NULL,
    ended_at BIGINT,
    ended_because TEXT
);
-- One live session per user, client and device key.
CREATE UNIQUE INDEX sessions_live ON sessions (user_id, client_id, jkt) WHERE ended_at IS NULL;
CREATE INDEX sessions_deadline ON sessions (deadline);

-- One row per family: the current generation and, sealed under the parent token, the current
-- secret. The parent is not stored: who presents it proves it by opening the seal.
CREATE TABLE families (
    id BYTEA PRIMARY KEY,
    session_id BYTEA NOT NULL UNIQUE REFERENCES sessions (id) ON DELETE CASCADE,
    generation BIGINT NOT NULL,
    token_hash BYTEA NOT NULL,
    sealed_child BYTEA,
    used_at BIGINT NOT NULL
);

CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    event TEXT NOT NULL,
    detail TEXT,
    class SMALLINT NOT NULL,
    source BYTEA NOT NULL,
    -- Repetitions that were counted in this row.
    folded BIGINT NOT NULL DEFAULT 0,
    user_id BYTEA,
    session_id BYTEA,
    grant_id BYTEA,
    client_id TEXT,
    jkt BYTEA
);
CREATE INDEX audit_class ON audit (class, at);
CREATE INDEX audit_source ON audit (source, event, at);
