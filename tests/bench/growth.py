# SPDX-License-Identifier: Apache-2.0
"""./cellwarden bench growth: what a frame costs when there are 100, 1,000 and 10,000 vehicles.

The same number of records a second each time, as vehicles send them: each its next one in turn, 60 frames a record, over TLS into PostgreSQL, acknowledged
after COMMIT. The cost is the CPU time of server, broker and database for each frame; `growth` is the highest divided by the lowest, less one.
All vehicles were heard of before, so that what is done once for each is not counted. The samples of every size are of the last four minutes, and hours are
not rolled up in the meantime: only the number of vehicles differs.
"""
import argparse
import json
import os
import subprocess
import sys

from harness import Instance
from harness.instance import program
from ingest import TENANT, Watch

SIZES = (100, 1000, 10_000)
BATCH = 60
SPAN_S = 240


def send(instance, vehicles, records, rate, seed, ago_s):
    ca, certificate, key = instance.device_files(f"{TENANT}.load")
    command = [program("cellwarden-load"), "--uri", f"ssl://localhost:{instance.broker[1]}", "--ca", ca, "--cert", certificate, "--key", key, "--tenant", TENANT,
               "--devices", vehicles, "--records", records, "--batch", BATCH, "--cells", 48, "--temps", 12, "--rate", rate, "--seed", seed, "--window", 20000, "--step-ms", max(1, SPAN_S * 1000 // (records * BATCH)), "--ago-s", ago_s,
               "--timeout-s", 60 + 3 * vehicles * records // rate]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        sys.exit(f"the load generator failed: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def measure(instance, vehicles, args, seed):
    send(instance, vehicles, 1, args.rate, seed, SPAN_S)
    instance.psql("checkpoint")
    with Watch(instance) as watch:
        said = send(instance, vehicles, max(1, round(args.rate * args.seconds / vehicles)), args.rate, seed + 1, 0)
    stored = int(instance.psql(f"select coalesce(sum(count), 0) from record where boot = {seed + 1}")[0][0])
    micro = {name: round(seconds * 1e6 / said["frames"], 3) for name, seconds in watch.seconds.items()}
    return {"frames": said["frames"], "seconds": said["seconds"], "cpu_us_per_frame": micro, "total_us_per_frame": round(sum(micro.values()), 3),
            "lost": said["frames"] - stored}


def words():
    parser = argparse.ArgumentParser(prog="./cellwarden bench growth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--rate", type=int, default=2000, help="records a second (default 2000: 120,000 frames)")
    parser.add_argument("--seconds", type=float, default=20, help="of each size (default 20)")
    args = parser.parse_args()
    if not 100 <= args.rate <= 20000 or not 5 <= args.seconds <= 600:
        parser.error("rate 100 to 20000, seconds 5 to 600")
    return args


def main():
    args = words()
    result = {}
    os.environ["CELLWARDEN_ROLLUP_PERIOD_S"] = "3600"
    with Instance("bench-growth") as instance:
        instance.let_speak_for_all(f"{TENANT}.load")
        for number, vehicles in enumerate(SIZES):
            result[str(vehicles)] = measure(instance, vehicles, args, 1 + 2 * number)
    costs = [one["total_us_per_frame"] for one in result.values()]
    result["growth"] = round(max(costs) / min(costs) - 1, 3)
    result["limit"] = 0.2
    if args.json:
        print(json.dumps(result))
    else:
        for vehicles in SIZES:
            one = result[str(vehicles)]
            print(f"{vehicles:>6} vehicles: {one['total_us_per_frame']} us a frame ({', '.join(f'{k} {v}' for k, v in one['cpu_us_per_frame'].items())}), lost {one['lost']}")
        print(f"growth {result['growth']:.0%} (limit 20 %)")
    return 1 if any(result[str(n)]["lost"] for n in SIZES) else 0


if __name__ == "__main__":
    sys.exit(main())
