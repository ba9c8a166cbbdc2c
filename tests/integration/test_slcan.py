# SPDX-License-Identifier: Apache-2.0
"""Somebody else's tools on CAN0: python-can reads the SLCAN door, cantools decodes with the DBC that the tables made."""
import collections
import threading
import time

import can
import cantools
import pytest
from harness import wait_until
from harness.instance import BUILD, PRESET

DEVICE = "test.posix"


@pytest.fixture(scope="module")
def dbc():
    return cantools.database.load_file(BUILD / PRESET / "proto" / "cellwarden.dbc")


@pytest.fixture
def bus(system, slcan_port):
    del system
    with can.Bus(interface="slcan", channel=f"socket://127.0.0.1:{slcan_port}", bitrate=500000) as bus:
        yield bus


def crc8_j1850(data):
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D) & 0xFF if crc & 0x80 else crc << 1
    return crc ^ 0xFF


def listen(bus, seconds):
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        frame = bus.recv(left)
        if frame is not None:
            yield frame


def test_frames_carry_a_right_crc_and_a_running_counter(bus, dbc):
    """CRC-8 SAE J1850 over identifier and bytes 1 to 7, in byte 0; checked with a second implementation [TA-1]"""
    known = {message.frame_id for message in dbc.messages}
    frames = [f for f in listen(bus, 4) if f.is_extended_id and f.arbitration_id in known]
    assert len(frames) > 50
    for frame in frames:
        assert frame.dlc == 8
        assert frame.data[0] == crc8_j1850(frame.arbitration_id.to_bytes(4, "little") + frame.data[1:8]), frame
    csu = dbc.get_message_by_name("CSU_Current").frame_id
    counters = [f.data[1] for f in frames if f.arbitration_id == csu]
    assert len(counters) > 100
    assert all((b - a) & 0xFF == 1 for a, b in zip(counters, counters[1:])), "the counter goes up by one"


def samples(bus, dbc, seconds):
    """Whole samples as (number, {signal: value}), put together from the stream."""
    end_id = dbc.get_message_by_name("BIU_SampleEnd").frame_id
    names = {message.frame_id: message for message in dbc.messages}
    signals = collections.defaultdict(dict)
    for frame in listen(bus, seconds):
        message = names.get(frame.arbitration_id)
        if message is None:
            continue
        values = message.decode(frame.data, decode_choices=False)
        signals[frame.data[1]].update(values)
        if frame.arbitration_id == end_id:
            yield values["sample_no"], signals.pop(values["sample_no"] & 0xFF)


def test_what_the_dbc_decodes_is_what_the_api_shows(system, bus, dbc):
    """The same sample by two ways: a third-party CAN tool, and DTU, broker, server, database [TA-1] [FL-1]"""
    wait_until(lambda: system.api.vehicles().get(DEVICE, {}).get("online"), 60, f"{DEVICE} is online")
    shown = {}

    def look():
        try:
            for name, data in system.api.events(f"v:{DEVICE}", 18):
                if name == "v.frame":
                    shown[data["no"]] = data
        except OSError:
            pass

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    heard = dict(samples(bus, dbc, 12))
    looking.join(30)
    both = sorted(set(heard) & set(shown))
    assert len(both) >= 2, (sorted(heard), sorted(shown))
    for number in both:
        signals, frame = heard[number], shown[number]
        cells = cell_values(signals, len(frame["cell_mV"]))
        assert cells == frame["cell_mV"], f"sample {number}"
        assert signals["pack_voltage_mV"] == frame["scalars"]["pack_voltage_mV"]
        assert signals["pack_current_mA"] == frame["scalars"]["pack_current_mA"]
        assert signals["soc_permyriad"] == frame["scalars"]["soc_permyriad"]


def cell_values(signals, count):
    """The cells in their order."""
    return [signals[f"BIU_CellVoltage_{k:03d}"] for k in range(1, count + 1)]
