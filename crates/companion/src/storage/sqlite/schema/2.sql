-- Sessions are listed for the person and ended from outside.
ALTER TABLE sessions ADD COLUMN last_address TEXT;
CREATE INDEX sessions_jkt ON sessions (jkt) WHERE ended_at IS NULL;

-- Not every upstream names a connection. The table is made anew, which alone removes a NOT NULL.
CREATE TABLE users_2 (
    id BLOB PRIMARY KEY,
    issuer TEXT NOT NULL,
    -- The kind of upstream.
    upstream TEXT NOT NULL,
    connection_id TEXT,
    idp_id TEXT NOT NULL,
    -- The type of the connection, or another way to sign in.
    connection_type TEXT NOT NULL,
    profile_id TEXT NOT NULL,
    email TEXT NOT NULL,
    name TEXT,
    organization_id TEXT,
    organization_name TEXT,
    -- First and last name, role, groups, custom attributes: a JSON object.
    attributes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO users_2 (id, issuer, upstream, connection_id, idp_id, connection_type, profile_id,
                     email, name, organization_id, organization_name, attributes, created_at,
                     updated_at)
SELECT id, issuer, 'sso', connection_id, idp_id, connection_type, profile_id, email, name,
       organization_id, organization_name, attributes, created_at, updated_at
FROM users;
DROP TABLE users;
ALTER TABLE users_2 RENAME TO users;
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
    updated_at INTEGER NOT NULL,
    event TEXT NOT NULL,
    withdrawn_at INTEGER,
    organization TEXT,
    person TEXT,
    email TEXT,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;
CREATE INDEX upstream_subjects_person ON upstream_subjects (person);
CREATE INDEX upstream_subjects_email ON upstream_subjects (email);
CREATE INDEX upstream_subjects_seen ON upstream_subjects (seen_at);
CREATE INDEX users_idp_id ON users (idp_id);
CREATE INDEX users_email ON users (lower(email));

-- Events that were taken.
CREATE TABLE upstream_events (
    id TEXT PRIMARY KEY,
    taken_at INTEGER NOT NULL
) STRICT;
CREATE INDEX upstream_events_taken ON upstream_events (taken_at);

-- How far the provider's list of events has been read, and who reads it.
CREATE TABLE upstream_feed (
    singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
    position TEXT,
    holder BLOB,
    held_until INTEGER
) STRICT;
INSERT INTO upstream_feed (singleton) VALUES (1);

-- A session ends with the upstream's own.
ALTER TABLE grants ADD COLUMN upstream_session TEXT;
ALTER TABLE sessions ADD COLUMN upstream_session TEXT;
CREATE INDEX grants_upstream_session ON grants (upstream_session)
    WHERE upstream_session IS NOT NULL;
CREATE INDEX sessions_upstream_session ON sessions (upstream_session)
    WHERE upstream_session IS NOT NULL AND ended_at IS NULL;
