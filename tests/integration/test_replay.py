# SPDX-License-Identifier: Apache-2.0
"""A recorded log through board, DTU, broker, server and database: every frame is stored once, or the file is refused with a reason."""
import gzip
import json
import os
import pathlib
import subprocess

import pytest
from harness import ROOT
from harness.instance import PRESET

HEAD = "t_s,i_A,pack_V," + ",".join(f"c{k}_mV" for k in range(1, 13)) + ",t1_C,t2_C"


def row(t, cells=12):
    return f"{t},{5 + t % 7},{cells * 3.7:.2f}," + ",".join(str(3700 + k + t % 5) for k in range(cells)) + ",21.5,22.0"


def replay(system, file, *options):
    return subprocess.run([ROOT / "cellwarden", "replay", str(file), "--json", "--no-build", "--var", str(system.var), *options], capture_output=True, text=True,
                          timeout=300, env={**os.environ, "CELLWARDEN_PRESET": PRESET}, stdin=subprocess.DEVNULL)


def assert_whole(done, frames):
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["frames_in"] == result["frames_stored"] >= frames
    assert result["duplicates"] == 0 and result["lost"] == 0
    assert result["max_cell_error_mV"] <= 1


@pytest.mark.parametrize("packed", [False, True])
def test_every_frame_of_a_log_is_stored_once(system, tmp_path, packed):
    """[FL-3]"""
    text = "\n".join([HEAD, *(row(t) for t in range(200))]) + "\n"
    file = tmp_path / ("log.csv.gz" if packed else "log.csv")
    file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    assert_whole(replay(system, file, "--speed", "max"), 200)


def test_a_field_log_is_stored_whole(system):
    """A recorded drive of a 96-cell vehicle; its folder is named by CELLWARDEN_DATA [FL-3]"""
    folder = os.environ.get("CELLWARDEN_DATA")
    if not folder:
        pytest.skip("CELLWARDEN_DATA names no folder with recorded logs")
    file = pathlib.Path(folder) / "leaf_96s_field" / "leaf_170613.csv.gz"
    assert_whole(replay(system, file, "--speed", "max"), 2000)


BAD = {
    "text": "this is no log\nat all\n",
    "empty": "",
    "header only": HEAD + "\n",
    "no cells": "t_s,i_A\n0,1\n1,1\n",
    "one column too many": "\n".join([HEAD, row(0), row(1) + ",7"]) + "\n",
    "one column too few": "\n".join([HEAD, row(0), row(1).rsplit(",", 1)[0]]) + "\n",
    "a word for a number": "\n".join([HEAD, row(0), row(1).replace("3702", "high")]) + "\n",
    "time that goes back": "\n".join([HEAD, row(5), row(4)]) + "\n",
    "a missing cell column": "\n".join([HEAD.replace("c5_mV,", ""), row(0, 11)]) + "\n",
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_refused_with_a_reason(system, tmp_path, what):
    file = tmp_path / "bad.csv"
    file.write_text(BAD[what])
    done = replay(system, file)
    assert done.returncode == 1, f"{what}: {done}"
    assert "error" in done.stderr and "bad.csv" in done.stderr
    assert system.cellwarden("status", check=False).returncode == 0


def test_a_broken_gzip_file_is_refused(system, tmp_path):
    file = tmp_path / "bad.csv.gz"
    file.write_bytes(gzip.compress((HEAD + "\n" + "\n".join(row(t) for t in range(500))).encode())[:400])
    assert replay(system, file).returncode == 1


def test_a_missing_file_is_refused(system, tmp_path):
    done = replay(system, tmp_path / "absent.csv")
    assert done.returncode == 1 and "absent.csv" in done.stderr
