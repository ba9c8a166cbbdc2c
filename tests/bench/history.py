# SPDX-License-Identifier: Apache-2.0
"""./cellwarden bench history: how long somebody waits for a vehicle's past, over HTTP, in a database as full as one of 50 GB.

One vehicle has a whole day of real records (48 cells, one sample a second, 60 a record), stored and rolled up by the server, and hours for a year. Around
it lie as many rows of other vehicles as 50 GB hold: same tables, same keys, same day partitions, but short bodies, so that building them takes minutes
and not hours; what the questions read (keys, summary columns, roll-ups, the one vehicle's bodies) is not shortened. Each question is asked many times.
"""
import argparse
import json
import statistics
import subprocess
import sys
import time

import pytest
from harness import Instance, wait_until
from harness.instance import program

DEVICE, TENANT = "past.load-0000", "past"
DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000
RECORDS_A_DAY = 1440
BYTES_A_ROW = 60 * 29  # disk of a record of 60 frames, ./cellwarden bench ingest
LIMITS_MS = {"minutes_24h": 10, "one_cell_24h": 30, "year_hourly": 50, "export_first_byte": 100}
SQL_CELL = f"('{TENANT}', '{DEVICE.split('.')[1]}', 7, to_timestamp({{0}} / 1000.0), to_timestamp({{1}} / 1000.0)"
# In one connection to the database, psql's own clock, all rows fetched: as Grafana asks (a bucket a minute), and every sample.
SQL = {"one_cell_24h_sql": "select * from cell_range" + SQL_CELL + ", '1 min')",
       "one_cell_24h_sql_rows": "select at, mV from cell_history" + SQL_CELL + ")"}


def note(text):
    print(text, file=sys.stderr, flush=True)


def send_a_day(instance):
    """25 hours of one vehicle up to now, through broker and server."""
    ca, certificate, key = instance.device_files(f"{TENANT}.load")
    command = [program("cellwarden-load"), "--uri", f"ssl://localhost:{instance.broker[1]}", "--ca", ca, "--cert", certificate, "--key", key, "--tenant", TENANT,
               "--devices", 1, "--records", RECORDS_A_DAY + 60, "--batch", 60, "--cells", 48, "--temps", 12, "--timeout-s", 120]
    subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=150)
    wait_until(lambda: int(instance.psql(f"select count(*) from rollup where tenant = '{TENANT}'")[0][0]) >= 24, 200, "the hours are rolled up")
    wait_until(lambda: instance.psql("select count(*) from rollup_due") == [["0"]], 60, "nothing late is left")


def add_a_year_of_hours(instance):
    """The vehicle's newest hour again for each hour of the year before."""
    instance.psql(
        "insert into rollup select r.tenant, r.device, h, now(), r.samples, r.cell_min_mV, r.cell_max_mV, r.temp_min_ddegC, r.temp_max_ddegC, r.soc_min_permyriad, "
        "r.soc_max_permyriad, r.current_min_mA, r.current_max_mA, r.current_mean_mA, r.alarm_level, r.whole, r.minutes from (select * from rollup "
        f"where tenant = '{TENANT}' order by samples desc, hour desc limit 1) r, generate_series(date_trunc('hour', now()) - interval '367 days', "
        "date_trunc('hour', now()) - interval '1 hour', interval '1 hour') h on conflict do nothing")


