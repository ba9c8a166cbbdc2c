# SPDX-License-Identifier: Apache-2.0
"""The capacity model: from what the benchmarks measured (docs/capacity.json) to docs/capacity.md.

docs/capacity.json holds, for 10 and 60 frames a record, what `./cellwarden bench ingest --json` (cpu_us_per_frame, disk_bytes_per_frame) and
`./cellwarden bench wire --json` (simulated: wire_bytes_per_frame) said, what was read of processes, and the assumptions. After new measurements: edit it, run this.
"""
import argparse
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLEETS = (100, 1_000, 10_000, 100_000, 1_000_000)
DAY_S = 86400


def amount(value, units):
    """Three digits and the unit that fits: units are steps of a thousand."""
    for unit in units[:-1]:
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} {units[-1]}"


def need(model, vehicles):
    """What so many vehicles need, in SI units."""
    a = model["assumptions"]
    frames = {batch: vehicles * a["share"][batch] / a["sample_period_s"][batch] for batch in ("10", "60")}
    busy = sum(frames[b] * sum(model[b]["cpu_us_per_frame"].values()) / 1e6 for b in frames)
    per_day = sum(frames[b] * model[b]["disk_bytes_per_frame"] for b in frames) * DAY_S
    return {"frames": sum(frames.values()), "messages": sum(frames[b] / int(b) for b in frames), "wire": sum(frames[b] * model[b]["wire_bytes_per_frame"] for b in frames),
            "cores": busy * a["peak_factor"] / a["load_of_a_core"], "disk_day": per_day, "disk": per_day * a["retention_days"] * a["copies"],
            "ram": a["base_bytes"] + vehicles * (model["broker_bytes_per_vehicle"] + model["server_bytes_per_vehicle"])}


def machines(model, needs):
    """How many of the assumed machine: what cores or memory ask for (disks are bought apart)."""
    m = model["assumptions"]["machine"]
    return max(1, -(-needs["cores"] // m["cores"]), -(-needs["ram"] // m["ram_bytes"]))


def render(model):
    a = model["assumptions"]
    lines = ["# Capacity model", "", "Made by `python3 tests/tools/capacity.py` from [capacity.json](capacity.json); do not edit.", "",
             "What a number of vehicles needs, by what the benchmarks measured on a 2-core machine with broker, server, database and load generator together, TLS and fsync on.",
             "", "| vehicles | frames/s | records/s | from the network | cores | RAM | disk a day | disk, all | servers | machines |", "| ---: " * 10 + "|"]
    for vehicles in FLEETS:
        n = need(model, vehicles)
        lines.append(f"| {vehicles:,} | {n['frames']:,.0f} | {n['messages']:,.0f} | {amount(n['wire'], ['B/s', 'kB/s', 'MB/s', 'GB/s'])} | {n['cores']:.2g} | "
                     f"{amount(n['ram'], ['B', 'kB', 'MB', 'GB', 'TB'])} | {amount(n['disk_day'], ['B', 'kB', 'MB', 'GB', 'TB'])} | "
                     f"{amount(n['disk'], ['B', 'kB', 'MB', 'GB', 'TB', 'PB'])} | {-(-vehicles // model['vehicles_per_server'])} | {machines(model, n):.0f} |")
    lines += ["", "## Assumptions", ""]
    lines += [f"- {text}" for text in (
        f"{a['share']['10']:.0%} of the vehicles drive or charge, one sample each {a['sample_period_s']['10']} s, 10 a record; {a['share']['60']:.0%} are parked, one each "
        f"{a['sample_period_s']['60']} s, 60 a record.",
        f"Cores are for {a['peak_factor']} times the mean (outages that are filled in, mornings), used to {a['load_of_a_core']:.0%}.",
        f"Records are kept {a['retention_days']} days, on {a['copies']} disks (one standby). Minute and hour values are not counted.",
        f"A machine has {a['machine']['cores']} cores and {a['machine']['ram_bytes'] // 10 ** 9} GB; one server process keeps {model['vehicles_per_server']:,} vehicles in its table, so more "
        "vehicles are more servers (shared subscription), each with a broker and a database of its own or a shard of one. Disks are counted apart.",
        "CPU is the dearer of full transactions (`bench ingest`) and of 2,000 records a second in small ones (`bench growth`, its cost of a record at 10 frames too).",
        "A pack of 48 cells and 12 probes on disk, of 96 cells and 24 probes on the wire: the wire is on the safe side.",
        "The cost of a frame does not depend on the number of vehicles (`./cellwarden bench growth`: within "
        f"{model['growth']:.0%} from 100 to 10,000).",
        "Above 20,000 vehicles nothing was measured: the figures are the sum of servers that share nothing but a database on shards.")]
    lines += ["", "## Measured", "", "| | 10 frames a record | 60 frames a record | by |", "| --- | ---: | ---: | --- |"]
    for name in ("server", "broker", "database"):
        lines.append(f"| CPU of the {name}, us a frame | {model['10']['cpu_us_per_frame'][name]} | {model['60']['cpu_us_per_frame'][name]} | `bench ingest`, `bench growth` |")
    lines.append(f"| disk, bytes a frame | {model['10']['disk_bytes_per_frame']} | {model['60']['disk_bytes_per_frame']} | `bench ingest` |")
    lines.append(f"| network, bytes a frame with MQTT, TLS, TCP and IP | {model['10']['wire_bytes_per_frame']} | {model['60']['wire_bytes_per_frame']} | `bench wire` |")
    lines += ["", f"Memory: {model['broker_bytes_per_vehicle'] // 1000} kB a TLS session in the broker, {model['server_bytes_per_vehicle'] // 1000} kB a vehicle allowed for in the server. "
              f"Delay at half of the capacity: p99 {model['ack_p99_ms']} ms from sample to acknowledgement, {model['browser_p99_ms']} ms to a browser (`bench latency`).", ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when docs/capacity.md is not what it would be")
    args = parser.parse_args()
    made = render(json.loads((ROOT / "docs/capacity.json").read_text(encoding="utf-8")))
    page = ROOT / "docs/capacity.md"
    if args.check:
        current = page.exists() and page.read_text(encoding="utf-8") == made
        if not current:
            print("docs/capacity.md is not what docs/capacity.json makes: run python3 tests/tools/capacity.py")
        return 0 if current else 1
    page.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
