# SPDX-License-Identifier: Apache-2.0
"""./cellwarden bench soak: under load for long, while server, broker and database are killed and vehicles come and go.

At 70 % of the measured capacity: cellwarden-fleet (real DTUs, each with its journal and its TLS connection; of each 5 % lose their network each
minute and fill in later) and cellwarden-load for the rest. The server is killed (SIGKILL), the broker is killed, the database is restarted, in turn
during the first six tenths of the time. Then everything is counted: `lost` is what was taken and is not in the database, `duplicates` is what is there twice.

Memory: the resident size of server, broker and fleet is read each 5 s. `kB_per_minute` is the slope (least squares) over the last quarter of the time, when
nothing is killed any more; `flat` says that it would add less than 5 % in half an hour. A run of less than 20 minutes does not judge it.
"""
import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import threading
import time

from harness import Instance, wait_until
from harness.instance import program
from ingest import TENANT, allow
from latency import BATCH, Load

FLEET = "fleet"
SHARE = 0.7
CHUNK_S = 20  # of load: its records are made before it sends them
CHUNK_MAX_S = 900  # with all that may be down in the meantime
OFFLINE_PERMILLE = 54  # 65 s away each 20 minutes: 5 % of the vehicles come back each minute
JOURNAL_KB = 512  # a pause of the whole machine of a quarter of an hour fits
KILLS = ((0.08, "server"), (0.16, "broker"), (0.24, "database"), (0.32, "server"), (0.40, "broker"), (0.48, "database"), (0.56, "server"))
JUDGED_FROM, JUDGED_S = 0.75, 1200
PAGE_KB = os.sysconf("SC_PAGESIZE") // 1024