def add_a_day(instance, back, vehicles):
    """The records of other vehicles of the day so many days ago; a partition that is not there yet is filled first and then attached, as that is fast."""
    name, day, after = instance.psql("select 'record_' || to_char(d, 'YYYYMMDD'), d, d + 1 "
                                     f"from (select (now() at time zone 'UTC')::date - {back}) t(d)")[0]
    there = instance.psql(f"select to_regclass('{name}') is not null")[0][0] == "t"
    filled = name if there else f"{name}_new"
    if not there:
        instance.psql(f"create table {filled} (like record including defaults including storage)")
    instance.psql(
        f"insert into {filled} select 'others', 'v' || v, t, v, {back} * {RECORDS_A_DAY} + n, 1, n * 60, 60, t + interval '59 s', t + interval '60 s', 3300, 3400, 3350, "
        f"5000, 0, 20000, 160000, 200, 260, 0, '\\x00' from generate_series(1, {vehicles}) v, generate_series(0, {RECORDS_A_DAY - 1}) n, "
        f"lateral (select timestamptz '{day} 00:00+00' + n * interval '1 minute') s(t)", timeout=600)
    if not there:
        instance.psql(f"alter table {filled} add primary key (tenant, device, first_at, epoch, seq); alter table {filled} rename to {name}; "
                      f"alter table record attach partition {name} for values from ('{day} 00:00+00') to ('{after} 00:00+00')", timeout=600)


def add_hours_of_others(instance, vehicles, days):
    instance.psql(
        "insert into rollup select 'others', 'v' || v, h, now(), 3600, 3300, 3400, 200, 260, 5000, 5000, 0, 20000, 100, 0, r.whole, r.minutes from (select * from rollup "
        f"where tenant = '{TENANT}' limit 1) r, generate_series(1, {vehicles}) v, generate_series(date_trunc('hour', now()) - interval '{min(days, 10)} days', "
        "now(), interval '1 hour') h", timeout=600)


def add_others(instance, rows, days):
    """`rows` records of other vehicles, spread over day partitions, and their hours. Returns the rows that there are."""
    vehicles = max(1, rows // days // RECORDS_A_DAY)
    for back in range(days):
        add_a_day(instance, back, vehicles)
        note(f"day {back + 1} of {days}: {vehicles * RECORDS_A_DAY} rows")
    add_hours_of_others(instance, vehicles, days)
    return settle(instance)


def settle(instance):
    """What autovacuum would do beside the questions is done before them. Returns the rows of records."""
    instance.psql("vacuum analyze record", timeout=600)
    instance.psql("vacuum analyze rollup", timeout=600)
    instance.psql("checkpoint", timeout=600)
    return int(instance.psql("select sum(c.reltuples)::bigint from pg_inherits i join pg_class c on c.oid = i.inhrelid where inhparent = 'record'::regclass")[0][0])


def times(ask, count):
    """Milliseconds of each of `count` questions, after three that are not counted."""
    spent = []
    for i in range(count + 3):
        began = time.perf_counter()
        ask()
        if i >= 3:
            spent.append((time.perf_counter() - began) * 1000)
    return {"p50_ms": round(statistics.median(spent), 2), "worst_ms": round(max(spent), 2), "asked": count}


def history(instance, series, begin, end, px, buckets):
    answer = instance.api.call("GET", f"/vehicles/{DEVICE}/history?series={series}&from={begin}&to={end}&px={px}")
    body = answer.json()
    if answer.status_code != 200 or len(body["t"]) < buckets or sum(body["series"][series.split(",", maxsplit=1)[0]]["count"]) == 0:
        sys.exit(f"the answer is not what was asked for: {answer.status_code} {answer.text[:300]}")
    return body


def first_byte(instance, begin, end):
    answer = instance.api.call("GET", f"/vehicles/{DEVICE}/export?from={begin}&to={end}", stream=True)
    got = b""
    for piece in answer.iter_content(256):
        got += piece
        if got.count(b"\n") >= 2:  # the head and a line
            break
    answer.close()
    if got.count(b"\n") < 2:
        sys.exit("the export has no line")


def ask_all(instance, count):
    last = int(instance.psql(f"select (extract(epoch from max(last_at)) * 1000)::bigint from record where tenant = '{TENANT}'")[0][0])
    end = last // MINUTE * MINUTE
    year_end = last // HOUR * HOUR
    return {
        "minutes_24h": times(lambda: history(instance, "cell_min_mV,cell_max_mV", end - DAY, end, 1440, 1440), count),
        "one_cell_24h": times(lambda: history(instance, "cell_7_mV", end - DAY, end, 2000, 1000), count),
        "year_hourly": times(lambda: history(instance, "cell_min_mV,cell_max_mV", year_end - 365 * DAY, year_end, 8760, 8760), count),
        "export_first_byte": times(lambda: first_byte(instance, end - DAY, end), min(count, 20)),
    }


def sql_times(instance, sql, count, rows):
    """As times(), by the extension of server/pgext."""
    script = "\\timing on\n\\o /dev/null\n" + f"{sql};\n" * (count + 3) + f"\\o\n\\timing off\nselect 'rows', count(*) from ({sql}) q;\n"
    done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", instance.fact("conninfo")], input=script, capture_output=True, text=True, timeout=120,
                          check=False)
    if done.returncode != 0 or not done.stdout.rstrip().endswith(f"rows|{rows}"):
        sys.exit(f"not the rows that were asked for: {done.stdout[-100:]} {done.stderr[-300:]}")
    spent = [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("Time: ")][3:]
    return {"p50_ms": round(statistics.median(spent), 2), "worst_ms": round(max(spent), 2), "asked": len(spent)}


