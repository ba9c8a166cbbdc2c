# SPDX-License-Identifier: Apache-2.0
"""Every statement of the server against what a cluster of Citus can carry out, by reading (harness/citus.py). What is not the common case stands here, with
its reason: a new statement of that kind needs a row, and a row whose statement is gone must go too."""
import re

import pytest
from harness import citus

# The same on every node: sign-in, and one row each.
EVERYWHERE = {"app_user", "app_session", "rollup_mark", "tenant_retention", "migration"}
VEHICLES = set(citus.tables()) - EVERYWHERE

# (file, beginning, kind, why it is no statement of one device)
EXCEPTIONS = [
    ("op_store.c", "SELECT id, (extract(epoch FROM expires_at)", "fan-out", "operations that are open, once at the start"),
    ("op_store.c", "SELECT tenant || '.' || device, kind, state", "fan-out", "GET /ops/{id}: the id is all that is known; an index of each shard"),
    ("op_store.c", "SELECT r.id, r.wanted", "fan-out", "the same operation's values"),
    ("refill.c", "SELECT e.tenant || '.' || e.device", "fan-out", "who lacks records, for the whole fleet, once a refill period"),
    ("retention.c", "DELETE FROM poison WHERE", "fan-out", "refused records by age alone, in a statement of its own"),
    ("retention.c", "DELETE FROM poison p USING", "fan-out", "refused records beyond a number for each device, in a statement of its own"),
    ("retention_tenant.c", "SELECT l.tenant, date_trunc", "fan-out", "all tenants"),
    ("retention_tenant.c", "SELECT device, least(", "fan-out", "the vehicles of one tenant"),
    ("retention_tenant.c", "SELECT device, $2::timestamptz FROM rollup", "fan-out", "the vehicles of one tenant"),
    ("retention_tenant.c", "SELECT device, $2::timestamptz FROM latest", "fan-out", "the same, with alarms that are over"),
    ("rollup_pass.c", "SELECT tenant, device FROM latest", "fan-out", "who was heard of, once an hour"),
    ("rollup_pass.c", "SELECT tenant, device, (extract(epoch FROM hour)", "fan-out", "hours with late records, once a period"),
    ("rollup_pass.c", "SELECT (extract(epoch FROM coalesce((SELECT hour", "fan-out", "the oldest record, where nothing was rolled up yet"),
    ("restore.c", "SELECT s.tenant || '.' || s.device", "fan-out", "alarms that stand, once at the start"),
    ("restore.c", "SELECT tenant || '.' || device, running_hash", "fan-out", "parameter hashes of all vehicles, once at the start"),
    ("latest.c", "SELECT tenant || '.' || device", "fan-out", "the newest state of all vehicles: at the start, then only what is newer"),
    ("store_rows.c", "COPY record (", "spread", "a batch of the ingest holds records of many devices"),
    ("store_rows.c", "WITH added AS (INSERT INTO record", "spread", "the same, where records come again"),
    ("store_newest.c", "INSERT INTO latest", "spread", "the same batch"),
    ("store_late.c", "INSERT INTO rollup_due", "spread", "the same batch"),
    ("vehicle_copy.c", "INSERT INTO ", "spread", "rows of one vehicle, from a table of the connection's own that was checked before"),
]

# Text that is no whole statement before it runs, or none for the parser: what it becomes.
NOT_JUDGED = [
    ("retention.c", "ALTER TABLE record DETACH PARTITION", "not where the extension citus is (test_retention.py)"),
    ("retention.c", "BEGIN; SET LOCAL lock_timeout = '2s'; ALTER TABLE", "where the extension citus is: a day goes at once"),
    ("retention.c", "BEGIN; SET LOCAL lock_timeout = '2s'; DROP TABLE", "a day that is detached"),
    ("vehicle_copy.c", "COPY (SELECT %s FROM %s", "tenant and device of one vehicle"),
    ("vehicle_copy.c", "COPY stage_%s", "a table of the connection's own"),
    ("vehicle_copy.c", "CREATE TEMP TABLE stage_%s", "a table of the connection's own"),
    ("vehicle_copy.c", "BEGIN ISOLATION LEVEL", "a transaction"),
    ("partition.c", "BEGIN; SELECT pg_advisory_xact_lock(20260102)", "makes a day, empty, and attaches it: Citus spreads it as its parent"),
    ("vehicle_copy.c", "SELECT count(*) FROM stage_%s", "a table of the connection's own"),
]

# Transactions, and over how many devices each goes.
TRANSACTIONS = {
    "op_store.c": "one device: the operation, its parameters and the audit line lie on one shard",
    "vehicle_copy.c": "one device",
    "store.c": "many: the batch of the ingest (docs/scale-out.md, known limits)",
    "user_store.c": "one shard: users are everywhere, and their audit lines have no device",
    "rollup_pass.c": "many: up to 200 hours of different devices, not in the way of a record",
    "retention.c": "none: the schema of a day",
    "partition.c": "none: the schema of a day",
    "migrate.c": "none: the schema",
    "jobs.c": "none: an advisory lock",
}


def row_of(rows, name, sql):
    return next((row for row in rows if row[0] == name and sql.startswith(row[1])), None)


def test_every_key_holds_the_distribution_column():
    """Primary keys begin with tenant and device, so each table may be distributed as it stands; nothing else is unique without it [FL-3]"""
    found = citus.tables()
    assert {"record", "latest", "op", "rollup", "rollup_due", "gap_lost", "alarm_span", "poison", "audit", "param_reported", "param_state"} == VEHICLES
    for name in VEHICLES:
        assert found[name] and all(key[:2] == ["tenant", "device"] for key in found[name]), f"{name}: {found[name]}"
    assert all(found[name] for name in EVERYWHERE - {"migration"})


