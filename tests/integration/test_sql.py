# SPDX-License-Identifier: Apache-2.0
"""Cells in SQL: what the PostgreSQL extension gives is what the API gives, what is not a record is refused, and a reader sees one tenant."""
import csv
import io
import json
import pathlib
import random
import re
import subprocess

import pytest
from harness import ROOT
from harness.instance import BUILD
from harness.record import ZERO_CELLS_BODY, record, seal

FUNCTIONS = {"cellwarden_samples": "bytes", "cellwarden_cell": "bytes, 1",
             "cellwarden_cell_buckets": "bytes, 1, '-infinity', 'infinity', '7 s'", "cellwarden_probe": "bytes, 1", "cellwarden_cells_minmax": "bytes",
             "cellwarden_fault": "bytes"}
ANY = "any.one"
NAMES = {"cellwarden_alarm_name"}
# What a statement may say of bytes that are no record: not one, or a time that no calendar has.
CLEAN = {"22P03", "22008"}


def recorded_signals():
    return re.findall(r"^SIGNAL *\(\w+, +(\w+),.*, 1, \"", (ROOT / "proto/signals.def").read_text(), re.M)


def rows_of(system, sql):
    return [json.loads(row[0]) for row in system.psql(f"select row_to_json(q) from ({sql}) q")]


def history(of, function="sample_history", more=""):
    return f"{function}('{of.tenant}', '{of.vehicle}', {more}to_timestamp({of.from_ms} / 1000.0), to_timestamp({of.to_ms} / 1000.0))"


def test_the_functions_are_there_and_may_run_anywhere(system):
    """Immutable, strict and parallel safe, in a version that names its signals [FL-3]"""
    assert system.psql("select extversion from pg_extension where extname = 'cellwarden'") == [[f"1.{len(recorded_signals())}"]]
    kinds = system.psql("select p.proname, p.provolatile, p.proisstrict, p.proparallel from pg_proc p join pg_depend d on d.objid = p.oid "
                        "join pg_extension e on e.oid = d.refobjid where e.extname = 'cellwarden' order by 1")
    assert kinds == [[name, "i", "t", "s"] for name in sorted(NAMES | set(FUNCTIONS))]


def test_every_value_in_sql_is_that_of_the_api(system, open_wire):
    """All samples of a vehicle, all columns; what is not valid is NULL on both sides, and never 0 [FL-3] [FL-5]"""
    answer = system.api.call("GET", f"/vehicles/{open_wire.device}/export?from={open_wire.from_ms}&to={open_wire.to_ms}")
    wanted = {(int(r["boot"]), int(r["no"])): r for r in csv.DictReader(io.StringIO(answer.text, newline=""))}
    got = rows_of(system, f"select *, (extract(epoch from at) * 1000)::bigint as utc_ms from {history(open_wire)}")
    assert len(got) == len(wanted) >= 30
    nothing = set()
    for row in got:
        api = wanted[row["boot"], row["no"]]
        values = {"utc_ms": row["utc_ms"], **{name: row[name.lower()] for name in recorded_signals()}}
        values.update({f"cell_{i + 1}_mV": v for i, v in enumerate(row["cell_mv"])})
        values.update({f"temp_{i + 1}_ddegC": v for i, v in enumerate(row["temp_ddegc"])})
        assert {name: "" if v is None else str(v) for name, v in values.items()} == {k: v for k, v in api.items() if k not in ("time", "boot", "no")}
        nothing |= {name for name, v in values.items() if v is None}
    assert {f"cell_{open_wire.cell}_mV", f"cell_{open_wire.cell + 1}_mV"} & nothing, "the broken wire shows"
    assert len(got[0]["cell_mv"]) == len(got[0]["balancing"]) == 20


