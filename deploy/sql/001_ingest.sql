-- SPDX-License-Identifier: Apache-2.0
-- What ingest writes. Tenant and device lead every key, so that each table may be distributed by `device` (Citus) as it stands.
-- Sealed bytes are bit-packed: compression finds nothing in them, so they are stored plain (EXTERNAL).

CREATE TABLE record (
    tenant            text        NOT NULL,
    device            text        NOT NULL,          -- the vehicle half of <tenant>.<vehicle>
    first_at          timestamptz NOT NULL,          -- of the first sample; names the day partition
    epoch             bigint      NOT NULL,          -- the 64 bits of the journal's epoch
    seq               bigint      NOT NULL,
    boot              bigint      NOT NULL,
    first_no          bigint      NOT NULL,
    count             smallint    NOT NULL,
    last_at           timestamptz NOT NULL,
    received_at       timestamptz NOT NULL,
    cell_min_mV       integer,
    cell_max_mV       integer,
    cell_mean_mV      integer,
    soc_permyriad     integer,
    current_min_mA    integer,
    current_max_mA    integer,
    voltage_mV        integer,
    temp_min_ddegC    smallint,
    temp_max_ddegC    smallint,
    alarm_level       smallint    NOT NULL,
    record            bytea       NOT NULL,          -- exactly as received
    PRIMARY KEY (tenant, device, first_at, epoch, seq)
) PARTITION BY RANGE (first_at);
ALTER TABLE record ALTER COLUMN record SET STORAGE EXTERNAL;

CREATE TABLE latest (
    tenant            text        NOT NULL,
    device            text        NOT NULL,
    boot              bigint      NOT NULL,
    no                bigint      NOT NULL,          -- of the newest sample, the last of `record`
    measured_at       timestamptz NOT NULL,
    received_at       timestamptz NOT NULL,
    record            bytea       NOT NULL,
    PRIMARY KEY (tenant, device)
) WITH (fillfactor = 50);
ALTER TABLE latest ALTER COLUMN record SET STORAGE EXTERNAL;

-- Consecutive samples that had the alarm. Open while to_no is the newest number of that boot.
CREATE TABLE alarm_span (
    tenant            text        NOT NULL,
    device            text        NOT NULL,
    boot              bigint      NOT NULL,
    alarm             smallint    NOT NULL,          -- id in alarms.def
    number            integer     NOT NULL,          -- cell, probe or chip, from 1; 0 = the pack
    from_no           bigint      NOT NULL,
    to_no             bigint      NOT NULL,
    from_at           timestamptz NOT NULL,
    to_at             timestamptz NOT NULL,
    level             smallint    NOT NULL,          -- the worst: 1 warning, 2 major
    value             integer     NOT NULL,          -- when it came, in the alarm's unit
    PRIMARY KEY (tenant, device, boot, alarm, number, from_no)
);
CREATE INDEX alarm_span_time ON alarm_span (tenant, device, from_at);

-- Records that were refused. The same bytes again only count up `times`.
CREATE TABLE poison (
    tenant            text        NOT NULL,          -- of the topic; '' when it names none
    device            text        NOT NULL,
    digest            bytea       NOT NULL,          -- SHA-256 of topic and bytes
    reason            text        NOT NULL,
    topic             text        NOT NULL,
    epoch             bigint,                        -- where they could be read
    seq               bigint,
    size              integer     NOT NULL,
    bytes             bytea       NOT NULL,          -- the first 64 kB
    times             bigint      NOT NULL DEFAULT 1,
    received_at       timestamptz NOT NULL,
    again_at          timestamptz,
    PRIMARY KEY (tenant, device, digest)
);
