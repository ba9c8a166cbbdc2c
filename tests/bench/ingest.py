# SPDX-License-Identifier: Apache-2.0
"""./cellwarden bench ingest: how many frames a second go from MQTT over TLS into PostgreSQL, what each costs, and whether any got lost.

Database, broker, server and load generator share this machine; TLS and fsync are on. A frame is one sample of one pack. For each shape
(frames a record, cells) the load generator sends records until each is acknowledged, which is after COMMIT; then all of them are counted in the
database, and those of a few devices are compared sample by sample. `copy_limit_frames_per_s` is raw COPY BINARY of the same rows in the same run: all
columns, into a table of the same definition (partitions, key, storage, logged, fsync on), over one connection, with as many records in a transaction as
the ingest had in one (`records_per_transaction`). `ratio` says how much of that is left when decoding, MQTT, TLS and the load generator share the machine.
`ratio_of_cpu` is another question: CPU time of the database for the raw COPY of a frame, divided by that of server, broker and database together for an
ingested one; `ratio_of_database_cpu` the same for the database alone. Both are beside `ratio`, not in its place.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import peers
from harness import Instance
from harness.instance import program

SHAPES = [  # key, frames a record, cells, temperatures, frames/s expected: only decides how many records fill the seconds
    ("60", 60, 48, 12, 1_300_000),
    ("10", 10, 48, 12, 350_000),
    ("1", 1, 48, 12, 40_000),
    ("60x160", 60, 160, 12, 600_000),
]
COPY_LIMIT = ("COPY BINARY of the same rows in the same run: all columns, into a table of the same definition (day partitions, primary key, storage, logged, "
              "fsync on), one connection, records_per_transaction records in each transaction, median of three")
TENANT = "bench"
COMPARED = 3  # devices whose samples are compared one by one
TICK = os.sysconf("SC_CLK_TCK")
COLUMNS = ("tenant, device, first_at, epoch, seq, boot, first_no, count, last_at, received_at, cell_min_mV, cell_max_mV, cell_mean_mV, soc_permyriad, "
           "current_min_mA, current_max_mA, voltage_mV, temp_min_ddegC, temp_max_ddegC, alarm_level, record")


def stat(path):
    """(parent, own seconds, seconds of children that ended), or None when it is gone."""
    try:
        fields = pathlib.Path(path, "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / TICK, (int(fields[13]) + int(fields[14])) / TICK


def cpu(pid):
    """Seconds of a process, of its children and of those that have ended."""
    own = stat(f"/proc/{pid}")
    total = own[1] + own[2]
    for each in pathlib.Path("/proc").glob("[0-9]*"):
        child = stat(each)
        if child and child[0] == pid:
            total += child[1] + child[2]
    return total


def threads(pid):
    return {task.name: stat(task)[1] for task in pathlib.Path(f"/proc/{pid}/task").iterdir() if stat(task)}


class Watch:
    """CPU seconds of our processes between entering and leaving."""

    def __init__(self, instance):
        self.pids = {name: instance.pid(name) for name in ("server", "broker", "database")}
        self.seconds, self.threads = {}, {}

    def __enter__(self):
        self.before = {name: cpu(pid) for name, pid in self.pids.items()}
        self.before_threads = threads(self.pids["server"])
        return self

    def __exit__(self, *_):
        self.seconds = {name: cpu(pid) - self.before[name] for name, pid in self.pids.items()}
        self.threads = sorted((spent - self.before_threads.get(name, 0) for name, spent in threads(self.pids["server"]).items()), reverse=True)


def season(instance):
    """A database in service writes its log into segments that it has written before; a new one has to make each, and nobody commits meanwhile. So here
    it has written once what it keeps (min_wal_size, 64 segments)."""
    instance.psql("select sum(pg_logical_emit_message(false, 'season', repeat('0123456789abcdef', 262144)) - '0/0') from generate_series(1, 260)", timeout=300)
    instance.psql("checkpoint", timeout=300)


def load(instance, shape, number, args, truth):
    """Runs the generator; returns what it says, and its own CPU seconds."""
    _, batch, cells, temps, guess = shape
    ca, certificate, key = instance.device_files(f"{TENANT}.load")
    records = max(1, int(args.seconds * guess / batch / args.devices))
    command = [program("cellwarden-load"), "--uri", f"ssl://localhost:{instance.broker[1]}", "--ca", ca, "--cert", certificate, "--key", key,
               "--tenant", TENANT, "--devices", args.devices, "--records", records, "--batch", batch, "--cells", cells, "--temps", temps,
               "--window", args.window, "--seed", number, "--truth", truth, "--truth-devices", COMPARED, "--timeout-s", int(30 + 5 * args.seconds)]
    before = os.times()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=60 + 6 * args.seconds)
    after = os.times()
    if done.returncode != 0:
        sys.exit(f"the load generator failed: {done.stdout}{done.stderr}")
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return json.loads(done.stdout), spent


def compare(instance, truth):
    """Of a few devices every sample: (lost, duplicates) as cellwarden-verify sees them."""
    pairs = [word for name in range(COMPARED) for word in ("--device", f"{TENANT}.load-{name:04d}", "--truth", truth / f"{TENANT}.load-{name:04d}.truth")]
    done = subprocess.run([program("cellwarden-verify"), "--database", instance.fact("conninfo"), *map(str, pairs), "--json"],
                          capture_output=True, text=True, check=False, timeout=120)
    found = json.loads(done.stdout)
    if found["mismatched"] or found["unreadable"]:
        sys.exit(f"what was stored is not what was measured: {found}")
    return found["lost"], found["duplicates"]


def rows_of(stream):
    """The rows of a binary COPY (manual, COPY, "Binary Format"), each as its bytes."""
    at = 19 + int.from_bytes(stream[15:19], "big")
    while (fields := int.from_bytes(stream[at:at + 2], "big")) != 0xFFFF:
        end = at + 2
        for _ in range(fields):
            length = int.from_bytes(stream[end:end + 4], "big", signed=True)
            end += 4 + max(length, 0)
        yield stream[at:end]
        at = end


def copy_limit(instance, frames, batch_records, folder):
    """Frames/s of COPY BINARY of the same rows, all columns, into a table of the same definition: partitioned by day, same key, same storage, logged,
    fsync on. One connection, and one transaction for as many records as the ingest put into one (the mean of this run). The median of three."""
    conninfo = instance.fact("conninfo")
    done = subprocess.run(["psql", "-XAtq", conninfo, "-c", f"copy (select {COLUMNS} from record order by received_at) to stdout binary"],
                          capture_output=True, check=True, timeout=120)
    rows = list(rows_of(done.stdout))
    script = folder / "copies.sql"
    with script.open("w", encoding="utf-8") as lines:
        for number, at in enumerate(range(0, len(rows), batch_records)):
            one = folder / f"copy-{number}"
            one.write_bytes(b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"".join(rows[at:at + batch_records]) + b"\xff\xff")
            lines.write(f"\\copy copy_limit ({COLUMNS}) from '{one}' with binary\n")
    instance.psql("create table copy_limit (like record including all) partition by range (first_at)")
    for name, bounds in instance.psql("select c.relname, pg_get_expr(c.relpartbound, c.oid) from pg_inherits i join pg_class c on c.oid = i.inhrelid "
                                      "where i.inhparent = 'record'::regclass"):
        instance.psql(f"create table limit_{name} partition of copy_limit {bounds}")
    rates, database = [], instance.pid("database")
    spent = 0.0
    for _ in range(3):
        instance.psql("truncate copy_limit")
        before = cpu(database)
        began = time.monotonic()
        subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", conninfo, "-f", str(script)], check=True, timeout=300)
        rates.append(frames / (time.monotonic() - began))
        spent += cpu(database) - before
    stored = int(instance.psql("select coalesce(sum(count), 0) from copy_limit")[0][0])
    if stored != frames:
        sys.exit(f"the COPY of the limit stored {stored} of {frames} frames")
    instance.psql("drop table copy_limit")
    for each in folder.glob("copy-*"):
        each.unlink()
    return statistics.median(rates), spent / 3


def batch_so_far(instance):
    """(batches, records in them) since the server started."""
    found = dict(line.split() for line in instance.api.http.get(instance.console + "/metrics", timeout=5).text.splitlines()
                 if line.startswith("cellwarden_batch_records_"))
    return float(found["cellwarden_batch_records_count"]), float(found["cellwarden_batch_records_sum"])


def measure(instance, shape, number, args, folder):
    instance.psql("truncate record, latest, alarm_span, poison")
    instance.psql("checkpoint")
    batches = batch_so_far(instance)
    with Watch(instance) as watch:
        said, generator = load(instance, shape, number, args, folder)
    batches = [after - before for after, before in zip(batch_so_far(instance), batches)]
    batch_records = max(1, round(batches[1] / max(1, batches[0])))
    frames = said["frames"]
    stored, doubled = map(int, instance.psql(
        "select coalesce(sum(count), 0), coalesce(sum(count), 0) - count(distinct (device, boot, first_no)) * coalesce(max(count), 0) from record")[0])
    lost, duplicates = compare(instance, folder)
    size = int(instance.psql("select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = 'record'::regclass")[0][0])
    limit, limit_cpu = copy_limit(instance, frames, batch_records, folder)
    micro = {name: round(seconds * 1e6 / frames, 3) for name, seconds in watch.seconds.items()}
    return {"frames": frames, "records": said["records"], "seconds": said["seconds"], "frames_per_s": round(said["frames_per_s"]),
            "copy_limit_frames_per_s": round(limit), "ratio": round(said["frames_per_s"] / limit, 3), "records_per_transaction": batch_records, "cpu_us_per_frame": micro,
            "copy_limit_database_us_per_frame": round(limit_cpu * 1e6 / frames, 3),
            "ratio_of_cpu": round(limit_cpu / sum(watch.seconds.values()), 3), "ratio_of_database_cpu": round(limit_cpu / watch.seconds["database"], 3),
            "load_generator_sending_us_per_frame": round(said["cpu_s"] * 1e6 / frames, 3),
            "load_generator_us_per_frame": round(generator * 1e6 / frames, 3),
            "server_threads_us_per_frame": [round(s * 1e6 / frames, 3) for s in watch.threads[:4]],
            "lost": max(lost, frames - stored), "duplicates": max(duplicates, doubled), "disk_bytes_per_frame": round(size / frames, 1)}


def words():
    parser = argparse.ArgumentParser(prog="./cellwarden bench ingest", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--seconds", type=float, default=8, help="about so long for each shape, at the rate of an idle machine (default 8)")
    parser.add_argument("--devices", type=int, default=100, help="devices that the records belong to (default 100)")
    parser.add_argument("--window", type=int, default=peers.WINDOW, help=f"records on the way without an Ack (default {peers.WINDOW})")
    parser.add_argument("--shapes", default=",".join(key for key, *_ in SHAPES), help="which of 60, 10, 1, 60x160 (default all)")
    parser.add_argument("--peers", choices=("yes", "no"), default="yes",
                        help="whether Node, Node-RED and mosquitto_sub | psql do the same afterwards (default yes; needs npm)")
    args = parser.parse_args()
    known = {key for key, *_ in SHAPES}
    if not 0.5 <= args.seconds <= 600 or not COMPARED <= args.devices <= 1000 or args.window < 1 or not set(args.shapes.split(",")) <= known:
        parser.error("seconds 0.5 to 600, devices 3 to 1000, window from 1, shapes of 60, 10, 1 and 60x160")
    return args


def show(result):
    for key, one in result["shapes"].items():
        cost = ", ".join(f"{name} {us}" for name, us in one["cpu_us_per_frame"].items())
        print(f"{key:>7}: {one['frames_per_s']:>8} frames/s, COPY alone {one['copy_limit_frames_per_s']:>8}, ratio {one['ratio']}, us/frame: {cost}; "
              f"{one['disk_bytes_per_frame']} B/frame on disk, lost {one['lost']}, duplicates {one['duplicates']}")
    for peer, one in result.get("peers", {}).items():
        print(f"{peer:>16}: {one['frames_per_s']} frames/s, {one['times_slower']} times slower")


def main():
    args = words()
    shapes = [shape for shape in SHAPES if shape[0] in args.shapes.split(",")]
    result = {"shapes": {}}
    with Instance("bench-ingest") as instance, tempfile.TemporaryDirectory() as folder:
        instance.let_speak_for_all(f"{TENANT}.load")
        for number, shape in enumerate(shapes, 1):
            result["shapes"][shape[0]] = measure(instance, shape, number, args, pathlib.Path(folder))
        if args.peers == "yes":
            peer_results = peers.measure_all(instance, result["shapes"][shapes[0][0]]["frames_per_s"], max(2, int(args.seconds)))
    result = {**result["shapes"][shapes[0][0]], **result}  # the first shape is the headline
    result["copy_limit_definition"] = COPY_LIMIT
    if args.peers == "yes":
        result["peers"] = peer_results
    if args.json:
        print(json.dumps(result))
    else:
        show(result)
    return 1 if any(one["lost"] or one["duplicates"] for one in result["shapes"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
