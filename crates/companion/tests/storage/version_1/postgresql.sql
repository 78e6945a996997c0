-- A database as schema version 1 left it: one session after one refresh, one grant that waits for
-- Continue. The key file and the tokens are in `version_1.rs`. Not edited: later versions read it.
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA keyport;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE keyport.attempts (
    attempt bytea NOT NULL,
    jkt bytea NOT NULL,
    outcome text,
    problem text,
    cancelled_at bigint,
    sweep_at bigint NOT NULL
);
CREATE TABLE keyport.audit (
    id bigint NOT NULL,
    at bigint NOT NULL,
    last_at bigint NOT NULL,
    event text NOT NULL,
    detail text,
    class smallint NOT NULL,
    source bytea NOT NULL,
    folded bigint DEFAULT 0 NOT NULL,
    user_id bytea,
    session_id bytea,
    grant_id bytea,
    client_id text,
    jkt bytea
);
ALTER TABLE keyport.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME keyport.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE keyport.binding (
    singleton boolean NOT NULL,
    version bigint NOT NULL,
    key_check text NOT NULL,
    probes bigint DEFAULT 0 NOT NULL,
    latest_seen bigint,
    CONSTRAINT binding_singleton_check CHECK (singleton)
);
CREATE TABLE keyport.device_keys (
    jkt bytea NOT NULL,
    user_id bytea NOT NULL,
    device_name text,
    first_seen bigint NOT NULL,
    last_seen bigint NOT NULL
);
CREATE TABLE keyport.families (
    id bytea NOT NULL,
    session_id bytea NOT NULL,
    generation bigint NOT NULL,
    token_hash bytea NOT NULL,
    sealed_child bytea,
    used_at bigint NOT NULL
);
CREATE TABLE keyport.grants (
    number_of_row bigint NOT NULL,
    id bytea NOT NULL,
    upstream_authorization bytea NOT NULL,
    request bytea NOT NULL,
    attempt bytea,
    jkt bytea NOT NULL,
    browser bytea NOT NULL,
    client_id text NOT NULL,
    redirect_uri text NOT NULL,
    sealed_state text,
    code_challenge text NOT NULL,
    scope text NOT NULL,
    device_name text,
    started_at bigint NOT NULL,
    fulfilled_at bigint,
    stage text NOT NULL,
    user_id bytea,
    device_known boolean,
    number smallint,
    confirmed boolean,
    code_hash bytea,
    code_deadline bigint,
    session_id bytea,
    problem text,
    cancelled_by text,
    sweep_at bigint NOT NULL
);
ALTER TABLE keyport.grants ALTER COLUMN number_of_row ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME keyport.grants_number_of_row_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE keyport.sessions (
    id bytea NOT NULL,
    user_id bytea NOT NULL,
    client_id text NOT NULL,
    jkt bytea NOT NULL,
    scope text NOT NULL,
    auth_time bigint NOT NULL,
    created_at bigint NOT NULL,
    deadline bigint NOT NULL,
    ended_at bigint,
    ended_because text
);
CREATE TABLE keyport.users (
    id bytea NOT NULL,
    issuer text NOT NULL,
    connection_id text NOT NULL,
    idp_id text NOT NULL,
    connection_type text NOT NULL,
    profile_id text NOT NULL,
    email text NOT NULL,
    name text,
    organization_id text,
    organization_name text,
    attributes text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
INSERT INTO keyport.audit OVERRIDING SYSTEM VALUE VALUES (1, 1800000000, 1800000000, 'user_provisioned', NULL, 1, '\x2295da952fa5f8ba34475bbf5d54f0d8', 0, '\x2295da952fa5f8ba34475bbf5d54f0d8', NULL, NULL, NULL, NULL);
INSERT INTO keyport.audit OVERRIDING SYSTEM VALUE VALUES (2, 1800000000, 1800000000, 'grant_fulfilled', NULL, 1, '\x0101010101010101010101010101010101010101010101010101010101010101', 0, '\x2295da952fa5f8ba34475bbf5d54f0d8', NULL, '\x92b71d4f36be9f95487d30f38940edac', 'keyport-desktop', '\x0101010101010101010101010101010101010101010101010101010101010101');
INSERT INTO keyport.audit OVERRIDING SYSTEM VALUE VALUES (3, 1800000000, 1800000000, 'grant_confirmed', NULL, 1, '\x0101010101010101010101010101010101010101010101010101010101010101', 0, '\x2295da952fa5f8ba34475bbf5d54f0d8', NULL, '\x92b71d4f36be9f95487d30f38940edac', 'keyport-desktop', '\x0101010101010101010101010101010101010101010101010101010101010101');
INSERT INTO keyport.audit OVERRIDING SYSTEM VALUE VALUES (4, 1800000000, 1800000000, 'session_begun', NULL, 1, '\x9ced1588399b142a5863e2d04fbc82bf', 0, '\x2295da952fa5f8ba34475bbf5d54f0d8', '\x9ced1588399b142a5863e2d04fbc82bf', '\x92b71d4f36be9f95487d30f38940edac', 'keyport-desktop', '\x0101010101010101010101010101010101010101010101010101010101010101');
INSERT INTO keyport.audit OVERRIDING SYSTEM VALUE VALUES (5, 1800000002, 1800000002, 'grant_fulfilled', NULL, 1, '\x0101010101010101010101010101010101010101010101010101010101010101', 0, '\x2295da952fa5f8ba34475bbf5d54f0d8', NULL, '\x0bc95d1adf75eb469467d3247833451d', 'keyport-desktop', '\x0101010101010101010101010101010101010101010101010101010101010101');
INSERT INTO keyport.binding VALUES (true, 1, 'G1G8UOW2l6C7mHhmRjXJPGRk9eY0OZd3XG0nbgul3xyVQFM', 0, 1800000000);
INSERT INTO keyport.device_keys VALUES ('\x0101010101010101010101010101010101010101010101010101010101010101', '\x2295da952fa5f8ba34475bbf5d54f0d8', 'Ada''s laptop', 1800000000, 1800000000);
INSERT INTO keyport.families VALUES ('\x6764bcb34baddf4da9ffd2448a3c04e5', '\x9ced1588399b142a5863e2d04fbc82bf', 1, '\x40c5b969f5c669db1ac4de42f9c552f0aba9a6ed016ed23b23eb0f3259da6b1a', '\x8a05b3854033f011c4ca900682126509edab9d695211ec2872707375782225cbbd143fa6457a4279bf62fe25791a9108f1ed73aa32e58c5fc5580093', 1800000001);
INSERT INTO keyport.grants OVERRIDING SYSTEM VALUE VALUES (1, '\x92b71d4f36be9f95487d30f38940edac', '\x13965f565e043985c5f14c2ae95948dd', '\x69eba2a414dbdd722ab340c66d73da56', NULL, '\x0101010101010101010101010101010101010101010101010101010101010101', '\x0707070707070707070707070707070707070707070707070707070707070707', 'keyport-desktop', 'dev.keyport.desktop:/callback', NULL, 'vcRzqudlBS7VEKKK4QMz3duiqitfFwj4VUZ74d7l0fg', 'profile email offline_access', 'Ada''s laptop', 1800000000, 1800000000, 'exchanged', '\x2295da952fa5f8ba34475bbf5d54f0d8', NULL, NULL, NULL, '\x29de2a45faa964b7d5f805a1e4fcd5fcd23e0bf01c92644a9c70e6402638aba9', NULL, '\x9ced1588399b142a5863e2d04fbc82bf', NULL, NULL, 1800003600);
INSERT INTO keyport.grants OVERRIDING SYSTEM VALUE VALUES (2, '\x0bc95d1adf75eb469467d3247833451d', '\xf1c9573c04b5ece0365112ed0821f7b7', '\x61d796b89c97ab8990356e83f171965a', NULL, '\x0101010101010101010101010101010101010101010101010101010101010101', '\x0707070707070707070707070707070707070707070707070707070707070707', 'keyport-desktop', 'dev.keyport.desktop:/callback', 'mCMnJdCTpGG5BK3b_4lv5TmH-enhEVVElKx9LWaFzb7lSWXLzxSTYhA6M5ii8Rc', 'vcRzqudlBS7VEKKK4QMz3duiqitfFwj4VUZ74d7l0fg', 'profile email offline_access', 'Ada''s laptop', 1800000002, 1800000002, 'fulfilled', '\x2295da952fa5f8ba34475bbf5d54f0d8', true, 25, false, NULL, NULL, NULL, NULL, NULL, 1800003602);
INSERT INTO keyport.sessions VALUES ('\x9ced1588399b142a5863e2d04fbc82bf', '\x2295da952fa5f8ba34475bbf5d54f0d8', 'keyport-desktop', '\x0101010101010101010101010101010101010101010101010101010101010101', 'profile email offline_access', 1800000000, 1800000000, 1802592001, NULL, NULL);
INSERT INTO keyport.users VALUES ('\x2295da952fa5f8ba34475bbf5d54f0d8', 'https://api.workos.com', 'conn_01OKTA', '00u1ada', 'OktaSAML', 'prof_01ADA', 'ada@acme.test', 'Ada Lovelace', 'org_01ACME', 'Acme', '{"first_name":null,"last_name":null,"role":null,"groups":[],"custom":{}}', 1800000000, 1800000002);
SELECT pg_catalog.setval('keyport.audit_id_seq', 5, true);
SELECT pg_catalog.setval('keyport.grants_number_of_row_seq', 2, true);
ALTER TABLE ONLY keyport.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (attempt, jkt);
ALTER TABLE ONLY keyport.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY keyport.binding
    ADD CONSTRAINT binding_pkey PRIMARY KEY (singleton);
ALTER TABLE ONLY keyport.device_keys
    ADD CONSTRAINT device_keys_pkey PRIMARY KEY (jkt, user_id);
ALTER TABLE ONLY keyport.families
    ADD CONSTRAINT families_pkey PRIMARY KEY (id);
ALTER TABLE ONLY keyport.families
    ADD CONSTRAINT families_session_id_key UNIQUE (session_id);
ALTER TABLE ONLY keyport.grants
    ADD CONSTRAINT grants_code_hash_key UNIQUE (code_hash);
ALTER TABLE ONLY keyport.grants
    ADD CONSTRAINT grants_pkey PRIMARY KEY (id);
ALTER TABLE ONLY keyport.grants
    ADD CONSTRAINT grants_upstream_authorization_key UNIQUE (upstream_authorization);
ALTER TABLE ONLY keyport.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY keyport.users
    ADD CONSTRAINT users_issuer_connection_id_idp_id_key UNIQUE (issuer, connection_id, idp_id);
ALTER TABLE ONLY keyport.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
CREATE INDEX attempts_sweep ON keyport.attempts USING btree (sweep_at);
CREATE INDEX attempts_unauthenticated ON keyport.attempts USING btree (sweep_at) WHERE (outcome IS NULL);
CREATE INDEX audit_class ON keyport.audit USING btree (class, at);
CREATE INDEX audit_source ON keyport.audit USING btree (source, event, at);
CREATE INDEX device_keys_seen ON keyport.device_keys USING btree (last_seen);
CREATE INDEX device_keys_user ON keyport.device_keys USING btree (user_id);
CREATE INDEX grants_attempt ON keyport.grants USING btree (attempt, jkt, number_of_row) WHERE (attempt IS NOT NULL);
CREATE INDEX grants_request ON keyport.grants USING btree (request);
CREATE INDEX grants_sweep ON keyport.grants USING btree (sweep_at);
CREATE INDEX grants_unauthenticated ON keyport.grants USING btree (sweep_at) WHERE ((fulfilled_at IS NULL) AND (stage <> 'pending'::text));
CREATE INDEX grants_user ON keyport.grants USING btree (user_id) WHERE (user_id IS NOT NULL);
CREATE UNIQUE INDEX grants_winner ON keyport.grants USING btree (request) WHERE (fulfilled_at IS NOT NULL);
CREATE INDEX sessions_deadline ON keyport.sessions USING btree (deadline);
CREATE UNIQUE INDEX sessions_live ON keyport.sessions USING btree (user_id, client_id, jkt) WHERE (ended_at IS NULL);
ALTER TABLE ONLY keyport.device_keys
    ADD CONSTRAINT device_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES keyport.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY keyport.families
    ADD CONSTRAINT families_session_id_fkey FOREIGN KEY (session_id) REFERENCES keyport.sessions(id) ON DELETE CASCADE;
ALTER TABLE ONLY keyport.grants
    ADD CONSTRAINT grants_user_id_fkey FOREIGN KEY (user_id) REFERENCES keyport.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY keyport.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES keyport.users(id) ON DELETE CASCADE;
