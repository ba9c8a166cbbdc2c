# SPDX-License-Identifier: Apache-2.0
"""./cellwarden bench latency: how long a sample takes from the board to the acknowledgement, which is after COMMIT, and to a browser.

Database, broker, server and load generators share this machine; TLS and fsync are on. First the capacity is measured (10 frames a record, as a DTU in
service sends them). Then, at 10 %, 50 % and 90 % of it, a small fleet of watched vehicles (cellwarden-fleet: recorder, journal and MQTT client of
the DTU, each with its own TLS connection) sends every sample as a record of its own: `ack_*` is from taking the sample to the DTU's receiving the
acknowledgement, `browser_*` from taking the sample to its arrival in an event stream. Each is measured three times (`*_each_ms`) and the median told:
where the disk stands still for half a second once in half a minute, one short measurement is about the disk.

Fairness, at 50 %: the same fleet beside one device that sends 100 times the share that the server grants it (--device-records-per-s, here SHARE), once with
good records and once with broken ones, in changing order. It heeds no acknowledgement: what gets none goes again. `rise` is the p99 of the other devices (median
of three) over that without the bad one; `delayed` and `left_out` are what the server's limiter did with the bad one's messages in the last round, and
a round in which they are fewer than the bad one should have sent ends the measurement.
"""
import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import threading
import time

import pytest
from harness import Instance
from harness.api import Api
from harness.instance import program

from ingest import TENANT, season

FLEET = "fleet"
BATCH = 10
SHARES = (10, 50, 90)
ROUNDS = 3
LOOKED_AT = 8  # vehicles of one page
GUESS = 120_000  # frames/s; only decides how many records the measuring of the capacity takes
DEVICES = 200  # of the load
SHARE, SHARE_DEVICES = 20, 2500  # records/s that a device may send in the part about fairness, and devices of its load: each stays below
TIMES = 100  # its share
ARRIVES = 0.9  # of what is beyond its share is counted by the limiter, or the bad device was not that bad
ONE_TENANT = {"CELLWARDEN_TENANT_RECORDS_PER_S": "0", "CELLWARDEN_TENANT_KB_PER_S": "0"}  # the load's tenant stands for many


class Load:
    """cellwarden-load beside what is measured: so many frames/s, for so long; 0 = as fast as it goes, and as many as `guess` frames/s would be. With a rate
    its samples are of now and sealed as they go, so it begins at once. `who` is its certificate: of two with the same the broker keeps the last."""

    def __init__(self, instance, rate, seconds, seed, *more, devices=DEVICES, tenant=TENANT, batch=BATCH, timeout_s=0, guess=GUESS, late=None, who=f"{TENANT}.load"):
        ca, certificate, key = instance.device_files(who)
        frames = rate or guess
        late = bool(rate) if late is None else late
        command = [program("cellwarden-load"), "--uri", f"ssl://localhost:{instance.broker[1]}", "--ca", ca, "--cert", certificate, "--key", key,
                   "--tenant", tenant, "--devices", devices, "--records", max(1, int(frames * seconds / batch / devices)), "--batch", batch, "--cells", 48,
                   "--temps", 12, "--seed", seed, "--truth-devices", 0, "--rate", int(rate / batch), "--late", int(late),
                   "--step-ms", max(1, round(devices * 1000 / frames)), "--timeout-s", timeout_s or int(60 + 10 * seconds), *more]
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


def begin(instance, rate, seconds, number, **more):
    """`rate` frames/s of load for at least `seconds`."""
    instance.psql("truncate record, latest, alarm_span, poison")
    instance.psql("checkpoint")
    load = Load(instance, rate, seconds, number, **more)
    time.sleep(3)
    return load


def measure_shares(instance, visitors, args, capacity):
    """At each share ROUNDS times under one load; the medians."""
    result = {}
    for number, share in enumerate(SHARES, 10):
        rounds = []
        with begin(instance, capacity * share / 100, ROUNDS * (args.seconds + 12), number) as load:
            for each in range(ROUNDS):
                found, seen = watch(instance, visitors, args, 100 * number + each)
                rounds.append({"ack_p50_ms": found["ack_p50_ms"], "ack_p99_ms": found["ack_p99_ms"], "ack_samples": found["measured"],
                               "browser_p50_ms": round(at_percent(seen, 50) or 0, 1), "browser_p99_ms": round(at_percent(seen, 99) or 0, 1),
                               "browser_samples": len(seen)})
            assert load.process.poll() is None or load.process.returncode == 0, "the load generator ended early"
        result[str(share)] = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
        result[str(share)].update({f"{key[:-3]}_each_ms": [one[key] for one in rounds] for key in ("ack_p99_ms", "browser_p99_ms")})
    return result


