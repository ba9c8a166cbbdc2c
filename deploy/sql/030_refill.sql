-- SPDX-License-Identifier: Apache-2.0
-- Records that are missing are asked for again from the device's journal; what the journal does not have any more is lost for good, and why.

ALTER TABLE op DROP CONSTRAINT op_kind_check;
ALTER TABLE op ADD CONSTRAINT op_kind_check CHECK (kind IN ('calibrate', 'flash', 'restart', 'read', 'refill'));

CREATE TABLE gap_lost (
    tenant            text        NOT NULL,
    device            text        NOT NULL,
    epoch             bigint      NOT NULL,
    first_seq         bigint      NOT NULL,
    last_seq          bigint      NOT NULL,
    reason            text        NOT NULL CHECK (reason IN ('gone', 'refused', 'formatted')),
    at                timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, device, epoch, first_seq, last_seq)
);
