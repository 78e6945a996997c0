-- Sessions are listed for the person and ended from outside.
ALTER TABLE sessions ADD COLUMN last_address TEXT;
CREATE INDEX sessions_jkt ON sessions (jkt) WHERE ended_at IS NULL;

-- Not every upstream names a connection.
ALTER TABLE users ADD COLUMN upstream TEXT NOT NULL DEFAULT 'sso';
ALTER TABLE users ALTER COLUMN upstream DROP DEFAULT;
ALTER TABLE users ALTER COLUMN connection_id DROP NOT NULL;
ALTER TABLE users DROP CONSTRAINT users_issuer_connection_id_idp_id_key;
CREATE UNIQUE INDEX users_identity
    ON users (issuer, upstream, coalesce(connection_id, ''), idp_id);
CREATE INDEX users_organization ON users (organization_id) WHERE organization_id IS NOT NULL;
CREATE INDEX users_connection ON users (connection_id);

-- What the provider's events have told: the newest report of each subject. Instants of the provider
-- are milliseconds.
CREATE TABLE upstream_subjects (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    event TEXT NOT NULL,
    withdrawn_at BIGINT,
    organization TEXT,
    person TEXT,
    email TEXT,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX upstream_subjects_person ON upstream_subjects (person);
CREATE INDEX upstream_subjects_email ON upstream_subjects (email);
CREATE INDEX upstream_subjects_seen ON upstream_subjects (seen_at);
CREATE INDEX users_idp_id ON users (idp_id);
CREATE INDEX users_email ON users (lower(email COLLATE "C"));

-- Events that were taken.
CREATE TABLE upstream_events (
    id TEXT PRIMARY KEY,
    taken_at BIGINT NOT NULL
);
CREATE INDEX upstream_events_taken ON upstream_events (taken_at);

-- How far the provider's list of events has been read, and who reads it.
CREATE TABLE upstream_feed (
    singleton BOOLEAN PRIMARY KEY CHECK (singleton),
    position TEXT,
    holder BYTEA,
    held_until BIGINT
);
INSERT INTO upstream_feed (singleton) VALUES (TRUE);

-- A session ends with the upstream's own.
ALTER TABLE grants ADD COLUMN upstream_session TEXT;
ALTER TABLE sessions ADD COLUMN upstream_session TEXT;
CREATE INDEX grants_upstream_session ON grants (upstream_session)
    WHERE upstream_session IS NOT NULL;
CREATE INDEX sessions_upstream_session ON sessions (upstream_session)
    WHERE upstream_session IS NOT NULL AND ended_at IS NULL;
