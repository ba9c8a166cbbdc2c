# SPDX-License-Identifier: Apache-2.0
"""The vehicle bus by other people's tools: python-can on the SLCAN door of CAN1, cantools with the DBC, AUTOSAR E2E profile 1 by autosar-e2e."""
import collections
import time

import can
import cantools
import pytest
from e2e.p01 import E2E_P01_DATAID_BOTH, e2e_p01_check, e2e_p01_protect
from harness import Pack, free_port, wait_until
from harness.instance import BUILD, PRESET

CELLS, NOISE_mV = 40, 3
PERIODIC = {0x100: 0.01, 0x110: 0.05, 0x111: 0.1, 0x112: 0.1, 0x120: 0.1, 0x123: 0.1, 0x130: 0.1, 0x140: 0.1, 0x141: 0.1,
            0x131: 0.5, 0x132: 0.5, 0x133: 1, 0x121: 1, 0x122: 1, 0x134: 1}
ORDERS = 0x300
VCU_ORDERS = 570  # id in proto/params.def
KEY_ON, DISCHARGE = 4, 1


def data_id(frame_id):
    return 0x5700 + frame_id


@pytest.fixture(scope="module")
def dbc():
    return cantools.database.load_file(BUILD / PRESET / "proto" / "cellwarden_vehicle.dbc", strict=True)


@pytest.fixture(scope="module")
def can0_dbc():
    return cantools.database.load_file(BUILD / PRESET / "proto" / "cellwarden.dbc", strict=True)


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    can0, can1 = free_port(), free_port()
    with Pack(folder, "test.vehicle", cells=CELLS, scenario="charge", sample_ms=250, slcan_tcp=f"127.0.0.1:{can0}",
              slcan1_tcp=f"127.0.0.1:{can1}") as pack:
        pack.can0, pack.can1 = f"socket://127.0.0.1:{can0}", f"socket://127.0.0.1:{can1}"
        yield pack


def opened(channel):
    return can.Bus(interface="slcan", channel=channel, bitrate=500000, sleep_after_open=0.1)


def listen(bus, seconds):
    end, frames = time.monotonic() + seconds, []
    while (left := end - time.monotonic()) > 0:
        if (frame := bus.recv(left)) is not None:
            frames.append(frame)
    return frames


@pytest.fixture(scope="module")
def heard(pack):
    """Some seconds of CAN1, and what was said on CAN0 at the same time."""
    with opened(pack.can0) as can0, opened(pack.can1) as can1:
        time.sleep(2)
        listen(can0, 0.01), listen(can1, 0.01)
        deadline = time.monotonic() + 4
        frames = [], []
        while time.monotonic() < deadline:
            for bus, into in zip((can0, can1), frames):
                into += listen(bus, 0.02)
        return frames


def test_every_frame_is_in_the_dbc_and_protected(heard, dbc):
    """CRC and counter by another implementation of E2E profile 1; no frame and no signal that the DBC does not have [TA-2]"""
    counters = collections.defaultdict(list)
    for frame in heard[1]:
        message = dbc.get_message_by_frame_id(frame.arbitration_id)  # KeyError: a frame that the DBC does not know
        assert not frame.is_extended_id and frame.dlc == message.length == 8
        assert e2e_p01_check(bytearray(frame.data), data_id(frame.arbitration_id), data_id_mode=E2E_P01_DATAID_BOTH), frame
        values = message.decode(frame.data, decode_choices=False)
        counters[frame.arbitration_id].append(values[f"counter_{frame.arbitration_id:03X}"])
    assert set(PERIODIC) <= set(counters)
    for frame_id, seen in counters.items():
        steps = {(b - a) % 15 for a, b in zip(seen, seen[1:])}
        assert steps <= {1}, f"0x{frame_id:03X} counts by one: {steps}"