def test_one_cell_one_probe_and_the_extremes_say_what_the_arrays_say(system, open_wire):
    """[FL-3]"""
    samples = f"(select at, cell_mV, temp_ddegC from {history(open_wire)}) s"
    for cell in (1, open_wire.cell, 20):
        assert system.psql(f"select count(*), count(*) filter (where s.cell_mV[{cell}] is distinct from c.mV) from {samples} "
                           f"join {history(open_wire, 'cell_history', f'{cell}, ')} c using (at)")[0][1] == "0"
    assert system.psql(f"select count(*) filter (where s.temp_ddegC[2] is distinct from p.ddegC), count(*) >= 30 from {samples} "
                       f"join {history(open_wire, 'probe_history', '2, ')} p using (at)") == [["0", "t"]]
    wrong = ("e.min_mV is distinct from a.low or e.max_mV is distinct from a.high or s.cell_mV[e.min_cell] is distinct from a.low or "
             "s.cell_mV[e.max_cell] is distinct from a.high or abs(e.mean_mV - a.mean) > 0.5 or "
             "exists (select from generate_series(1, e.min_cell - 1) k where s.cell_mV[k] = a.low)")
    assert system.psql(f"select count(*) filter (where {wrong}), count(*) >= 30 from {samples} join {history(open_wire, 'extreme_history')} e using (at), "
                       "lateral (select min(v) low, max(v) high, avg(v) mean from unnest(s.cell_mV) v) a") == [["0", "t"]]
    equal = sql_bytes(record(ANY, 1, 7, 1000, cells=16, body=ZERO_CELLS_BODY))
    assert system.psql(f"select * from cellwarden_cells_minmax({equal})") == [["1970-01-01 00:00:01+00", "0", "1", "0", "1", "0"]], "the first of equals; 0 is a value"
    assert int(system.psql(f"select count(*) from cell_values where tenant = '{open_wire.tenant}'")[0][0]) >= 30 * 20


