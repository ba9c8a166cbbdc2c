# SPDX-License-Identifier: Apache-2.0
"""./cellwarden bench soak: under load for long, while server, broker and database are killed and vehicles come and go.

At 70 % of the measured capacity: cellwarden-fleet (real DTUs, each with its journal and its TLS connection; of each 5 % lose their network each
minute and fill in later) and cellwarden-load for the rest. The server is killed (SIGKILL), the broker is killed, the database is restarted, in turn
during the first six tenths of the time. Then everything is counted: `lost` is what was taken and is not in the database, `duplicates` is what is there twice.

The capacity is what the same load reaches on this machine when nothing holds it back, beside the same fleet (median of three times CAPACITY_S).

Memory: the resident size of server, broker and fleet is read each 5 s. `kB_per_minute` is the slope (the median of the slopes between all two readings, so
that a single step does not decide) over the last quarter of the time, when nothing was killed for long enough for every buffer to have been as full as it
gets; `flat` says that it is below FLAT_KB_PER_MINUTE. A run of less than 20 minutes does not judge it.

`failed` names what is wrong with the product. `overload` names what shows that the machine was not up to the run, so that it proves nothing either way: the
load stayed behind its rate, a journal overran because its DTU waited for longer than it lasts, or everything stood still. Exit 1 when something failed, 3 when there was only overload.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time

import pytest
from harness import Instance, wait_until
from harness.instance import program
from ingest import TENANT
from latency import BATCH, ONE_TENANT, Load

FLEET = "fleet"
SHARE = 0.7
DEVICES = 1000  # vehicles of the load: nearly each of their records has an acknowledgement of its own
CAPACITY_S = 6  # each time that it is measured
CHUNK_S = 30  # of load
CHUNK_MAX_S = 900  # with all that may be down in the meantime
OFFLINE_PERMILLE = 54  # 65 s away each 20 minutes: 5 % of the vehicles come back each minute
JOURNAL_KB = 512  # a pause of the whole machine of a quarter of an hour fits
KILLS = ((0.08, "server"), (0.16, "broker"), (0.24, "database"), (0.32, "server"), (0.40, "broker"), (0.48, "server"), (0.56, "database"))
JUDGED_FROM, JUDGED_S = 0.75, 1200
FLAT_KB_PER_MINUTE = 50
RATE_REACHED = 0.9  # of what was asked for, or it was not 70 %
LOOK_S, STILL_S = 5, 30  # memory is read so often; so long without a reading is a machine that stood still
DISK_BYTES = 150  # a frame: table, key and write-ahead log
PAGE_KB = os.sysconf("SC_PAGESIZE") // 1024


def resident_kB(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE_KB
    except (FileNotFoundError, ProcessLookupError, ValueError, IndexError):
        return None


def slope(points):
    """Median of the slopes between all two points (Theil and Sen)."""
    return statistics.median((y2 - y1) / (x2 - x1) for i, (x1, y1) in enumerate(points) for x2, y2 in points[i + 1:])


class Memory(threading.Thread):
    """(seconds, kB) of each process, each LOOK_S; the one that stands in for a killed one goes on in its row."""

    def __init__(self, instance, fleet_pid):
        super().__init__(daemon=True)
        self.instance, self.fleet_pid, self.ended = instance, fleet_pid, threading.Event()
        self.seen = {"server": [], "broker": [], "fleet": []}
        self.began = self.looked = time.monotonic()
        self.still_s = 0.0  # longest time without a reading

    def run(self):
        while not self.ended.wait(LOOK_S):
            now = time.monotonic()
            self.still_s, self.looked = max(self.still_s, now - self.looked - LOOK_S), now
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
        rise = slope(points)
        return {"kB": round(statistics.mean(kB for _, kB in points)), "kB_per_minute": round(rise, 1),
                "flat": rise <= FLAT_KB_PER_MINUTE if seconds >= JUDGED_S else None}

    def minutes(self, name):
        """One value a minute, for a drawing."""
        found = {}
        for s, kB in self.seen[name]:
            found[int(s // 60)] = kB
        return [found[k] for k in sorted(found)]


class Background(threading.Thread):
    """Load in pieces, each with a seed (a start of the boards) of its own, until the end. A piece sends its records again until all are acknowledged."""

    def __init__(self, instance, rate):
        super().__init__(daemon=True)
        self.instance, self.rate, self.ended = instance, rate, threading.Event()
        self.frames, self.failed, self.seed, self.seconds = {}, 0, 1000, 0.0

    def run(self):
        while not self.ended.is_set():
            self.seed += 1
            began = time.monotonic()
            load = Load(self.instance, self.rate, CHUNK_S, self.seed, devices=DEVICES, timeout_s=CHUNK_MAX_S)
            said, _ = load.process.communicate()
            self.seconds += time.monotonic() - began
            if load.process.returncode == 0:
                self.frames[self.seed] = json.loads(said)["frames"]
            else:
                self.failed += 1  # something was not acknowledged in all that time
                time.sleep(1)

    def reached(self):
        """Share of the rate that was asked for."""
        return sum(self.frames.values()) / (self.rate * self.seconds) if self.seconds else 0.0


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

# Of each start of a device of the load: whether its records are 1 to n, each once, by their count, their sum and the sum of their squares. One pass over
# tens of millions of records, where the other takes a sort of all of them; only what it finds is counted that way.
ODD = ("select device, boot from (select device, boot, count(*) n, sum(count) frames, sum(seq) s, sum(seq * seq) q from record where tenant = '{}' and boot in ({}) "
       "group by device, boot) x where s * 2 <> n * (n + 1) or q * 6 <> n * (n + 1) * (2 * n + 1) or frames <> n * {}")


def count(instance, where):
    """(duplicates, missing before the newest, stored)"""
    return tuple(int(n) for n in instance.psql(COUNT.format(where), timeout=900)[0])


def count_load(instance, boots):
    """(duplicates, stored) of the load's pieces."""
    list_of = ",".join(map(str, boots)) or "0"
    stored = int(instance.psql(f"select coalesce(sum(count), 0) from record where tenant = '{TENANT}' and boot in ({list_of})", timeout=900)[0][0])
    odd = instance.psql(ODD.format(TENANT, list_of, BATCH), timeout=900)
    return sum(count(instance, f"tenant = '{TENANT}' and device = '{device}' and boot = {boot}")[0] for device, boot in odd), stored


