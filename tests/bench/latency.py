# SPDX-License-Identifier: Apache-2.0
"""./cellwarden bench latency: how long a sample takes from the board to the acknowledgement, which is after COMMIT, and to a browser.

Database, broker, server and load generators share this machine; TLS and fsync are on. First the capacity is measured (10 frames a record, as a DTU in
service sends them). Then, at 10 %, 50 % and 90 % of it, a small fleet of watched vehicles (cellwarden-fleet: recorder, journal and MQTT client of
the DTU, each with its own TLS connection) sends every sample as a record of its own: `ack_*` is from taking the sample to the DTU's receiving the
acknowledgement, `browser_*` from taking the sample to its arrival in an event stream.

Fairness, at 50 %: the same fleet beside one device that sends garbage 100 times as often as the others send samples, and beside one that takes samples
100 times as often, in turn. `rise` is the p99 of the other devices (median of three) over that without the bad one.
"""
import argparse
import json
import statistics
import subprocess
import sys
import threading
import time

from harness import Instance
from harness.api import Api
from harness.instance import program

from ingest import TENANT, allow

FLEET = "fleet"
BATCH = 10
SHARES = (10, 50, 90)
ROUNDS = 3
LOOKED_AT = 8  # vehicles of one page
GUESS = 120_000  # frames/s; only decides how many records the measuring of the capacity takes


class Load:
    """cellwarden-load beside what is measured: so many frames/s, for so long; 0 = as fast as it goes."""

    def __init__(self, instance, rate, seconds, seed, timeout_s=0):
        ca, certificate, key = instance.device_files(f"{TENANT}.load")
        devices = 100
        records = max(1, int((rate or GUESS) * seconds / BATCH / devices))
        command = [program("cellwarden-load"), "--uri", f"ssl://localhost:{instance.broker[1]}", "--ca", ca, "--cert", certificate, "--key", key,
                   "--tenant", TENANT, "--devices", devices, "--records", records, "--batch", BATCH, "--cells", 48, "--temps", 12, "--seed", seed,
                   "--truth-devices", 0, "--rate", int(rate / BATCH), "--timeout-s", timeout_s or int(60 + 10 * seconds)]
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()

    def result(self):
        said, _ = self.process.communicate(timeout=300)
        if self.process.returncode != 0:
            sys.exit(f"the load generator failed: {said}")
        return json.loads(said)


class Browser(threading.Thread):
    """One page that looks at some vehicles; delays in ms from the sample's time to the event's arrival. What comes first stood before."""

    def __init__(self, api, devices, seconds):
        super().__init__(daemon=True)
        self.api, self.topics, self.seconds, self.delays = api, ",".join(f"v:{device}" for device in devices), seconds, []

    def run(self):
        try:
            counts_from = time.monotonic() + 2
            for name, data in self.api.events(self.topics, self.seconds):
                if name == "v.frame" and "measured_at" in data and time.monotonic() > counts_from:
                    self.delays.append(time.time() * 1000 - data["measured_at"])
        except OSError:
            pass  # the time is over


def at_percent(values, percent):
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))] if values else None


def fleet(instance, args, seconds, *more):
    command = [program("cellwarden-fleet"), "--broker", f"localhost:{instance.broker[1]}", "--pki", instance.var / "pki", "--tenant", FLEET,
               "--devices", args.devices, "--settle", 3, "--seconds", int(seconds), "--watched", 1, *more]
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)


def watch(instance, visitors, args, number, *more):
    """The fleet beside whatever load there is; what it says, and the delays that browsers saw."""
    process = fleet(instance, args, args.seconds, "--seed", number, *more)
    seen = [f"{FLEET}.unit-{k:04d}" for k in range(args.devices - min(args.devices, LOOKED_AT * len(visitors)), args.devices)]
    browsers = [Browser(api, seen[k::len(visitors)], args.seconds + 2) for k, api in enumerate(visitors)]
    time.sleep(2)
    for each in browsers:
        each.start()
    said, _ = process.communicate(timeout=300 + args.seconds)
    found = json.loads(said)
    if process.returncode != 0:
        sys.exit(f"records of the fleet were not acknowledged: {found}")
    for each in browsers:
        each.join(10)
    return found, [delay for each in browsers for delay in each.delays]