def test_a_cell_in_steps_of_time_is_what_its_samples_make(system, open_wire):
    """Whatever the step, and at the edges of the span to the sample [FL-3]"""
    samples = system.psql(f"select (extract(epoch from at) * 1000000)::bigint, mV from {history(open_wire, 'cell_history', '3, ')} where mV is not null")
    samples = [(int(at), int(mV)) for at, mV in samples]
    since, until = samples[7][0], samples[-5][0]
    span = f"'epoch'::timestamptz + {since} * interval '1 us', 'epoch'::timestamptz + {until} * interval '1 us'"
    for step_us in (1_500_000, 7_000_000, 3_600_000_000, 1):
        wanted = {}
        for at, mV in samples:
            if since <= at < until:
                wanted.setdefault(at // step_us * step_us, []).append(mV)
        step = f"{step_us} * interval '1 us'"
        every_record = (f"(select b.at, sum(samples) as samples, min(min_mV) as min_mV, sum(sum_mV) / sum(samples) as mean_mV, max(max_mV) as max_mV from record r, "
                        f"cellwarden_cell_buckets(r.record, 3, {span}, {step}) b where tenant = '{open_wire.tenant}' group by 1 order by 1) q")
        for source in (every_record, f"cell_range('{open_wire.tenant}', '{open_wire.vehicle}', 3, {span}, {step})"):
            got = system.psql(f"select (extract(epoch from at) * 1000000)::bigint, samples, min_mV, round(mean_mV, 6), max_mV from {source}")
            assert [(int(at), int(n), int(low), float(mean), int(high)) for at, n, low, mean, high in got] == \
                [(at, len(v), min(v), round(sum(v) / len(v), 6), max(v)) for at, v in sorted(wanted.items())]
    for step in ("0 s", "-1 s", "1 month"):
        with pytest.raises(AssertionError, match="the step must be"):
            system.psql(f"select * from cell_range('{open_wire.tenant}', '{open_wire.vehicle}', 3, '-infinity', 'infinity', '{step}')")


def test_a_cell_that_the_pack_does_not_have_gives_no_rows_and_one_that_cannot_be_is_an_error(system, open_wire):
    """[FL-3]"""
    assert system.psql(f"select count(*) from {history(open_wire, 'cell_history', '20, ')}") != [["0"]]
    assert system.psql(f"select count(*) from {history(open_wire, 'cell_history', '21, ')}") == [["0"]]
    assert system.psql(f"select count(*) from {history(open_wire, 'cell_history', '160, ')}") == [["0"]]
    for call, named in (("cell_history', '161, ", "cell 161"), ("cell_history', '0, ", "cell 0"), ("probe_history', '65, ", "probe 65")):
        function, number = call.split("', '")
        with pytest.raises(AssertionError, match=f"{named}: they are numbered from 1 to"):
            system.psql(f"select * from {history(open_wire, function, number)}")
    assert system.psql("select count(*) from cellwarden_samples(null)") == [["0"]]


def sql_bytes(data):
    return f"'\\x{data.hex()}'::bytea"


def test_a_board_without_a_clock_has_no_time_and_a_time_beyond_the_calendar_is_refused(system):
    """[FL-3]"""
    last = 9_224_318_015_999_999  # the millisecond in which timestamptz ends, since 1970
    assert system.psql(f"select at is null, no from cellwarden_samples({sql_bytes(record(ANY, 1, 7, 0))})") == [["t", "7"]]
    assert system.psql(f"select extract(year from at) from cellwarden_samples({sql_bytes(record(ANY, 1, 7, last))})") == [["294276"]]
    for late in (last + 1, 2**63 - 1, 2**64 - 1):
        with pytest.raises(AssertionError, match="time of a sample is out of range"):
            system.psql(f"select at from cellwarden_samples({sql_bytes(record(ANY, 1, 7, late))})")
    unknown = sql_bytes(record(ANY, 1, 7, 1, schema=2))
    assert system.psql(f"select cellwarden_fault({unknown})") == [["unknown schema version"]]
    assert system.psql("select cellwarden_fault(convert_to(repeat('x', 50000000), 'UTF8'))")[0][0].startswith("value outside")


def broken(whole):
    """(bytes, whether every function gets them or one in turn): every length, every byte flipped as it is, the same sealed again so that the decoder sees it,
    and noise, half of it sealed."""
    dice = random.Random(20260131)
    envelope = whole[:-5]
    yield from ((whole[:n], False) for n in range(1, len(whole)))
    for at in range(len(whole)):
        yield whole[:at] + bytes([whole[at] ^ 1 << dice.randrange(8)]) + whole[at + 1:], False
    for at in range(len(envelope)):
        yield seal(envelope[:at] + bytes([envelope[at] ^ 1 << dice.randrange(8)]) + envelope[at + 1:]), True
    for _ in range(10_000):
        noise = dice.randbytes(dice.randrange(1, 64))
        yield noise if dice.random() < 0.5 else seal(envelope[:dice.randrange(len(envelope))] + noise), False


def test_no_bytes_bring_the_database_down(system, open_wire):
    """Flipped, cut short, sealed again, random: an error that says so, or rows; the same backend answers to the end [FL-3]"""
    whole = bytes.fromhex(system.psql(f"select encode(record, 'hex') from record where tenant = '{open_wire.tenant}' "
                                      "order by length(record) limit 1")[0][0])
    tries = "\n".join(f"{data.hex()}\t{every}" for data, every in broken(whole))
    calls = "\n".join(
        f"if t.every or t.n % {len(FUNCTIONS)} = {turn} then begin perform * from {name}({args}); good := good + 1; exception when others then "
        "insert into said values (sqlstate) on conflict (state) do update set times = said.times + 1; end; end if;"
        for turn, (name, args) in enumerate(FUNCTIONS.items()))
    script = (
        "create temp table tries (n serial, hex text, every boolean); create temp table said (state text primary key, times bigint default 1);\n"
        f"select pg_backend_pid();\ncopy tries (hex, every) from stdin;\n{tries}\n\\.\n"
        "do $$ declare t record; bytes bytea; good bigint := 0; begin for t in select * from tries order by n loop bytes := decode(t.hex, 'hex');\n"
        f"{calls}\nend loop; insert into said values ('rows', good); end $$;\n"
        "select pg_backend_pid(), (select count(*) from tries), (select json_object_agg(state, times) from said);\n")
    done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", system.fact("conninfo")], input=script, capture_output=True, text=True, timeout=240,
                          check=False)
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.splitlines()
    pid, count, said = after.split("|")
    said = json.loads(said)
    assert pid == before and int(count) >= 10_000 + 3 * len(whole) - 10
    assert set(said) <= CLEAN | {"rows"}, said
    assert said["22P03"] > 2 * len(whole) and said["rows"] > 0
    assert "terminated by signal" not in system.log("database")


