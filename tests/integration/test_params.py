# SPDX-License-Identifier: Apache-2.0
"""A decision goes back to the board: set, read back, shown as reported; kept over a restart only when it was flashed."""
import threading
import time

import pytest
from harness import wait_until

BALANCE_START_MV = 80
CELL_OVER_VOLTAGE_LIMIT = 104
DEFAULT = 50
DEVICES = ["test.posix", "test.lwip"]


@pytest.fixture
def watched(system):
    """Somebody looks at the vehicle, so its DTU sends every sample."""
    ended = threading.Event()
    threads = []

    def look(device):
        seen = []

        def run():
            try:
                for event in system.api.events(f"v:{device}", 120):
                    seen.append((time.monotonic(), *event))
                    if ended.is_set():
                        return
            except OSError:
                pass

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        threads.append(thread)
        frames = lambda: [at for at, name, _ in list(seen) if name == "v.frame"]  # noqa: E731
        wait_until(lambda: len(frames()) >= 3 and frames()[-1] - frames()[-2] < 1.6, 40, f"{device} sends every sample")
        return seen

    yield look
    ended.set()
    for thread in threads:
        thread.join(20)


def running(system, device, number):
    return system.api.params(device)[number]["running"]


def stored(system, device, number):
    return system.api.params(device)[number]["stored"]


def restart(system, device):
    boot = system.api.vehicle(device)["boot"]
    assert system.api.op(device, "restart", reason="test")["state"] == "done"
    wait_until(lambda: (system.api.vehicle(device)["boot"] or 0) > boot, 30, f"{device} has started again")
    assert system.api.op(device, "read")["state"] == "done"


@pytest.fixture(autouse=True)
def defaults(system):
    """Each test begins and ends with the default in both copies."""
    for device in DEVICES:
        wait_until(lambda d=device: system.api.vehicles().get(d, {}).get("online"), 60, f"{device} is online")
    yield
    for device in DEVICES:
        op = system.api.op(device, "flash", {BALANCE_START_MV: DEFAULT}, reason="back to the default", confirm=device[-4:])
        assert op["state"] == "done"


@pytest.mark.parametrize("device", DEVICES)
def test_a_parameter_is_applied_read_back_and_reported_within_two_seconds(system, watched, device):
    """From the request to what the API shows as reported, while somebody watches [FL-4] [UC-5]"""
    watched(device)
    took = []
    for value in (77, 78, 79):
        began = time.monotonic()
        op = system.api.op(device, "calibrate", {BALANCE_START_MV: value})
        assert op["state"] == "done", op
        assert [(one["id"], one["running"], one["ok"]) for one in op["readback"]] == [(BALANCE_START_MV, value, True)]
        wait_until(lambda v=value: running(system, device, BALANCE_START_MV) == v, 5, "the reported value")
        took.append(time.monotonic() - began)
    assert max(took) <= 2.0, took
    assert stored(system, device, BALANCE_START_MV) == DEFAULT


@pytest.mark.parametrize("device", DEVICES)
def test_calibrated_only_it_is_gone_after_a_restart(system, device):
    """[UC-5]"""
    assert system.api.op(device, "calibrate", {BALANCE_START_MV: 81})["state"] == "done"
    assert running(system, device, BALANCE_START_MV) == 81
    restart(system, device)
    assert running(system, device, BALANCE_START_MV) == DEFAULT


@pytest.mark.parametrize("device", DEVICES)
def test_flashed_it_stays_after_a_restart(system, device):
    """[UC-5]"""
    op = system.api.op(device, "flash", {BALANCE_START_MV: 82}, reason="test", confirm=device[-4:])
    assert op["state"] == "done", op
    assert op["readback"][0]["stored"] == 82
    restart(system, device)
    assert running(system, device, BALANCE_START_MV) == 82
    assert stored(system, device, BALANCE_START_MV) == 82


def test_reading_gives_every_parameter_of_the_catalogue(system):
    """[UC-3]"""
    assert system.api.op("test.posix", "read")["state"] == "done"
    params = system.api.params("test.posix")
    rows = system.api.get("/catalogue")["params"]
    assert set(params) == {row["id"] for row in rows}
    for row in rows:
        assert row["min"] <= params[row["id"]]["running"] <= row["max"], row["name"]


def test_a_changed_limit_acts_on_the_board(system):
    """A cell over-voltage limit below what the cells have raises the alarm, which names its cell; undone, it clears [AC-6]"""
    device = "test.posix"
    frame = wait_until(lambda: system.api.vehicle(device)["frame"], 30, "a first frame")
    low = min(v for v in frame["cell_mV"] if v) - 100
    before = system.api.params(device)
    try:
        assert system.api.op(device, "calibrate", {104: low, 105: low - 50})["state"] == "done"

        def alarm():
            frame = system.api.vehicle(device)["frame"]
            return next((a for a in frame["alarms"] if a["alarm"] == "cell_over_voltage"), None)

        found = wait_until(alarm, 15, "the alarm shows")
        assert 1 <= found["number"] <= 20 and found["value"] > low and str(found["number"]) in found["text"]
        assert system.api.vehicles()[device]["state"] == "alarm"
    finally:
        op = system.api.op(device, "calibrate", {n: before[n]["running"] for n in (104, 105)})
    assert op["state"] == "done"
    wait_until(lambda: not alarm(), 40, "the alarm is gone")