def ask_in_sql(instance, count):
    """Nothing where the extension is not installed."""
    if instance.psql("select count(*) from pg_extension where extname = 'cellwarden'") == [["0"]]:
        return {}
    last = int(instance.psql(f"select (extract(epoch from max(last_at)) * 1000)::bigint from record where tenant = '{TENANT}'")[0][0])
    end = last // MINUTE * MINUTE
    return {name: sql_times(instance, sql.format(end - DAY, end), count, 1440 if "1 min" in sql else 86400) for name, sql in SQL.items()}


def words():
    parser = argparse.ArgumentParser(prog="./cellwarden bench history", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--gigabytes", type=float, default=50, help="as many rows as a database of this size has (default 50)")
    parser.add_argument("--days", type=int, default=30, help="day partitions that they lie in (default 30)")
    parser.add_argument("--asked", type=int, default=40, help="times that each question is asked (default 40)")
    args = parser.parse_args()
    if not 0.01 <= args.gigabytes <= 1000 or not 1 <= args.days <= 365 or not 1 <= args.asked <= 10000:
        parser.error("gigabytes 0.01 to 1000, days 1 to 365, asked 1 to 10000")
    return args


def main():
    args = words()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLWARDEN_ROLLUP_PERIOD_S", "1")
        patch.setenv("CELLWARDEN_RETENTION_DAYS", "400")
        with Instance("bench-history") as instance:
            instance.let_speak_for_all(f"{TENANT}.load")
            send_a_day(instance)
            add_a_year_of_hours(instance)
            rows = add_others(instance, int(args.gigabytes * 1e9 / BYTES_A_ROW), args.days)
            result = ask_all(instance, args.asked)
            in_sql = ask_in_sql(instance, args.asked)
            size = int(instance.psql("select pg_database_size(current_database())")[0][0])
    over = [name for name, limit in LIMITS_MS.items() if result[name]["p50_ms"] > limit]
    result.update(in_sql)
    result.update(limits_ms=LIMITS_MS, over=over, record_rows=rows, equivalent_GB=round(rows * BYTES_A_ROW / 1e9, 1), database_GB=round(size / 1e9, 1),
                  scaled="row counts of a database of that size; the bodies of the other vehicles are one byte")
    if args.json:
        print(json.dumps(result))
    else:
        for name, limit in LIMITS_MS.items():
            print(f"{name:>18}: {result[name]['p50_ms']} ms, worst {result[name]['worst_ms']} of {result[name]['asked']} (limit {limit})")
        for name, spent in in_sql.items():
            print(f"{name:>22}: {spent['p50_ms']} ms, worst {spent['worst_ms']} of {spent['asked']}")
        print(f"  {rows} rows of records, as {result['equivalent_GB']} GB have; {result['database_GB']} GB on disk")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