def test_every_statement_is_one_that_a_cluster_carries_out():
    """On one shard; or on each by itself, with a reason here [FL-3]"""
    used, count = set(), {"router": 0, "fan-out": 0, "spread": 0, "other": 0}
    for name, sql in citus.statements():
        if row := row_of(NOT_JUDGED, name, sql):
            used.add(row)
            continue
        judgements = citus.judge(sql, VEHICLES, EVERYWHERE)
        assert judgements is not None, f"{name}: the parser does not know it: {sql}"
        for judgement in judgements:
            assert judgement.wrong == [], f"{name}: {judgement.wrong}: {sql}"
            count[judgement.kind] += 1
            if judgement.kind in ("fan-out", "spread"):
                row = row_of(EXCEPTIONS, name, sql)
                assert row and row[2] == judgement.kind, f"{name}: {judgement.kind}, and no reason is given: {sql}"
                used.add(row)
    assert count["router"] >= 20 and count["other"] >= 10, count
    assert used == set(EXCEPTIONS) | set(NOT_JUDGED), f"no such statement any more: {(set(EXCEPTIONS) | set(NOT_JUDGED)) - used}"


def test_every_transaction_says_over_how_many_devices_it_goes():
    """[FL-3]"""
    found = {name for name, sql in citus.statements() if re.match(r"BEGIN\b", sql)}
    assert found == set(TRANSACTIONS)


def test_nothing_stays_behind_in_a_connection_that_a_pooler_hands_on():
    """Settings and locks end with their transaction [FL-3]"""
    for name, sql in citus.statements():
        assert not re.search(r"(?:^|; )(?:SET (?!LOCAL)|LISTEN|DECLARE [^;]* WITH HOLD)", sql), f"{name}: {sql}"
        assert not re.search(r"pg_(try_)?advisory_lock\(", sql), f"{name}: {sql}"


@pytest.mark.parametrize("what, sql", [
    ("complex joins", "SELECT v.device FROM (SELECT DISTINCT tenant FROM latest) t, LATERAL (SELECT device FROM record WHERE record.tenant = t.tenant) v"),
    ("complex joins", "SELECT DISTINCT v.device FROM latest t JOIN rollup v ON v.tenant = t.tenant"),
    ("complex joins", "SELECT 1 FROM record r JOIN latest l ON l.tenant = r.tenant AND (l.device = r.device OR l.boot = r.boot)"),
    ("complex joins", "SELECT 1 FROM record WHERE tenant = $1 AND device = $2 AND EXISTS (SELECT FROM op WHERE tenant = $1 AND kind = 'refill')"),
    ("Subqueries in HAVING", "SELECT r.device FROM record r GROUP BY r.device HAVING count(*) > (SELECT count(*) FROM gap_lost g WHERE g.device = r.device)"),
    ("DO UPDATE SET", "INSERT INTO gap_lost (tenant, device, at) VALUES ($1, $2, $3) ON CONFLICT (tenant, device) DO UPDATE SET at = now()"),
    ("DO UPDATE SET", "INSERT INTO app_user (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET changed_at = now()"),
    ("lacks the distribution", "INSERT INTO latest (tenant, device) VALUES ($1, $2) ON CONFLICT (tenant) DO UPDATE SET boot = excluded.boot"),
    ("without a partition column", "INSERT INTO audit (tenant, by) VALUES ($1, $2)"),
    ("modifying the partition", "UPDATE latest SET device = $1 WHERE tenant = $2 AND device = $3"),
    ("VOLATILE", "DELETE FROM op WHERE tenant = $1 AND device = $2 AND created_at < clock_timestamp()"),
    ("FOR UPDATE", "SELECT 1 FROM op WHERE id = $1 FOR UPDATE"),
    ("a window", "SELECT row_number() OVER (PARTITION BY tenant ORDER BY received_at) FROM poison"),
])
def test_the_rules_can_fail(what, sql):
    """[FL-3]"""
    assert any(what in wrong for wrong in citus.judge(sql, VEHICLES, EVERYWHERE)[0].wrong), sql


@pytest.mark.parametrize("kind, sql", [
    ("router", "SELECT 1 FROM record r JOIN latest l ON l.device = r.device WHERE r.tenant = $1 AND r.device = $2"),
    ("router", "SELECT 1 FROM op WHERE tenant = $1 AND device = $2 FOR UPDATE"),
    ("router", "SELECT count(*) OVER (PARTITION BY epoch) FROM record WHERE device = $1"),
    ("fan-out", "SELECT 1 FROM record r JOIN latest l ON l.device = r.device"),
    ("fan-out", "SELECT 1 FROM (SELECT device, count(*) FROM record GROUP BY device) r JOIN latest l ON l.device = r.device"),
    ("fan-out", "SELECT 1 FROM op WHERE tenant = $1 AND (device = $2 OR id = $3)"),
    ("spread", "INSERT INTO latest SELECT tenant, device, boot FROM staging"),
    ("other", "SELECT 1 FROM app_user WHERE name = $1"),
    ("other", "UPDATE app_user SET tenant = $1 WHERE name = $2"),
])
def test_the_kinds_are_told_apart(kind, sql):
    """[FL-3]"""
    judgement = citus.judge(sql, VEHICLES, EVERYWHERE)[0]
    assert (judgement.kind, judgement.wrong) == (kind, [])
