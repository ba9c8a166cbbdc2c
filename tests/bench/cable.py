# SPDX-License-Identifier: Apache-2.0
"""./cellwarden bench cable: how long the upper computer on a cable waits for a board.

A simulated pack of 160 cells runs in real time; cellwarden-ctl reads all parameters, both copies, over SLCAN: `params_s`. The board sends no more
frames in each 10 ms than 500 kbit/s carry, its sample stream included; what the tester sends is not slowed down, so its time on the bus, every frame
with the most stuff bits it can have, is computed and added: `params_bus_s`. Together they must be <= 1 s.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

from harness import Pack, free_port, program

BIT_RATE = 500_000
FRAME_BITS = 131 + 29 + 3  # 29-bit identifier, 8 bytes; longest stuffing; intermission
LIMIT_S = 1.0


def ctl(port, *words):
    done = subprocess.run([program("cellwarden-ctl"), "--slcan", f"127.0.0.1:{port}", "--json", *words], capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        sys.exit(f"cellwarden-ctl {' '.join(words)}: {done.stderr.decode()}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(prog="./cellwarden bench cable", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--times", type=int, default=10, help="how often each is measured (default 10)")
    options = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, Pack(pathlib.Path(folder), "bench.cable", cells=160, slcan_tcp=f"127.0.0.1:{port}"):
        ctl(port, "status")
        reads = [ctl(port, "params", "get") for _ in range(options.times)]
    seconds = [r["read_ms"] / 1000 for r in reads]
    bus = reads[0]["frames_sent"] * FRAME_BITS / BIT_RATE
    result = {"cells": 160, "parameters": len(reads[0]["values"]), "params_s": round(statistics.median(seconds), 3), "params_max_s": round(max(seconds), 3),
              "frames_received": reads[0]["frames_received"],
              "frames_sent": reads[0]["frames_sent"], "params_bus_s": round(bus, 3), "limit_s": LIMIT_S}
    result["ok"] = result["params_max_s"] + result["params_bus_s"] <= LIMIT_S
    if options.json:
        print(json.dumps(result))
    else:
        for key, value in result.items():
            print(f"{key:14} {value}")
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
