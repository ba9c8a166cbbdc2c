# SPDX-License-Identifier: Apache-2.0
"""The display in the terminal (libmodbus) on a board's RS485: what it shows, what it edits, what it refuses."""
import re
import subprocess

import pytest
from harness import Pack, program, wait_until


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    with Pack(folder, "test.lcd", cells=20, rs485_pty=folder / "rs485", sample_ms=200):
        wait_until((folder / "rs485").exists, 10, "the line is there")
        wait_until(lambda: "SOC" in lcd(folder / "rs485", "--once").stdout and "never" not in lcd(folder / "rs485", "--once").stdout, 20, "values")
        yield folder / "rs485"


def lcd(port, *words):
    return subprocess.run([program("cellwarden-lcd"), "--port", port, *words], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)


def test_ta5_the_display_shows_soc_voltage_current_and_warnings(port):
    """And what is left, in Ah and kWh [TA-5] [ES-4]"""
    page = lcd(port, "--once").stdout
    for word in ("SOC", "voltage", "current", "warnings", "highest cell", "mode"):
        assert word in page, page
    assert re.search(r"capacity left +[1-9][\d.]* Ah", page) and re.search(r"energy left +[\d.]*[1-9][\d.]* kWh", page), page
    cells = lcd(port, "--once", "--cells").stdout.split()
    assert len(cells) == 40 and all(3000 < int(mV) < 4300 for mV in cells[1::2])


def test_ta5_the_display_edits_and_stores_parameters(port):
    """[TA-5]"""
    done = lcd(port, "--set", "balance_start_mV=61", "--store")
    assert done.returncode == 0 and "balance_start_mV = 61" in done.stdout and "stored" in done.stdout, done.stderr
    for wrong in ("balance_start_mV=1", "nothing=1", "balance_start_mV", "balance_start_mV=x"):
        done = lcd(port, "--set", wrong)
        assert done.returncode == 1 and "cellwarden-lcd: " in done.stderr


def test_the_display_says_what_is_wrong(port, tmp_path):
    assert lcd(port, "--address", "9", "--once").returncode == 1
    assert lcd(tmp_path / "nothing", "--once").returncode == 1
    assert lcd(port, "--baud", "1").returncode == 2 and lcd(port, "--help").returncode == 0
