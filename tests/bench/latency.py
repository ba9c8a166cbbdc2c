# SPDX-License-Identifier: Apache-2.0
"""./cellwarden bench latency: how long a sample takes from the board to the acknowledgement, which is after COMMIT, and to a browser.

Database, broker, server and load generators share this machine; TLS and fsync are on. First the capacity is measured (10 frames a record, as a DTU in
service sends them). Then, at 10 %, 50 % and 90 % of it, a small fleet of watched vehicles (cellwarden-fleet: recorder, journal and MQTT client of
the DTU, each with its own TLS connection) sends every sample as a record of its own: `ack_*` is from taking the sample to the DTU's receiving the
acknowledgement, `browser_*` from taking the sample to its arrival in an event stream.

Fairness, at 50 %: the same fleet beside one device that sends garbage 100 times as often as the others send samples, and beside one that takes samples
100 times as often. `rise` is the p99 of the other devices over that without the bad one.
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
GUESS = 120_000  # frames/s; only decides how many records the measuring of the capacity takes


class Load:
    """cellwarden-load beside what is measured: so many frames/s, for so long; 0 = as fast as it goes."""

    def __init__(self, instance, rate, seconds, seed):
        ca, certificate, key = instance.device_files(f"{TENANT}.load")
        devices = 100
        records = max(1, int((rate or GUESS) * seconds / BATCH / devices))
        command = [program("cellwarden-load"), "--uri", f"ssl://localhost:{instance.broker[1]}", "--ca", ca, "--cert", certificate, "--key", key,
                   "--tenant", TENANT, "--devices", devices, "--records", records, "--batch", BATCH, "--cells", 48, "--temps", 12, "--seed", seed,
                   "--truth-devices", 0, "--rate", int(rate / BATCH), "--timeout-s", int(60 + 10 * seconds)]
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
    """One page that looks at one vehicle; delays in ms from the sample's time to the event's arrival."""

    def __init__(self, api, device, seconds):
        super().__init__(daemon=True)
        self.api, self.device, self.seconds, self.delays = api, device, seconds, []

    def run(self):
        try:
            for name, data in self.api.events(f"v:{self.device}", self.seconds):
                if name == "v.frame" and "measured_at" in data:
                    self.delays.append(time.time() * 1000 - data["measured_at"])
        except OSError:
            pass  # the time is over


def at_percent(values, percent):
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))] if values else None


def fleet(instance, args, seconds, *more):
    command = [program("cellwarden-fleet"), "--broker", f"localhost:{instance.broker[1]}", "--pki", instance.var / "pki", "--tenant", FLEET,
               "--devices", args.devices, "--settle", 3, "--seconds", int(seconds), "--watched", 1, *more]
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)


def run(instance, visitors, args, rate, number, *more):
    """The fleet beside `rate` frames/s of load; what it says, and the delays that browsers saw."""
    instance.psql("truncate record, latest, alarm_span, poison")
    with Load(instance, rate, args.seconds + 20, number) as load:
        time.sleep(1 + 2 * rate / 1_000_000 * args.seconds)  # it makes its records first
        process = fleet(instance, args, args.seconds, *more)
        browsers = [Browser(api, f"{FLEET}.unit-{args.devices - 1 - k:04d}", args.seconds + 2) for k, api in enumerate(visitors)]
        time.sleep(2)
        for each in browsers:
            each.start()
        said, _ = process.communicate(timeout=120 + args.seconds)
        assert load.process.poll() is None or load.process.returncode == 0, "the load generator ended early"
    found = json.loads(said)
    if process.returncode != 0:
        sys.exit(f"records of the fleet were not acknowledged: {found}")
    for each in browsers:
        each.join(10)
    return found, [delay for each in browsers for delay in each.delays[3:]]  # the first ones are what stood before


def words():
    parser = argparse.ArgumentParser(prog="./cellwarden bench latency", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--seconds", type=int, default=10, help="for each share (default 10)")
    parser.add_argument("--devices", type=int, default=100, help="watched vehicles (default 100)")
    parser.add_argument("--browsers", type=int, default=4, help="pages that look at one vehicle each (default 4)")
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
        for number, share in enumerate(SHARES, 10):
            found, seen = run(instance, visitors, args, capacity * share / 100, number)
            result[str(share)] = {"ack_p50_ms": found["ack_p50_ms"], "ack_p99_ms": found["ack_p99_ms"], "ack_samples": found["measured"],
                                  "browser_p50_ms": round(at_percent(seen, 50) or 0, 1), "browser_p99_ms": round(at_percent(seen, 99) or 0, 1),
                                  "browser_samples": len(seen), "kB_per_device": found["kB_per_device"]}
        fair, _ = run(instance, visitors, args, capacity / 2, 20)
        result["fairness"] = {"alone_p99_ms": fair["ack_p99_ms"]}
        for number, kind in enumerate(("garbage", "greedy"), 21):
            found, _ = run(instance, visitors, args, capacity / 2, number, f"--{kind}", 1)
            result["fairness"][kind] = {"ack_p99_ms": found["ack_p99_ms"], "rise": round(found["ack_p99_ms"] / fair["ack_p99_ms"] - 1, 3),
                                        "messages": found["garbage"] or found["greedy_records"]}
    if args.json:
        print(json.dumps(result))
        return 0
    for share in SHARES:
        one = result[str(share)]
        print(f"{share:>3} % of {result['capacity_frames_per_s']} frames/s: ack p50 {one['ack_p50_ms']} ms, p99 {one['ack_p99_ms']} ms; "
              f"browser p50 {one['browser_p50_ms']} ms, p99 {one['browser_p99_ms']} ms")
    print(f"fairness at 50 %: {result['fairness']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