def begin(instance, rate, seconds, number):
    """`rate` frames/s of load for at least `seconds`."""
    instance.psql("truncate record, latest, alarm_span, poison")
    instance.psql("checkpoint")
    load = Load(instance, rate, seconds, number)
    time.sleep(2 + 2 * rate / 1_000_000 * seconds / 10)  # it makes its records first
    return load


def measure_shares(instance, visitors, args, capacity):
    result = {}
    for number, share in enumerate(SHARES, 10):
        with begin(instance, capacity * share / 100, args.seconds + 20, number) as load:
            found, seen = watch(instance, visitors, args, number)
            assert load.process.poll() is None or load.process.returncode == 0, "the load generator ended early"
        result[str(share)] = {"ack_p50_ms": found["ack_p50_ms"], "ack_p99_ms": found["ack_p99_ms"], "ack_samples": found["measured"],
                              "browser_p50_ms": round(at_percent(seen, 50) or 0, 1), "browser_p99_ms": round(at_percent(seen, 99) or 0, 1),
                              "browser_samples": len(seen)}
    return result


def measure_fairness(instance, args, capacity):
    """Alone and beside each bad device in turn, ROUNDS times under one load; the median p99 of each."""
    p99, messages = {"alone": [], "garbage": [], "greedy": []}, {}
    with begin(instance, capacity / 2, len(p99) * ROUNDS * (args.seconds + 10), 20):
        for number in range(ROUNDS * len(p99)):
            kind = list(p99)[number % len(p99)]
            found, _ = watch(instance, [], args, 21 + number, *([f"--{kind}", 1] if kind != "alone" else []))
            p99[kind].append(found["ack_p99_ms"])
            messages[kind] = found["garbage"] + found["greedy_records"]
    median = {kind: statistics.median(values) for kind, values in p99.items()}
    return {"alone_p99_ms": median["alone"], **{kind: {"ack_p99_ms": median[kind], "rise": round(median[kind] / median["alone"] - 1, 3), "messages": messages[kind],
                                                       "each_ms": p99[kind]} for kind in ("garbage", "greedy")}, "alone_each_ms": p99["alone"]}


def words():
    parser = argparse.ArgumentParser(prog="./cellwarden bench latency", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--seconds", type=int, default=7, help="for each share and each bad device (default 8)")
    parser.add_argument("--devices", type=int, default=100, help="watched vehicles (default 100)")
    parser.add_argument("--browsers", type=int, default=4, help="pages that look at eight vehicles each (default 4)")
    parser.add_argument("--part", choices=("all", "shares", "fairness"), default="all", help="what to measure (default all)")
    parser.add_argument("--capacity", type=int, default=0, help="frames/s; 0 = measure it first (default)")
    args = parser.parse_args()
    if not 3 <= args.seconds <= 600 or not 2 <= args.devices <= 1000 or not 1 <= args.browsers <= min(8, args.devices) or args.capacity < 0:
        parser.error("seconds 3 to 600, devices 2 to 1000, browsers 1 to 8, capacity from 0")
    return args


def main():
    args = words()
    with Instance("bench-latency") as instance:
        allow(instance)
        instance.pki("device", *(f"{FLEET}.unit-{k:04d}" for k in range(args.devices)))
        visitors = [Api(instance.console) for _ in range(args.browsers)]
        for api in visitors:
            assert api.sign_in("admin", instance.password).status_code == 200
        capacity = args.capacity or statistics.median(Load(instance, 0, 3, seed).result()["frames_per_s"] for seed in (1, 2, 3))
        result = {"capacity_frames_per_s": round(capacity), "frames_per_record": BATCH}
        if args.part != "fairness":
            result.update(measure_shares(instance, visitors, args, capacity))
        if args.part != "shares":
            result["fairness"] = measure_fairness(instance, args, capacity)
    if args.json:
        print(json.dumps(result))
        return 0
    for share in [share for share in SHARES if str(share) in result]:
        one = result[str(share)]
        print(f"{share:>3} % of {result['capacity_frames_per_s']} frames/s: ack p50 {one['ack_p50_ms']} ms, p99 {one['ack_p99_ms']} ms; "
              f"browser p50 {one['browser_p50_ms']} ms, p99 {one['browser_p99_ms']} ms")
    print(f"fairness at 50 %: {result.get('fairness')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
