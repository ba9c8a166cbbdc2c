-- SPDX-License-Identifier: Apache-2.0
-- A role that may read one tenant in SQL and nothing else: for Grafana, or for somebody at psql. By who owns the tables, again and again:
--
--   psql CONNINFO -v role=grafana_demo -v tenant=demo -f deploy/grafana/reader.sql      then, in psql: \password grafana_demo
--
-- Without a password nobody can sign in as it. Row-level security holds for readers only: the server owns the tables and is not touched by it. What is about
-- signing in (app_user, app_session), what is refused (poison) and who did what (audit) is for no reader.
\set ON_ERROR_STOP on
BEGIN;
SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cellwarden_reader') AS no_group, NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') AS no_role \gset
\if :no_group
CREATE ROLE cellwarden_reader NOLOGIN;
\endif
\if :no_role
CREATE ROLE :"role" LOGIN CONNECTION LIMIT 20;
\endif
GRANT cellwarden_reader TO :"role";
ALTER ROLE :"role" SET default_transaction_read_only = on;
ALTER ROLE :"role" SET statement_timeout = '30s';
ALTER ROLE :"role" SET jit = off;

-- One policy for each table and reader. A day of `record` is never named in a query: it is read through `record`, whose policy holds.
CREATE TEMP TABLE readable ON COMMIT DROP AS
    SELECT unnest(ARRAY['record', 'latest', 'alarm_span', 'rollup', 'gap_lost', 'op', 'param_reported']) AS name;
CREATE TEMP TABLE reader ON COMMIT DROP AS SELECT :'role' AS role, :'tenant' AS tenant;
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT name, role, tenant FROM readable, reader LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t.name);
        EXECUTE format('DROP POLICY IF EXISTS %I ON %I', 'reader_' || t.role, t.name);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO %I USING (tenant = %L)', 'reader_' || t.role, t.name, t.role, t.tenant);
        EXECUTE format('GRANT SELECT ON %I TO cellwarden_reader', t.name);
    END LOOP;
END $$;
SELECT to_regclass('cell_samples') IS NOT NULL AS has_views \gset
\if :has_views
GRANT SELECT ON cell_samples, cell_extremes, cell_values TO cellwarden_reader;
\endif
COMMIT;
