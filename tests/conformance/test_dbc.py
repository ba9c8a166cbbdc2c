# SPDX-License-Identifier: Apache-2.0
"""Every message of both DBCs by cantools: what 160 cells put on CAN0 and CAN1 is decoded without exception, and every row survives at both its ends."""
import time

import can
import cantools
import pytest
from harness import BUILD, PRESET, Pack, free_port

CELLS, SECONDS = 160, 4
FILES = {"CAN0": "cellwarden.dbc", "CAN1": "cellwarden_vehicle.dbc"}
PROBES = {"CAN0": "temp_count", "CAN1": "fitted_probes"}
ISOTP = {0x18DA10F1, 0x18DAF110, 0x18DB33F1}  # requests and answers are no rows


@pytest.fixture(scope="module")
def dbc():
    return {bus: cantools.database.load_file(BUILD / PRESET / "proto" / file, strict=True) for bus, file in FILES.items()}


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    ports = {"CAN0": free_port(), "CAN1": free_port()}
    folder = tmp_path_factory.mktemp("pack")
    with Pack(folder, "test.dbc", cells=CELLS, sample_ms=500, slcan_tcp=f"127.0.0.1:{ports['CAN0']}", slcan1_tcp=f"127.0.0.1:{ports['CAN1']}"):
        frames = {}
        for bus, port in ports.items():
            with can.Bus(interface="slcan", channel=f"socket://127.0.0.1:{port}", bitrate=500000, sleep_after_open=0.1) as listener:
                end, frames[bus] = time.monotonic() + SECONDS, []
                while (left := end - time.monotonic()) > 0:
                    if (frame := listener.recv(left)) is not None and frame.arbitration_id not in ISOTP:
                        frames[bus].append(frame)
        return frames


@pytest.mark.parametrize("bus", FILES)
def test_every_frame_on_the_bus_is_decoded(bus, heard, dbc):
    """No frame that the DBC does not have, no length that it does not say [TA-1] [TA-2]"""
    assert len(heard[bus]) > 500
    for frame in heard[bus]:
        message = dbc[bus].get_message_by_frame_id(frame.arbitration_id)
        assert message.is_extended_frame == frame.is_extended_id and message.length == frame.dlc
        assert message.decode(frame.data, decode_choices=False)


@pytest.mark.parametrize("bus", FILES)
def test_every_message_of_the_dbc_is_heard(bus, heard, dbc):
    """All but what others send, alarms that are not there and probes that are not fitted [TA-1] [TA-2]"""
    seen = {frame.arbitration_id for frame in heard[bus]}
    silent = [m.name for m in dbc[bus].messages if m.frame_id not in seen]
    others = {m.name for m in dbc[bus].messages if set(m.senders) & {"DTU", "VCU"}}
    fitted = next(values[PROBES[bus]] for values in map(dbc[bus].decode_message, *zip(*((f.arbitration_id, f.data) for f in heard[bus]))) if PROBES[bus] in values)
    absent = {m.name for m in dbc[bus].messages if (probes := probes_of(m)) and min(probes) > fitted}
    assert 30 < fitted < 60 and absent, fitted
    assert [name for name in silent if name not in others | absent and "Alarm" not in name] == []


def probes_of(message):
    return [int(s.name[-3:]) for s in message.signals if "_Temperature_" in s.name]


@pytest.mark.parametrize("bus", FILES)
def test_every_message_is_the_same_after_encoding_at_both_ends_of_its_ranges(bus, dbc):
    for message in dbc[bus].messages:
        for end in ("minimum", "maximum"):
            values = {s.name: getattr(s, end) if getattr(s, end) is not None else s.conversion.raw_to_scaled(0) for s in message.signals}
            decoded = message.decode(message.encode(values, strict=False), decode_choices=False)
            for name, value in values.items():
                assert abs(decoded[name] - value) < 1e-6, (message.name, name, end)
