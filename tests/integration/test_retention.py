# SPDX-License-Identifier: Apache-2.0
"""What is kept for so long and no longer: days of records, refused records; done by one process, whatever else runs."""
import datetime
import pathlib
import subprocess

import pytest
from harness import Instance, free_port, wait_until
from harness.instance import program

KEEP_DAYS = 5
POISON = 7
ALARM_DAYS = 9
OPTIONS = {"CELLWARDEN_RETENTION_DAYS": KEEP_DAYS, "CELLWARDEN_JOBS_PERIOD_S": 1, "CELLWARDEN_POISON_PER_DEVICE": POISON,
           "CELLWARDEN_POISON_DAYS": 3, "CELLWARDEN_ALARM_DAYS": ALARM_DAYS, "CELLWARDEN_ROLES": "all"}


@pytest.fixture(name="instance", scope="module")
def running():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in OPTIONS.items():
            patch.setenv(name, str(value))
        with Instance("retention") as instance:
            yield instance


def day(back):
    """The UTC date so many days ago."""
    return datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=back)


def name_of(back):
    return f"record_{day(back):%Y%m%d}"


def partitions(instance):
    return {row[0] for row in instance.psql("select inhrelid::regclass::text from pg_inherits where inhparent = 'record'::regclass")}


def tables(instance):
    return {row[0] for row in instance.psql("select relname from pg_class where relname ~ '^record_[0-9]{8}$'")}


def make(instance, back):
    """A day with one record in it."""
    instance.psql(  # one transaction: a pass sees all of it or nothing
        f"create table {name_of(back)} partition of record for values from ('{day(back)} 00:00:00+00') to ('{day(back - 1)} 00:00:00+00'); "
        "insert into record (tenant, device, first_at, epoch, seq, boot, first_no, count, last_at, received_at, alarm_level, record) "
        f"values ('keep', 'one', '{day(back)} 12:00:00+00', 1, {back}, 1, 1, 1, now(), now(), 0, '')")