def measure_capacity(instance):
    rates = [Load(instance, 0, 3, 1, devices=DEVICES, late=True).result()["frames_per_s"]]
    for seed in (2, 3, 4):
        rates.append(Load(instance, 0, CAPACITY_S, seed, devices=DEVICES, guess=rates[0], late=True).result()["frames_per_s"])
    return statistics.median(rates[1:])


def look_at_disk(instance, frames):
    need, free = frames * DISK_BYTES / 1e9, shutil.disk_usage(instance.var).free / 1e9
    if free < need:
        sys.exit(f"{frames:.0f} frames want {need:.0f} GB of disk, and {free:.0f} GB are free: give --minutes or --capacity")


def faults(result):
    """What is wrong, each as a sentence."""
    rows = [(result["lost"], f"lost {result['lost']} frames"), (result["duplicates"], f"{result['duplicates']} duplicates"),
            (result["not_acknowledged"], f"{result['not_acknowledged']} records of the fleet were never acknowledged"),
            (result["load_failed"], f"{result['load_failed']} pieces of the load were not acknowledged within {CHUNK_MAX_S} s")]
    rows += [(one["flat"] is False, f"the memory of the {name} grows by {one['kB_per_minute']} kB a minute (bound {FLAT_KB_PER_MINUTE})")
             for name, one in result["memory"].items()]
    return [text for bad, text in rows if bad]


