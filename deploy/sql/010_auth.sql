-- SPDX-License-Identifier: Apache-2.0
-- Who may sign in, and who is signed in. Written by server/auth*.c.

CREATE TABLE app_user (
    name          text PRIMARY KEY CHECK (name <> '' AND length(name) <= 64),
    role          text NOT NULL CHECK (role IN ('viewer', 'operator', 'engineer', 'admin')),
    tenant        text NOT NULL CHECK (tenant = '*' OR tenant ~ '^[A-Za-z0-9_-]{1,62}$'),
    password_hash text NOT NULL, -- Argon2id, libsodium's text form
    disabled      boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    changed_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE app_session (
    token_hash text PRIMARY KEY, -- BLAKE2b of the cookie's token; the token itself is never stored
    user_name  text NOT NULL REFERENCES app_user ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX app_session_expires_at ON app_session (expires_at);
CREATE INDEX app_session_user_name ON app_session (user_name);
