-- Sessions are listed for the person and ended from outside.
ALTER TABLE sessions ADD COLUMN last_address TEXT;
CREATE INDEX sessions_jkt ON sessions (jkt) WHERE ended_at IS NULL;
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
