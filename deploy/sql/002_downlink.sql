-- SPDX-License-Identifier: Apache-2.0
-- What is sent to boards, and what they reported.

CREATE TABLE op (
    tenant            text        NOT NULL,
    device            text        NOT NULL,
    id                text        NOT NULL,          -- Command.id, 16 hexadecimal digits
    kind              text        NOT NULL CHECK (kind IN ('calibrate', 'flash', 'restart', 'read')),
    values            jsonb       NOT NULL,          -- [{"id":100,"value":4180}, ..]
    by                text        NOT NULL,
    reason            text        NOT NULL DEFAULT '',
    state             text        NOT NULL CHECK (state IN ('queued', 'sent', 'done', 'failed', 'expired')),
    detail            text        NOT NULL DEFAULT '',
    created_at        timestamptz NOT NULL,
    changed_at        timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL,
    readback          jsonb       NOT NULL DEFAULT '[]', -- [{"id":100,"wanted":4180,"running":4180,"stored":4200,"ok":true}, ..]
    PRIMARY KEY (tenant, device, id)
);
CREATE INDEX op_id ON op (id);
CREATE INDEX op_open ON op (state) WHERE state IN ('queued', 'sent');
CREATE INDEX op_newest ON op (tenant, device, created_at DESC);

CREATE TABLE param_reported (
    tenant            text        NOT NULL,
    device            text        NOT NULL,
    param             integer     NOT NULL,          -- id in params.def
    running           integer,
    stored            integer,
    desired           integer,                       -- last value asked for and not proved by a readback yet
    read_at           timestamptz,
    PRIMARY KEY (tenant, device, param)
);

-- What a full read of all parameters found, in one row: the hashes that the board sends with each sample.
CREATE TABLE param_state (
    tenant            text        NOT NULL,
    device            text        NOT NULL,
    running_hash      bigint      NOT NULL,
    stored_hash       bigint      NOT NULL,
    boot              bigint      NOT NULL,
    read_at           timestamptz NOT NULL,
    PRIMARY KEY (tenant, device)
);

-- Who did what. Written in the transaction of the deed; nothing deletes from it.
CREATE TABLE audit (
    tenant            text        NOT NULL DEFAULT '',
    device            text        NOT NULL DEFAULT '',
    at                timestamptz NOT NULL DEFAULT now(),
    id                uuid        NOT NULL DEFAULT gen_random_uuid(),
    by                text        NOT NULL,
    action            text        NOT NULL,
    detail            jsonb       NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant, device, at, id)
);