def metric(instance, name):
    page = instance.api.http.get(instance.console + "/metrics", timeout=10).text
    return sum(int(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.split("{")[0].split(" ")[0] == name)


def passes(instance, result="done"):
    page = instance.api.http.get(instance.console + "/metrics", timeout=10).text
    return next(int(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith(f'cellwarden_jobs_total{{result="{result}"}}'))


def wait_for_a_whole_pass(instance):
    before = passes(instance)
    wait_until(lambda: passes(instance) >= before + 2, 20, "the jobs ran")


def test_days_are_made_ahead(instance):
    """[FL-3]"""
    wait_until(lambda: {name_of(-n) for n in range(4)} <= partitions(instance), 20, "today and three days ahead are there")


def test_days_are_dropped_when_the_retention_is_over_and_not_a_day_before(instance):
    """[FL-3]"""
    wait_for_a_whole_pass(instance)
    dropped = metric(instance, "cellwarden_partitions_dropped_total")
    for back in (KEEP_DAYS - 1, KEEP_DAYS, KEEP_DAYS + 1, 40, 500):
        make(instance, back)
    wait_until(lambda: not {name_of(n) for n in (KEEP_DAYS + 1, 40, 500)} & tables(instance), 20, "old days are gone")
    wait_for_a_whole_pass(instance)
    assert {name_of(KEEP_DAYS - 1), name_of(KEEP_DAYS)} <= partitions(instance)
    assert instance.psql("select seq from record where tenant = 'keep' order by seq") == [[str(KEEP_DAYS - 1)], [str(KEEP_DAYS)]]
    assert metric(instance, "cellwarden_partitions_dropped_total") >= dropped + 3
    assert metric(instance, "cellwarden_partitions") == len(partitions(instance))
    assert f"partition dropped name={name_of(500)}" in instance.log("server")


def test_a_day_that_was_left_half_dropped_goes_too_and_other_tables_stay(instance):
    """[FL-3]"""
    instance.psql("create table record_19990101 (x integer); create table record_1999 (x integer); create table record_199901011 (x integer)")
    wait_until(lambda: "record_19990101" not in tables(instance), 20, "the detached day is gone")
    assert instance.psql("select count(*) from pg_class where relname in ('record_1999', 'record_199901011')") == [["2"]]


def test_a_long_reader_delays_the_drop_and_nothing_else(instance):
    """[FL-3]"""
    reader = subprocess.Popen(["psql", "-XAtq", instance.fact("conninfo")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        make(instance, 60)
        reader.stdin.write("begin; select count(*) from record;\n")
        reader.stdin.flush()
        assert int(reader.stdout.readline()) >= 1
        make_done = passes(instance, "done") + passes(instance, "failed")
        wait_until(lambda: passes(instance, "done") + passes(instance, "failed") >= make_done + 1, 30, "a pass ended")
        instance.psql("set lock_timeout = '1s'; select count(*) from record")  # other readers do not wait
    finally:
        reader.communicate("commit;\n", timeout=10)
    wait_until(lambda: name_of(60) not in tables(instance), 30, "the day is dropped once the reader is done")


def test_a_cluster_drops_a_day_without_concurrently_which_it_does_not_have(instance):
    """By the name of the extension alone: Citus itself is not there [FL-3]"""
    folder = next(pathlib.Path(instance.fact("database_dir")).glob("server/share/postgresql/*/extension"))
    (folder / "citus.control").write_text("default_version = '0'\n")
    (folder / "citus--0.sql").write_text("")
    instance.psql("create extension citus")
    try:
        instance.psql("alter system set log_statement = 'ddl'")
        instance.psql("select pg_reload_conf()")
        make(instance, 80)
        wait_until(lambda: name_of(80) not in tables(instance), 20, "the day is gone")
    finally:
        instance.psql("drop extension citus")
        instance.psql("alter system reset log_statement")
        instance.psql("select pg_reload_conf()")
    said = [line for line in instance.log("database").splitlines() if name_of(80) in line and "create table" not in line]
    assert any(f"DETACH PARTITION {name_of(80)}; DROP TABLE {name_of(80)}" in line for line in said) and not any("CONCURRENTLY" in line for line in said), said
    make(instance, 81)
    wait_until(lambda: name_of(81) not in tables(instance), 20, "and without it as before")


def test_refused_records_are_kept_by_age_and_by_number_of_each_device(instance):
    """[FL-3]"""
    insert = ("insert into poison (tenant, device, digest, reason, topic, size, bytes, received_at, again_at) select '{0}', '{1}', "
              "int4send(n), 'corrupt', 't', 0, '', now() - n::integer * interval '{2}', {3} from generate_series(1, {4}) n")
    instance.psql(insert.format("acme", "noisy", "1 minute", "null", 5 * POISON))
    instance.psql(insert.format("acme", "quiet", "1 minute", "null", POISON))
    instance.psql(insert.format("acme", "old", "2 days", "null", 4))
    instance.psql(insert.format("acme", "again", "10 days", "now()", 2))
    wait_for_a_whole_pass(instance)
    kept = dict(instance.psql("select device, count(*) from poison where tenant = 'acme' group by device"))
    assert kept == {"noisy": str(POISON), "quiet": str(POISON), "old": "1", "again": "2"}
    newest = instance.psql("select max(digest::text) from poison where device = 'noisy'")
    assert newest == [[f"\\x{POISON:08x}"]], "the newest stay"
    assert metric(instance, "cellwarden_poison_removed_total") >= 4 * POISON + 3


def test_alarms_are_kept_by_their_end_as_long_as_their_tenant_wants(instance):
    """An alarm that goes on stays, however long ago it came [FL-3]"""
    instance.psql("insert into tenant_retention (tenant, alarm_days) values ('calm', 2)")
    removed, statements, ends = metric(instance, "cellwarden_alarms_removed_total"), [], (0, 1, 2, 3, ALARM_DAYS, ALARM_DAYS + 1, 4000)
    for tenant, device in (("calm", "a"), ("calm", "b"), ("ringing", "a")):
        statements.append(f"insert into latest values ('{tenant}', '{device}', 1, 1, now(), now(), '')")
        span = "insert into alarm_span (tenant, device, boot, alarm, number, from_no, to_no, from_at, to_at, level, value) values "
        statements += [span + f"('{tenant}', '{device}', 1, 2, {back}, 1, 2, '{day(back + 1)} 12:00+00', '{day(back)} 12:00+00', 2, 0)" for back in ends]
        statements.append(span + f"('{tenant}', '{device}', 1, 2, 9999, 1, 2, '{day(5000)} 12:00+00', now(), 2, 0)")
    instance.psql("; ".join(statements))
    wait_for_a_whole_pass(instance)
    kept = {(tenant, device): [int(n) for n in numbers.split(",")] for tenant, device, numbers in instance.psql(
        "select tenant, device, string_agg(number::text, ',' order by number) from alarm_span where tenant in ('calm', 'ringing') group by 1, 2")}
    assert kept == {("calm", "a"): [0, 1, 2, 9999], ("calm", "b"): [0, 1, 2, 9999], ("ringing", "a"): [0, 1, 2, 3, ALARM_DAYS, 9999]}
    assert metric(instance, "cellwarden_alarms_removed_total") == removed + 2 * 4 + 2
    with pytest.raises(AssertionError):
        instance.psql("insert into tenant_retention (tenant, alarm_days) values ('x', 0)")


def test_only_one_process_does_the_jobs(instance):
    """[FL-3]"""
    lock = subprocess.Popen(["psql", "-XAtq", instance.fact("conninfo")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        lock.stdin.write("select 'held' from (select pg_advisory_lock(20260103)) l;\n")
        lock.stdin.flush()
        assert lock.stdout.readline() == "held\n"
        skipped, done = passes(instance, "skipped"), passes(instance)
        make(instance, 70)
        wait_until(lambda: passes(instance, "skipped") >= skipped + 2, 20, "passes are skipped")
        assert name_of(70) in tables(instance) and passes(instance) <= done + 1
    finally:
        lock.communicate("\\q\n", timeout=10)
    wait_until(lambda: name_of(70) not in tables(instance), 20, "the lock is free again")


def test_a_process_for_jobs_alone_needs_no_broker(instance):
    """[FL-3]"""
    pki = instance.var / "pki"
    arguments = [program("cellwarden-server"), "--database", instance.fact("conninfo"), "--broker", f"localhost:{free_port()}", "--roles", "jobs",
                 "--ca", pki / "ca.crt", "--cert", pki / "server.crt", "--key", pki / "server.key", "--retention-days", 2, "--jobs-period-s", 1]
    make(instance, 3)
    alone = subprocess.Popen([str(a) for a in arguments], stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: name_of(3) not in tables(instance), 20, "its shorter retention is kept")
    finally:
        alone.terminate()
        _, said = alone.communicate(timeout=10)
    assert alone.returncode == 0 and f"partition dropped name={name_of(3)}" in said, said


def keep_of(instance, tenant):
    """Days back of the records, and of the hours, that a tenant still has."""
    back = "select distinct (now() at time zone 'UTC')::date - ({0} at time zone 'UTC')::date from {1} where tenant = '{2}' order by 1"
    return tuple([int(row[0]) for row in instance.psql(back.format(*of, tenant))] for of in (("first_at", "record"), ("hour", "rollup")))


def test_each_tenant_keeps_what_it_asked_for_and_days_go_by_the_longest(instance):
    """[FL-3]"""
    days = [(tenant, device, back) for tenant in ("brief", "long", "plain") for device in ("a", "b") for back in range(KEEP_DAYS + 5)]
    instance.psql("insert into tenant_retention values ('brief', 2, 3), ('long', 8, null)")
    for tenant, device in {(t, d) for t, d, _ in days}:
        instance.psql(f"insert into latest values ('{tenant}', '{device}', 1, 1, now(), now(), '')")
    statements = [f"create table if not exists {name_of(b)} partition of record for values from ('{day(b)} 00:00:00+00') to ('{day(b - 1)} 00:00:00+00')"
                  for b in range(KEEP_DAYS + 5)]
    for tenant, device, back in days:
        at = f"'{day(back)} 12:00:00+00'::timestamptz"
        statements.append("insert into record (tenant, device, first_at, epoch, seq, boot, first_no, count, last_at, received_at, alarm_level, record) "
                          f"select '{tenant}', '{device}', {at} + n * interval '1 minute', 1, {back} * 100 + n, 1, 1, 1, now(), now(), 0, '' from generate_series(1, 9) n")
        statements.append(f"insert into rollup (tenant, device, hour, made_at, samples, whole, minutes) values ('{tenant}', '{device}', {at}, now(), 1, '', '')")
    removed = metric(instance, "cellwarden_rows_removed_total")
    instance.psql("; ".join(statements))
    wait_for_a_whole_pass(instance)
    every = list(range(KEEP_DAYS + 5))
    assert keep_of(instance, "brief") == ([0, 1, 2], [0, 1, 2, 3])
    assert keep_of(instance, "plain") == (every[:KEEP_DAYS + 1], every)
    assert keep_of(instance, "long") == (every[:9], every)
    assert name_of(8) in tables(instance) and name_of(9) not in tables(instance)
    assert metric(instance, "cellwarden_rows_removed_total") >= removed + 2 * (9 * 6 + 6) + 2 * 9 * 3
    instance.psql("delete from tenant_retention where tenant = 'long'")
    wait_for_a_whole_pass(instance)
    assert keep_of(instance, "long")[0] == every[:KEEP_DAYS + 1] and name_of(8) not in tables(instance)


def test_a_tenants_retention_that_makes_no_sense_is_refused(instance):
    """[FL-3]"""
    for row in ("('x', 0, null)", "('x', 36501, null)", "('x', 10, 9)", "('x', 1, 36501)"):
        with pytest.raises(AssertionError):
            instance.psql(f"insert into tenant_retention values {row}")
