# SPDX-License-Identifier: Apache-2.0
"""What docs/estimation.md says of the estimates, on recorded cells and against the simulator. The benchmarks that it quotes are run and held to it.

The folder of recorded data is named by CELLWARDEN_DATA.
"""
import json
import os
import pathlib
import statistics
import subprocess

import pytest
from harness import program

ERRORS = ["--start-error", "20", "--gain", "1", "--offset", "2"]
# folder, profile, bias in mA, RMSE wanted by temperature
CELLS = [
    ("panasonic_nca", "panasonic_nca", 50, {25: 1.0, 10: 1.2, 0: 2.0, -10: 2.0, -20: 4.0}),
    ("lg_hg2_nmc", "lg_nmc", 50, {25: 1.5, 10: 1.5, 0: 2.0, -10: 2.5, -20: 4.0}),
    ("a123_lfp_plett", "a123_lfp", 34, {45: 1.5, 25: 1.5, 5: 1.5, -25: 3.0}),
]
AGED = "drive_10degC_trise_Cycle_1.csv.gz"  # recorded last, the cell had lost 15 %: 3.6 points off at the ends


def bench(name, *arguments):
    done = subprocess.run([program(f"bench_{name}"), *arguments, "--json"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def recorded(folder):
    data = os.environ.get("CELLWARDEN_DATA")
    path = pathlib.Path(data or "", folder)
    if not data or not path.is_dir():
        pytest.skip(f"CELLWARDEN_DATA names no folder with {folder}")
    return str(path)


@pytest.mark.parametrize("folder,profile,bias,wanted", CELLS)
def test_soc_of_recorded_drives(folder, profile, bias, wanted):
    """20 points wrong at the start, and sensor errors: RMSE by temperature, worst error, never much worse than counting [ES-1]"""
    result = bench("soc", "--data", recorded(folder), "--profile", profile, "--bias", str(bias), *ERRORS)
    for temperature, score in result["temperatures"].items():
        assert score["rmse_pct"] <= wanted[int(temperature)], temperature
    for log in result["files"]:
        assert log["rmse_pct"] <= log["counting_rmse_pct"] + 0.5, log["file"]
        assert log["inside_95_pct"] >= 93, log["file"]
        if log["temperature"] >= 0:
            assert log["max_middle_pct"] <= 5, log["file"]
            assert log["max_ends_pct"] <= (4 if log["file"] == AGED else 3), log["file"]


def test_weakest_cell_of_a_recorded_string():
    """Six cells are discharged until the weakest is at its cut-off: there the board says that it is empty, and it was near all the way [ES-1] [ES-4]"""
    result = bench("cells", "--data", recorded("leaf_module_6s_ornl"), "--profile", "5", "--capacity", "60.2", "--gain", "1", "--offset", "2", "--bias", "1")
    assert len(result["files"]) >= 2
    assert result["weakest_worst_pct"] <= 3
    for log in result["files"]:
        assert log["weakest_rmse_pct"] <= 3, log["file"]
        assert log["strongest_pct"] - log["weakest_pct"] >= 5, log["file"]  # its cells do differ


def test_a_start_in_the_flat_middle_of_lfp():
    """A cell that is driven at 0.1 C holds little polarisation: nobody's guess of a drive may carry it away [ES-1]"""
    worst = 0
    for soc in ("90", "75", "60", "45"):
        for start in ("20", "-20"):
            result = bench("soc", "--data", recorded("a123_lfp_plett"), "--profile", "a123_lfp", "--start-soc", soc, "--start-error", start, "--bias", "34",
                           "--gain", "1", "--offset", "2")
            worst = max([worst] + [log["rmse_pct"] for log in result["files"] if log["temperature"] >= 0])
    assert worst <= 4


@pytest.mark.parametrize("folder,profile,median_s", [("panasonic_nca", "panasonic_nca", {25: 10, 10: 60, 0: 120}),
                                                     ("lg_hg2_nmc", "lg_nmc", {25: 10, 0: 120, -20: 600})])
def test_a_start_in_the_middle_of_a_drive(folder, profile, median_s):
    """20 points wrong either way at 90, 75, 60 and 45 %: below 3 points after the time wanted, in the median [ES-1]"""
    found = {temperature: [] for temperature in median_s}
    for soc in ("90", "75", "60", "45"):
        for start in ("20", "-20"):
            result = bench("soc", "--data", recorded(folder), "--profile", profile, "--start-soc", soc, "--start-error", start,
                           "--bias", "50", "--gain", "1", "--offset", "2")
            for log in result["files"]:
                if log["temperature"] in found:
                    first = log["first_below_3_pct_s"]
                    found[log["temperature"]].append(first if first >= 0 else float("inf"))
    for temperature, times in found.items():
        assert statistics.median(times) <= median_s[temperature], temperature


@pytest.mark.parametrize("folder,most", [("nasa_pcoe_ageing", 3), ("lfp_100Ah_ageing_ess", 5), ("panasonic_nca", 3)])
def test_soh_of_recorded_ageing(folder, most):
    """The capacity of cells that age, within its bound in 95 % of windows [ES-2]"""
    overall = bench("soh", "--data", recorded(folder), "--gain", "0.3")["overall"]
    assert overall["max_pct"] <= most
    assert overall["inside_95_pct"] >= 95


def test_sop_against_the_simulator():
    """What is promised for 2, 10 and 30 s: within 5 % of what the cells can do and never 1 % more, over chemistry, temperature and SOC [ES-3] [PK-4]"""
    result = bench("sop")
    assert result["cases"] == 4 * 6 * 9 * 6
    for part in [result, *result["chemistries"].values()]:
        assert part["within_5_pct"] == 100
        assert part["worst_under_pct"] <= 5
        assert part["worst_over_pct"] <= 1
