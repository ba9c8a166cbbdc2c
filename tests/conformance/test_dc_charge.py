# SPDX-License-Identifier: Apache-2.0
"""A DC charge on CAN2 as Wireshark sees it: python-can listens at the SLCAN door, tshark's J1939 dissector reads the capture."""
import collections
import os
import struct
import subprocess
import time

import can
import pytest
from harness import Pack, free_port

CELLS, CHARGER, BMS = 16, 0x56, 0xF4
TP_CM, TP_DT = 60416, 60160
PGN = {"CHM": 0x2600, "BHM": 0x2700, "CRM": 0x0100, "BRM": 0x0200, "BCP": 0x0600, "CTS": 0x0700, "CML": 0x0800, "BRO": 0x0900, "CRO": 0x0A00,
       "BCL": 0x1000, "BCS": 0x1100, "CCS": 0x1200, "BSM": 0x1300, "BMV": 0x1500, "BMT": 0x1600, "BSP": 0x1700}
ORDER = "BHM", "CRM", "BRM", "BCP", "CML", "BRO", "CRO", "BCL"
SECONDS = 18


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    port = free_port()
    with Pack(tmp_path_factory.mktemp("pack"), "test.charge", cells=CELLS, scenario="charge", charger="gbt",
              slcan2_tcp=f"127.0.0.1:{port}"), \
            can.Bus(interface="slcan", channel=f"socket://127.0.0.1:{port}", bitrate=250000, sleep_after_open=0) as bus:
        end, heard = time.monotonic() + SECONDS, []
        while (left := end - time.monotonic()) > 0:
            if (frame := bus.recv(left)) is not None:
                heard.append((time.monotonic(), frame))
    return heard


def messages(frames):
    """[(seconds, name, data)]: single frames, and what RTS, CTS and DT carry, put together here once more."""
    names, found, parts = {number: name for name, number in PGN.items()}, [], {}
    for at, frame in frames:
        pgn, sender = frame.arbitration_id >> 8 & 0xFF00, frame.arbitration_id & 0xFF
        data = bytes(frame.data)
        if pgn == TP_CM and data[0] == 0x10:
            parts[sender] = (int.from_bytes(data[5:8], "little"), int.from_bytes(data[1:3], "little"), b"", 1)
        elif pgn == TP_DT:
            number, size, so_far, packet = parts[sender]
            if data[0] != packet:
                continue  # sent again
            parts[sender] = number, size, so_far + data[1:], packet + 1
            if len(so_far) + 7 >= size:
                found.append((at, names[number], (so_far + data[1:])[:size]))
        elif pgn != TP_CM:
            found.append((at, names[pgn], data))  # KeyError: a message that the standard does not have
    return found


def test_tshark_reads_every_frame_as_j1939(frames, tmp_path):
    """Nothing malformed, the two addresses, the parameter groups of the standard [TA-3] [AC-3]"""
    log = tmp_path / "can2.log"
    log.write_text("".join(f"({at:.6f}) can2 {f.arbitration_id:08X}#{bytes(f.data).hex().upper()}\n" for at, f in frames))
    fields = ["j1939.pgn", "j1939.src_addr", "j1939.dst_addr", "_ws.malformed", "_ws.expert.severity"]
    words = ["tshark", "-r", str(log), "-d", "can.subdissector,j1939", "-T", "fields", *(w for field in fields for w in ("-e", field))]
    result = subprocess.run(words, capture_output=True, text=True, timeout=60, env={**os.environ, "HOME": str(tmp_path)})
    assert result.returncode == 0, result.stderr
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert len(rows) == len(frames) > 300
    for pgn, source, target, malformed, expert in rows:
        assert not malformed and not expert, "no frame is marked"
        assert int(pgn) in {TP_CM, TP_DT, *PGN.values()}
        assert {int(source), int(target)} == {CHARGER, BMS}


def test_a_charge_begins_in_the_order_of_the_standard(frames):
    first = {}
    for at, name, _ in messages(frames):
        first.setdefault(name, at)
    assert sorted(ORDER, key=first.__getitem__) == list(ORDER)


def test_messages_have_the_lengths_and_periods_of_the_standard(frames):
    said = messages(frames)
    lengths = collections.defaultdict(set)
    for _, name, data in said:
        lengths[name].add(len(data))
    assert lengths["BRM"] == {49} and lengths["BCP"] == {13} and lengths["BCS"] == {9} and lengths["BCL"] == {5} and lengths["BSM"] == {7}
    assert lengths["BMV"] == {2 * CELLS} and lengths["BMT"] == {4} and lengths["BSP"] == {16}
    begin = min(at for at, name, _ in said if name == "BCL")
    seconds = max(at for at, name, _ in said if name == "BCL") - begin
    for name, period in (("BCL", 0.05), ("CCS", 0.05), ("BCS", 0.25), ("BSM", 0.25)):
        count = sum(n == name and at >= begin for at, n, _ in said)
        assert abs(count - seconds / period) <= 0.1 * seconds / period + 2, name


def test_what_is_said_is_what_the_pack_does(frames):
    """The charger's current, the pack's own and what was demanded agree, and the voltage is that of the cells"""
    last = {name: data for _, name, data in messages(frames)}
    output_dV, output_dA, _, permitted = struct.unpack_from("<HHHB", last["CCS"])
    pack_dV, pack_dA, cell_10mV, soc, _ = struct.unpack_from("<HHHBH", last["BCS"])
    demand_dV, demand_dA, mode = struct.unpack_from("<HHB", last["BCL"])
    cells = [v & 0xFFF for v in struct.unpack(f"<{CELLS}H", last["BMV"])]
    assert permitted & 3 == 1 and mode == 2
    assert demand_dA < 4000 - 1000, "more than 100 A into the pack"
    assert abs(output_dA - demand_dA) <= 20 and abs(pack_dA - output_dA) <= 60
    assert abs(pack_dV - output_dV) <= 5 and pack_dV < demand_dV
    assert abs(sum(cells) / 10 - pack_dV) <= 15 and abs((cell_10mV & 0xFFF) - max(cells)) <= 10
    assert 35 <= soc <= 40
