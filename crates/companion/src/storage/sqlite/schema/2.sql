-- Sessions are listed for the person and ended from outside.
ALTER TABLE sessions ADD COLUMN last_address TEXT;
CREATE INDEX sessions_jkt ON sessions (jkt) WHERE ended_at IS NULL;
CREATE INDEX users_organization ON users (organization_id) WHERE organization_id IS NOT NULL;
CREATE INDEX users_connection ON users (connection_id);