def test_every_frame_comes_in_its_period(heard):
    """Counted over some seconds; the machine's own delays are no matter of the schedule [TA-2]"""
    count = collections.Counter(frame.arbitration_id for frame in heard[1])
    seconds = count[0x100] * PERIODIC[0x100]
    assert 2 < seconds < 10
    for frame_id, period in PERIODIC.items():
        assert abs(count[frame_id] - seconds / period) <= 2, f"0x{frame_id:03X}"
    for message in range((CELLS + 3) // 4):
        assert abs(count[0x200 + message] - seconds) <= 2, "each cell once a second"
    assert count[0x200 + CELLS // 4] == 0, "cells that are not fitted are not sent"


def latest(frames, dbc):
    values = {}
    for frame in frames:
        values.update(dbc.get_message_by_frame_id(frame.arbitration_id).decode(frame.data, decode_choices=False))
    return values


def test_values_are_those_of_the_samples(heard, dbc, can0_dbc):
    """What the vehicle is told is what the stream of samples says at the same time [TA-2] [ME-1] [ME-2] [ES-4]"""
    stream = latest([f for f in heard[0] if f.arbitration_id >> 16 == 0x18F0], can0_dbc)
    told = latest(heard[1], dbc)
    for cell in range(1, CELLS + 1):
        assert abs(told[f"BMS_CellVoltage_{cell:03d}"] - stream[f"BIU_CellVoltage_{cell:03d}"]) <= 2 * NOISE_mV, cell
    for probe in range(1, stream["temp_count"] + 1):
        assert abs(told[f"BMS_Temperature_{probe:03d}"] - stream[f"BIU_Temperature_{probe:03d}"]) <= 10, probe
    assert abs(told["safe_voltage_dV"] * 100 - stream["pack_voltage_mV"]) <= 1000
    assert abs(told["safe_current_dA"] * 100 - stream["pack_current_mA"]) <= 3000
    assert abs(told["st_soc_permyriad"] - stream["soc_permyriad"]) <= 20
    assert stream["capacity_left_mAh"] > 0 and abs(told["left_mAh"] - stream["capacity_left_mAh"]) <= 100
    assert stream["energy_left_Wh"] > 0 and abs(told["left_Wh"] - stream["energy_left_Wh"]) <= 10
    assert abs(told["lk_voltage_mV"] - stream["link_voltage_mV"]) <= 1000
    for ours, theirs in (("safe_mode", "mode"), ("safe_alarm_level", "alarm_level"), ("safe_relays", "contactors_feedback"),
                         ("chg_state", "charge_state"), ("lim_derate_percent", "derate_percent"), ("fitted_cells", "cell_count"),
                         ("fitted_probes", "temp_count"), ("al_count", "alarm_count")):
        assert told[ours] == stream[theirs], ours
    assert abs(told["x_cell_max_mV"] - max(told[f"BMS_CellVoltage_{c:03d}"] for c in range(1, CELLS + 1))) <= 2 * NOISE_mV


class Vcu:
    """A vehicle's computer: orders every 20 ms, protected by somebody else's E2E."""

    def __init__(self, bus, dbc):
        self.bus, self.message, self.data = bus, dbc.get_message_by_frame_id(ORDERS), None
        self.counter = 0

    def say(self, seconds, **orders):
        values = {"crc_300": 0, "counter_300": 0, "drive_request": 0, "charge_permission": 0, "hv_off": 0, **orders}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            data = bytearray(self.message.encode(values))
            data[1] = data[1] & 0xF0 | self.counter
            e2e_p01_protect(data, data_id(ORDERS), data_id_mode=E2E_P01_DATAID_BOTH, increment_counter=False)
            self.bus.send(can.Message(arbitration_id=ORDERS, is_extended_id=False, data=data))
            self.counter = (self.counter + 1) % 15
            time.sleep(0.02)


def safety(bus, dbc, seconds=0.1):
    frames = [f for f in listen(bus, seconds) if f.arbitration_id == 0x100]
    assert frames, "the safety frame comes every 10 ms"
    return dbc.get_message_by_frame_id(0x100).decode(frames[-1].data, decode_choices=False)


def test_a_vehicle_gives_orders_and_falls_silent(tmp_path, dbc):
    """Connected on order, disconnected 500 ms after the last one, and the alarm says so [TA-2] [AC-6]"""
    can0, can1 = free_port(), free_port()
    with Pack(tmp_path, "test.orders", cells=16, scenario="drive", slcan_tcp=f"127.0.0.1:{can0}",
              slcan1_tcp=f"127.0.0.1:{can1}") as pack, \
            opened(f"socket://127.0.0.1:{can0}") as tester, opened(f"socket://127.0.0.1:{can1}") as bus:
        wait_until(lambda: safety(bus, dbc)["safe_relays"] == DISCHARGE, 15, "KeyOn connects a pack that needs no orders")
        write = [0x07, 0x2E, *(0x2000 + VCU_ORDERS).to_bytes(2, "big"), 0, 0, 0, 1]
        tester.send(can.Message(arbitration_id=0x18DA10F1, is_extended_id=True, data=write))
        wait_until(lambda: safety(bus, dbc)["safe_relays"] == 0, 5, "orders are needed now, and there are none")
        vcu = Vcu(bus, dbc)
        vcu.say(6, drive_request=1, charge_permission=1)
        told = safety(bus, dbc)
        assert told["safe_relays"] == DISCHARGE and told["safe_may_drive"] == 1 and told["safe_orders_lost"] == 0
        listen(bus, 3)
        told = safety(bus, dbc)
        assert told["safe_relays"] == 0 and told["safe_orders_lost"] == 1 and told["safe_alarm_level"] == 1
        assert pack.running()