def test_an_older_version_is_read_by_the_newer_library_and_upgraded_in_place(system, tmp_path):
    """[FL-3]"""
    folder = next(pathlib.Path(system.fact("database_dir")).glob("server/share/postgresql/*/extension"))
    old, new = len(recorded_signals()) - 1, len(recorded_signals())
    subprocess.run([BUILD / "pgext/bin/cellwarden_pg_sql", tmp_path, str(old)], check=True)
    upgrade = f"cellwarden--1.{old}--1.{new}.sql"
    (folder / upgrade).write_text((tmp_path / upgrade).read_text())
    (folder / f"cellwarden--1.{old}.sql").write_text(
        "create function cellwarden_samples(record bytea) returns table (no bigint, soc_permyriad integer) as 'MODULE_PATHNAME' language c immutable strict;"
        "create function cellwarden_later(record bytea) returns table (at timestamptz, not_yet integer) as 'MODULE_PATHNAME', 'cellwarden_samples' "
        "language c immutable strict;")
    whole = sql_bytes(record(ANY, 1, 7, 1))
    try:
        system.psql("create schema older")
        script = (f"set search_path = older; drop extension cellwarden cascade; create extension cellwarden version '1.{old}';"
                  f"select * from cellwarden_samples({whole});")
        done = transaction(system, script + "alter extension cellwarden update; "
                           f"select no, slot_overruns is null, cell_mV from cellwarden_samples({whole}); select extversion from pg_extension where extname = 'cellwarden';")
        assert done == ["7|", "7|t|{}", f"1.{new}"]
        with pytest.raises(AssertionError, match='does not know column "not_yet"'):
            transaction(system, script + f"select * from cellwarden_later({whole});")
    finally:
        system.psql("drop schema older cascade")
        (folder / upgrade).unlink()
        (folder / f"cellwarden--1.{old}.sql").unlink()


def transaction(system, script):
    """The lines that it prints; nothing of it stays."""
    done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", system.fact("conninfo")], input=f"begin; {script} rollback;", capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_reader_sees_one_tenant_and_changes_nothing(system, open_wire):
    """Through tables, views and functions alike [FL-5]"""
    for tenant in (open_wire.tenant, "elsewhere"):
        for _ in range(2):  # it may run again
            subprocess.run(["psql", "-Xq", system.fact("conninfo"), "-v", f"role=reader_{tenant}", "-v", f"tenant={tenant}", "-f",
                            ROOT / "deploy/grafana/reader.sql"], check=True, capture_output=True, timeout=60)
    counts = ("select (select count(*) from record), (select count(*) from cell_samples), (select count(*) from latest), "
              f"(select count(*) from {history(open_wire, 'cell_history', '1, ')})")
    mine, theirs = (system.psql(f"set role reader_{tenant}; {counts}")[0] for tenant in (open_wire.tenant, "elsewhere"))
    assert all(int(n) > 0 for n in mine) and theirs == ["0"] * 4
    assert system.psql("set role reader_wire; select distinct tenant from record") == [["wire"]]
    for forbidden in ("select * from app_user", "select * from poison", "delete from record", "update latest set no = 1", "insert into op default values",
                      "set role cellwarden", "select * from " + system.psql("select max(inhrelid::regclass::text) from pg_inherits where inhparent = "
                                                                           "'record'::regclass")[0][0]):
        with pytest.raises(AssertionError, match="permission denied|read-only"):
            system.psql(f"set session authorization reader_wire; {forbidden}")
    assert int(system.psql("select count(*) from record")[0][0]) >= int(mine[0]), "the server sees all"
