-- SPDX-License-Identifier: Apache-2.0
-- Hours of each vehicle, made from `record` once an hour is over and again when late records came. They outlive the records.

CREATE TABLE rollup (
    tenant            text        NOT NULL,
    device            text        NOT NULL,
    hour              timestamptz NOT NULL,
    made_at           timestamptz NOT NULL,
    samples           integer     NOT NULL,
    cell_min_mV       integer,
    cell_max_mV       integer,
    temp_min_ddegC    integer,
    temp_max_ddegC    integer,
    soc_min_permyriad integer,
    soc_max_permyriad integer,
    current_min_mA    integer,
    current_max_mA    integer,
    current_mean_mA   integer,
    alarm_level       integer,
    whole             bytea       NOT NULL,          -- server/history/rollup.h, one slot
    minutes           bytea       NOT NULL,          -- the same, 60 slots
    PRIMARY KEY (tenant, device, hour)
);
ALTER TABLE rollup ALTER COLUMN minutes SET STORAGE EXTERNAL;
ALTER TABLE rollup ALTER COLUMN whole SET STORAGE PLAIN;

-- Hours that got records after they were over. `at` tells a mark that came again from the one that was worked off.
CREATE TABLE rollup_due (
    tenant            text        NOT NULL,
    device            text        NOT NULL,
    hour              timestamptz NOT NULL,
    at                timestamptz NOT NULL,
    PRIMARY KEY (tenant, device, hour)
);

-- All hours before this one have been rolled up. One row.
CREATE TABLE rollup_mark (
    one               boolean     PRIMARY KEY DEFAULT true CHECK (one),
    hour              timestamptz NOT NULL
);
