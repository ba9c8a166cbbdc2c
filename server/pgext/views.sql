-- SPDX-License-Identifier: Apache-2.0
-- Create or update the extension in a database that has the server's tables, and what makes it handy: `psql -f`, again and again, by who owns the tables.
--
-- A record is found by the time of its first sample, so a question for a span of time must say so of first_at too, or every record is opened. The functions
-- ..._history do it: they are plain SQL, which the planner takes apart, so they cost nothing. A record spans an hour at most (60 samples of 60 s).
\set ON_ERROR_STOP on
BEGIN;
SELECT coalesce((SELECT installed_version <> default_version FROM pg_available_extensions WHERE name = 'cellwarden'), true) AS other_version \gset
\if :other_version
DROP FUNCTION IF EXISTS sample_history(text, text, timestamptz, timestamptz);
DROP VIEW IF EXISTS cell_samples, cell_extremes, cell_values;
CREATE EXTENSION IF NOT EXISTS cellwarden;
ALTER EXTENSION cellwarden UPDATE;
\endif

-- Rights are those of who asks, so that row-level security holds here as on the tables.
CREATE OR REPLACE VIEW cell_samples WITH (security_invoker = true) AS
    SELECT r.tenant, r.device, r.first_at, r.last_at, s.* FROM record r, cellwarden_samples(r.record) s;
CREATE OR REPLACE VIEW cell_extremes WITH (security_invoker = true) AS
    SELECT r.tenant, r.device, r.first_at, r.last_at, s.* FROM record r, cellwarden_cells_minmax(r.record) s;
CREATE OR REPLACE VIEW cell_values WITH (security_invoker = true) AS
    SELECT s.tenant, s.device, s.first_at, s.last_at, s.at, c.cell, c.mV
      FROM cell_samples s, unnest(s.cell_mV) WITH ORDINALITY AS c (mV, cell);

CREATE OR REPLACE FUNCTION sample_history(tenant text, device text, since timestamptz, until timestamptz) RETURNS SETOF cell_samples
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 86400 AS $$
    SELECT s.* FROM cell_samples s WHERE s.tenant = sample_history.tenant AND s.device = sample_history.device
        AND s.first_at >= since - interval '1 hour' AND s.first_at < until AND s.last_at >= since AND s.at >= since AND s.at < until $$;

CREATE OR REPLACE FUNCTION extreme_history(tenant text, device text, since timestamptz, until timestamptz)
    RETURNS TABLE (at timestamptz, min_mV integer, min_cell integer, max_mV integer, max_cell integer, mean_mV integer)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 86400 AS $$
    SELECT s.at, s.min_mV, s.min_cell, s.max_mV, s.max_cell, s.mean_mV FROM record r, cellwarden_cells_minmax(r.record) s
        WHERE r.tenant = extreme_history.tenant AND r.device = extreme_history.device
        AND r.first_at >= since - interval '1 hour' AND r.first_at < until AND r.last_at >= since AND s.at >= since AND s.at < until $$;

CREATE OR REPLACE FUNCTION cell_history(tenant text, device text, cell integer, since timestamptz, until timestamptz)
    RETURNS TABLE (at timestamptz, mV integer)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 86400 AS $$
    SELECT s.at, s.mV FROM record r, cellwarden_cell(r.record, cell_history.cell) s
        WHERE r.tenant = cell_history.tenant AND r.device = cell_history.device
        AND r.first_at >= since - interval '1 hour' AND r.first_at < until AND r.last_at >= since AND s.at >= since AND s.at < until $$;

-- The same in steps of time, as a chart wants it: exact extremes and mean of the samples since <= at < until.
CREATE OR REPLACE FUNCTION cell_range(tenant text, device text, cell integer, since timestamptz, until timestamptz, step interval)
    RETURNS TABLE (at timestamptz, samples bigint, min_mV integer, mean_mV numeric, max_mV integer)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 AS $$
    SELECT b.at, sum(b.samples), min(b.min_mV), sum(b.sum_mV) / sum(b.samples), max(b.max_mV)
        FROM record r, cellwarden_cell_buckets(r.record, cell_range.cell, since, until, step) b
        WHERE r.tenant = cell_range.tenant AND r.device = cell_range.device
        AND r.first_at >= since - interval '1 hour' AND r.first_at < until AND r.last_at >= since GROUP BY b.at ORDER BY b.at $$;

CREATE OR REPLACE FUNCTION probe_history(tenant text, device text, probe integer, since timestamptz, until timestamptz)
    RETURNS TABLE (at timestamptz, ddegC integer)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 86400 AS $$
    SELECT s.at, s.ddegC FROM record r, cellwarden_probe(r.record, probe_history.probe) s
        WHERE r.tenant = probe_history.tenant AND r.device = probe_history.device
        AND r.first_at >= since - interval '1 hour' AND r.first_at < until AND r.last_at >= since AND s.at >= since AND s.at < until $$;

-- deploy/grafana/reader.sql makes this group; what was made anew above must be readable again.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'cellwarden_reader') THEN
        GRANT SELECT ON cell_samples, cell_extremes, cell_values TO cellwarden_reader;
    END IF;
END $$;
COMMIT;
