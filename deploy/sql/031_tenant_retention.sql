-- SPDX-License-Identifier: Apache-2.0
-- How long a tenant keeps its records and its hours; what is NULL, and a tenant without a row, goes by --retention-days and --rollup-days. One row a tenant,
-- the same on every node of a cluster (a reference table).

CREATE TABLE tenant_retention (
    tenant            text        PRIMARY KEY,
    record_days       integer     CHECK (record_days BETWEEN 1 AND 36500),
    rollup_days       integer     CHECK (rollup_days BETWEEN 1 AND 36500),
    CHECK (rollup_days >= record_days)               -- hours outlive what they were made of
);
