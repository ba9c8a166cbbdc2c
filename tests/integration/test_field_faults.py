# SPDX-License-Identifier: Apache-2.0
"""Recorded logs of four vehicles with real faults: the board's major alarms come where the recording itself is out of limits, and nowhere else.

What is out of limits is decided here, row by row, from the recorded numbers and the limits of proto/params.def; the board is not asked.
The folder of recorded data is named by CELLWARDEN_DATA.
"""
import csv
import gzip
import json
import os
import pathlib
import re
import subprocess

import pytest
from harness import program

BASE_MS = 1700000000000
LOGS = "car1_1Hz_day1", "car2_30s_first_half", "car3_10s_a", "car4_30s_first_part"
ROOT = pathlib.Path(__file__).resolve().parents[2]
RAIL_LOW_mV = 20  # at or below, a tap that is open
EDGE_s = 1.5      # a row is shown before its sample is taken, and an alarm has a delay


def nmc(name):
    """The default of a parameter for NMC cells."""
    found = re.search(rf"^PARAM\( *\d+, *{name}, *\"[^\"]*\", *\"[^\"]*\", *-?\d+, *-?\d+, *(-?\d+),", (ROOT / "proto/params.def").read_text(), re.M)
    assert found, name
    return int(found.group(1))


def log(name):
    folder = os.environ.get("CELLWARDEN_DATA")
    path = pathlib.Path(folder or "", "cn_ev_field_faults", f"{name}.csv.gz")
    if not folder or not path.is_file():
        pytest.skip("CELLWARDEN_DATA names no folder with cn_ev_field_faults")
    return path


def rows(path):
    """(t_s, cells in mV, temperatures, current) of each row; what a replay takes for a hole is left out."""
    with gzip.open(path, "rt") as file:
        reader = csv.reader(file)
        head = next(reader)
        cells = [i for i, name in enumerate(head) if re.fullmatch(r"c\d+_mV", name)]
        probes = [i for i, name in enumerate(head) if re.fullmatch(r"t\d+_C", name)]
        current = head.index("i_A")
        for row in reader:
            yield (float(row[0]), [v for v in (float(row[i]) for i in cells if row[i]) if 0 <= v <= 5000],
                   [v for v in (float(row[i]) for i in probes if row[i]) if -40 <= v <= 125], float(row[current] or 0))


def is_out_of_limits(cells, probes, current_A):
    """Whether any limit that opens contactors is reached by the numbers of this row."""
    return (min(cells, default=3000) <= max(RAIL_LOW_mV, nmc("cell_under_voltage_limit")) or max(cells, default=3000) >= nmc("cell_over_voltage_limit")
            or max(probes, default=20) * 10 >= nmc("over_temperature_limit") or min(probes, default=20) * 10 <= nmc("under_temperature_limit")
            or current_A * 10 >= nmc("discharge_over_current_limit") or current_A * 10 <= nmc("charge_over_current_limit"))


def alarms(folder, path):
    recorded = folder / "board.biu"
    subprocess.run([program("cellwarden-pack"), "--hub", str(folder / "hub"), "--nvm", str(folder / "nvm"), "--replay", str(path), "--speed", "max",
                    "--utc-start", str(BASE_MS), "--record", str(recorded)], check=True, timeout=120, capture_output=True)
    done = subprocess.run([program("cellwarden-biu-replay"), "--alarms", "--since", str(BASE_MS), "--json", str(recorded)], check=True, timeout=120,
                          capture_output=True, text=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", LOGS)
def test_major_alarms_come_where_the_recording_is_out_of_limits_and_nowhere_else(tmp_path, name):
    """[AC-6] No alarm of the third tier on a healthy stretch, none missing on a bad row; and the board's log gives the same outputs again."""
    path = log(name)
    bad = sorted({t for t, *values in rows(path) if is_out_of_limits(*values)})
    board = alarms(tmp_path, path)
    majors = [a for a in board["alarms"] if a["level"] == "major"]
    came = [a for a in majors if a["event"] == "set"]
    false = [a for a in came if not any(-EDGE_s <= a["t_s"] - t <= EDGE_s for t in bad)]
    print(f"\n{name}: {len(bad)} rows out of limits, {len(came)} major alarms, {len(false)} on healthy stretches")
    for a in board["alarms"]:
        print(f"  {a['t_s']:>12.2f} s {a['event']:<4} {a['level']:<7} {a['alarm']} {a.get('cell', a.get('probe', a.get('chip', '')))} {a['value']} {a['unit']}")
    assert board["equal"]
    assert false == []
    for t in bad:  # each lies in a spell: a major alarm came before or with it and had not gone
        spell = [a for a in majors if a["t_s"] <= t + EDGE_s]
        assert spell and spell[-1]["event"] == "set", f"nothing was said about the row at {t} s"