def resident_kB(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE_KB
    except (FileNotFoundError, ProcessLookupError, ValueError, IndexError):
        return None


class Memory(threading.Thread):
    """(seconds, kB) of each process, each 5 s; the one that stands in for a killed one goes on in its row."""

    def __init__(self, instance, fleet_pid):
        super().__init__(daemon=True)
        self.instance, self.fleet_pid, self.ended = instance, fleet_pid, threading.Event()
        self.seen = {"server": [], "broker": [], "fleet": []}
        self.began = time.monotonic()

    def run(self):
        while not self.ended.wait(5):
            for name, list_of in self.seen.items():
                try:
                    size = resident_kB(self.fleet_pid if name == "fleet" else self.instance.pid(name))
                except (OSError, IndexError, ValueError):
                    size = None  # it is being started again
                if size:
                    list_of.append((time.monotonic() - self.began, size))

    def judge(self, name, seconds):
        points = [(s / 60, kB) for s, kB in self.seen[name] if s >= JUDGED_FROM * seconds]
        if len(points) < 4:  # the machine was asleep
            return {"kB": self.seen[name][-1][1] if self.seen[name] else None, "kB_per_minute": None, "flat": None}
        size = statistics.mean(kB for _, kB in points)
        slope = statistics.linear_regression(*zip(*points)).slope
        return {"kB": round(size), "kB_per_minute": round(slope, 1), "flat": slope * 30 < 0.05 * size if seconds >= JUDGED_S else None}

    def minutes(self, name):
        """One value a minute, for a drawing."""
        found = {}
        for s, kB in self.seen[name]:
            found[int(s // 60)] = kB
        return [found[k] for k in sorted(found)]


class Background(threading.Thread):
    """Load in pieces, each with a seed (a start of the boards) of its own, until the end. A piece that the broker's end cuts off is not compared: the fleet is."""

    def __init__(self, instance, rate):
        super().__init__(daemon=True)
        self.instance, self.rate, self.ended = instance, rate, threading.Event()
        self.frames, self.failed, self.cut_off, self.seed = {}, 0, 0, 1000

    def run(self):
        while not self.ended.is_set():
            self.seed += 1
            load = Load(self.instance, self.rate, CHUNK_S, self.seed, CHUNK_MAX_S)
            said, _ = load.process.communicate()
            if load.process.returncode == 0:
                self.frames[self.seed] = json.loads(said)["frames"]
            elif said:
                self.failed += 1  # it ran to its end, and something was not acknowledged
            else:
                self.cut_off += 1  # it has no journal and ends with the broker's connection: only the fleet's vehicles outlive that
                time.sleep(1)


def fleet(instance, args):
    command = [program("cellwarden-fleet"), "--broker", f"localhost:{instance.broker[1]}", "--pki", instance.var / "pki", "--tenant", FLEET,
               "--devices", args.devices, "--settle", 3, "--seconds", 86000, "--period-us", args.period_ms * 1000, "--offline", OFFLINE_PERMILLE,
               "--journal-kB", JOURNAL_KB, "--seed", 7]
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)


def disturb(instance, seconds):
    """Kill by the table; returns what was done."""
    began = time.monotonic()
    done = {"server": 0, "broker": 0, "database": 0}
    for at, name in KILLS:
        time.sleep(max(0.0, began + at * seconds - time.monotonic()))
        if name == "database":
            instance.cellwarden("restart", "database")
        else:
            instance.kill_and_wait(name)
        done[name] += 1
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    return done


# The samples of one start of a board, by their numbers: what is there twice, and what is missing between the first and the last.
COUNT = ("select coalesce(sum(greatest(before_end - first_no, 0)), 0), coalesce(sum(greatest(first_no - before_end, 0)), 0), coalesce(sum(count), 0) from ("
         "select first_no, count, coalesce(max(first_no + count) over (partition by tenant, device, boot order by first_no, epoch, seq "
         "rows between unbounded preceding and 1 preceding), 1) as before_end from record where {}) x")


def count(instance, where):
    """(duplicates, missing before the newest, stored)"""
    return tuple(int(n) for n in instance.psql(COUNT.format(where), timeout=600)[0])


def measure_capacity(instance):
    return statistics.median(Load(instance, 0, 3, seed).result()["frames_per_s"] for seed in (1, 2, 3))


def soak(instance, args):
    seconds = args.minutes * 60
    capacity = args.capacity or measure_capacity(instance)
    instance.psql("truncate record, latest, alarm_span, poison")
    own = args.devices * 1000 / args.period_ms
    background = Background(instance, max(SHARE * capacity - own, 100 * BATCH))
    process = fleet(instance, args)
    memory = Memory(instance, process.pid)
    memory.start()
    background.start()
    done = disturb(instance, seconds)
    memory.ended.set()
    background.ended.set()
    background.join(CHUNK_MAX_S + 60)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=240)
    wait_until(lambda: instance.api.http.get(instance.console + "/readyz", timeout=5).status_code == 200, 60, "the server answers")
    found = json.loads(said)
    duplicates, _, stored = count(instance, f"tenant = '{FLEET}'")
    whole = ",".join(map(str, background.frames)) or "0"
    load_duplicates, _, load_stored = count(instance, f"tenant = '{TENANT}' and boot in ({whole})")
    load_frames = sum(background.frames.values())
    result = {"minutes": args.minutes, "capacity_frames_per_s": round(capacity), "frames": found["samples"] + load_frames,
              "frames_per_s": round((found["samples"] + load_frames) / seconds), "fleet_frames": found["samples"], "fleet_stored": stored, "load_frames": load_frames,
              "load_stored": load_stored, "lost": found["samples"] - stored + duplicates + load_frames - load_stored + load_duplicates,
              "duplicates": duplicates + load_duplicates, "not_acknowledged": found["waiting"], "journal_dropped": found["dropped"], "load_failed": background.failed, "load_cut_off": background.cut_off,
              "devices": args.devices, "sessions": found["sessions"], "kills": done, "ack_p50_ms": found["ack_p50_ms"], "ack_p99_ms": found["ack_p99_ms"],
              "memory": {name: memory.judge(name, seconds) for name in memory.seen},
              "memory_kB_each_minute": {name: memory.minutes(name) for name in memory.seen}}
    result["memory_flat"] = all(one["flat"] is not False for one in result["memory"].values())
    return result


def words():
    parser = argparse.ArgumentParser(prog="./cellwarden bench soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--minutes", type=float, default=30, help="1 to 1440 (default 30)")
    parser.add_argument("--devices", type=int, default=200, help="DTUs of the fleet (default 200)")
    parser.add_argument("--period-ms", type=int, default=100, help="between two samples of one of them (default 100)")
    parser.add_argument("--capacity", type=int, default=0, help="frames/s; 0 = measure it first (default)")
    args = parser.parse_args()
    if not 1 <= args.minutes <= 1440 or not 10 <= args.devices <= 2000 or not 10 <= args.period_ms <= 10000 or args.capacity < 0:
        parser.error("minutes 1 to 1440, devices 10 to 2000, period-ms 10 to 10000, capacity from 0")
    return args


def main():
    args = words()
    with Instance("bench-soak") as instance:
        allow(instance)
        instance.pki("device", *(f"{FLEET}.unit-{k:04d}" for k in range(args.devices)))
        result = soak(instance, args)
    if args.json:
        print(json.dumps(result))
    else:
        print(f"{result['minutes']} min, {result['frames']} frames ({result['frames_per_s']} a second), kills {result['kills']}, {result['sessions']} sessions: "
              f"lost {result['lost']}, duplicates {result['duplicates']}")
        for name, one in result["memory"].items():
            print(f"{name:>9}: {one['kB']} kB, {one['kB_per_minute']} kB a minute")
    bad = result["lost"] or result["duplicates"] or result["not_acknowledged"] or result["load_failed"] or not result["memory_flat"]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