def overloads(result):
    rows = [(result["load_reached"] < RATE_REACHED, f"the load reached {result['load_reached']:.0%} of its rate"),
            (result["journal_dropped"], f"{result['journal_dropped']} records were pushed out of full journals ({JOURNAL_KB} kB) before they could be sent"),
            (result["machine_still_s"] > STILL_S, f"the machine stood still for {result['machine_still_s']} s")]
    return [text for bad, text in rows if bad]


def run(instance, args, process, capacity):
    """The time itself. Returns what was done, what was sent, and the memory."""
    background = Background(instance, max(SHARE * capacity, 100 * BATCH))
    memory = Memory(instance, process.pid)
    memory.start()
    background.start()
    done = disturb(instance, args.minutes * 60)
    memory.ended.set()
    background.ended.set()
    background.join(CHUNK_MAX_S + 60)
    return done, background, memory


def soak(instance, args):
    process = fleet(instance, args)
    try:
        capacity = args.capacity or measure_capacity(instance)
        look_at_disk(instance, SHARE * capacity * args.minutes * 60)
        done, background, memory = run(instance, args, process, capacity)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=240)
    finally:
        process.kill()
    wait_until(lambda: instance.api.http.get(instance.console + "/readyz", timeout=5).status_code == 200, 60, "the server answers")
    return tell(instance, args, capacity, done, background, memory, json.loads(said))


def tell(instance, args, capacity, done, background, memory, found):
    """Count, and judge."""
    seconds = args.minutes * 60
    duplicates, _, stored = count(instance, f"tenant = '{FLEET}'")
    load_duplicates, load_stored = count_load(instance, background.frames)
    load_frames = sum(background.frames.values())
    result = {"minutes": args.minutes, "capacity_frames_per_s": round(capacity), "frames": found["samples"] + load_frames,
              "frames_per_s": round(load_frames / background.seconds), "load_reached": round(background.reached(), 3),
              "fleet_frames": found["samples"], "fleet_stored": stored, "load_frames": load_frames, "load_stored": load_stored,
              "lost": found["samples"] - stored + duplicates + load_frames - load_stored + load_duplicates,
              "duplicates": duplicates + load_duplicates, "not_acknowledged": found["waiting"], "journal_dropped": found["dropped"],
              "load_failed": background.failed, "machine_still_s": round(memory.still_s, 1), "devices": args.devices, "sessions": found["sessions"], "kills": done,
              "ack_p50_ms": found["ack_p50_ms"], "ack_p99_ms": found["ack_p99_ms"], "kB_per_device": found["kB_per_device"],
              "memory": {name: memory.judge(name, seconds) for name in memory.seen},
              "memory_kB_each_minute": {name: memory.minutes(name) for name in memory.seen}}
    result["memory_flat"] = None if seconds < JUDGED_S else all(one["flat"] for one in result["memory"].values())
    result.update(failed=faults(result), overload=overloads(result))
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
    with pytest.MonkeyPatch.context() as patch:
        for key, value in ONE_TENANT.items():
            patch.setenv(key, value)
        with Instance("bench-soak") as instance:
            instance.let_speak_for_all(f"{TENANT}.load")
            instance.pki("device", *(f"{FLEET}.unit-{k:04d}" for k in range(args.devices)))
            result = soak(instance, args)
    if args.json:
        print(json.dumps(result))
    else:
        print(f"{result['minutes']} min, {result['frames']} frames ({result['frames_per_s']} a second of {result['capacity_frames_per_s']}), kills {result['kills']}, "
              f"{result['sessions']} sessions: lost {result['lost']}, duplicates {result['duplicates']}")
        for name, one in result["memory"].items():
            print(f"{name:>9}: {one['kB']} kB, {one['kB_per_minute']} kB a minute")
        for word in ("failed", "overload"):
            for text in result[word]:
                print(f"{word}: {text}")
    return 1 if result["failed"] else 3 if result["overload"] else 0


if __name__ == "__main__":
    sys.exit(main())