def over_share(instance):
    """(delayed, left out): records beyond a share since the server started."""
    text = instance.api.http.get(instance.console + "/metrics", timeout=10).text
    found = [line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("cellwarden_over_share_records_total")]
    return tuple(int(float(value)) for done in ("delayed", "left_out") for name, value in found if done in name)


def bad_device(instance, kind, number, seconds):
    """One device that sends TIMES its share, a sample a record; so much is on its way that it never waits for an acknowledgement."""
    rate = SHARE * TIMES
    return Load(instance, rate, seconds, number, "--window", 4 * rate, "--garbage", int(kind == "garbage"), devices=1, tenant=kind, batch=1, who=f"{kind}.load-0000")


def beside(instance, args, kind, number):
    """p99 of the fleet beside a device of the kind, and what the limiter did with that."""
    if kind == "alone":
        return watch(instance, [], args, number)[0]["ack_p99_ms"], None
    before = over_share(instance)
    with bad_device(instance, kind, 100 + number, args.seconds + 20):
        found, _ = watch(instance, [], args, number)
    delayed, left_out = (after - was for after, was in zip(over_share(instance), before))
    if delayed + left_out < ARRIVES * (TIMES - 1) * SHARE * args.seconds:
        sys.exit(f"{TIMES} times its share did not arrive from the {kind} device: {delayed} delayed, {left_out} left out")
    return found["ack_p99_ms"], {"delayed": delayed, "left_out": left_out}


def measure_fairness(instance, args):
    """Alone and beside each bad device, ROUNDS times under one load, in another order each time, or what comes back each half minute would always meet the
    same one; the median p99 of each. More vehicles are more acknowledgements: another capacity."""
    capacity = capacity_of(instance, SHARE_DEVICES)
    p99, limited = {"alone": [], "garbage": [], "greedy": []}, {}
    with begin(instance, capacity / 2, len(p99) * ROUNDS * (args.seconds + 12), 20, devices=SHARE_DEVICES) as load:
        for number in range(ROUNDS * len(p99)):
            kind = list(p99)[(number + number // len(p99)) % len(p99)]
            one, limited[kind] = beside(instance, args, kind, 21 + number)
            p99[kind].append(one)
        assert load.process.poll() is None or load.process.returncode == 0, "the load generator ended early"
    median = {kind: statistics.median(values) for kind, values in p99.items()}
    return {"capacity_frames_per_s": round(capacity), "share_records_per_s": SHARE, "bad_records_per_s": SHARE * TIMES, "alone_p99_ms": median["alone"], "alone_each_ms": p99["alone"],
            **{kind: {"ack_p99_ms": median[kind], "rise": round(median[kind] / median["alone"] - 1, 3), "each_ms": p99[kind], **limited[kind]}
               for kind in ("garbage", "greedy")}}


def capacity_of(instance, devices=DEVICES):
    return statistics.median(Load(instance, 0, 3, seed, devices=devices).result()["frames_per_s"] for seed in (1, 2, 3))


@contextlib.contextmanager
def running(name, args, **environment):
    with pytest.MonkeyPatch.context() as patch:
        for key, value in {**ONE_TENANT, **environment}.items():
            patch.setenv(key, value)
        with Instance(name) as instance:
            instance.let_speak_for_all(f"{TENANT}.load")
            season(instance)
            instance.pki("device", *(f"{FLEET}.unit-{k:04d}" for k in range(args.devices)))
            yield instance


def words():
    parser = argparse.ArgumentParser(prog="./cellwarden bench latency", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--seconds", type=int, default=7, help="for each share and each bad device (default 7)")
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
    with running("bench-latency", args) as instance:
        visitors = [Api(instance.console) for _ in range(args.browsers)]
        for api in visitors:
            assert api.sign_in("admin", instance.password).status_code == 200
        capacity = args.capacity or capacity_of(instance)
        result = {"capacity_frames_per_s": round(capacity), "frames_per_record": BATCH}
        if args.part != "fairness":
            result.update(measure_shares(instance, visitors, args, capacity))
    if args.part != "shares":
        with running("bench-fairness", args, CELLWARDEN_DEVICE_RECORDS_PER_S=str(SHARE)) as instance:
            result["fairness"] = measure_fairness(instance, args)
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
