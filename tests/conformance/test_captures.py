# SPDX-License-Identifier: Apache-2.0
"""What Wireshark makes of our talk: UDS on CAN0 and Modbus RTU on RS485, captured and read by tshark, without a malformed mark."""
import struct
import subprocess
import time

import can
import pytest
from harness import Pack, free_port, wait_until
from test_modbus import READ, Line, crc16
from uds_cable import cable_on_can

UDS_IDS = 0x18DA10F1, 0x18DAF110


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    port = free_port()
    folder = tmp_path_factory.mktemp("pack")
    with Pack(folder, "test.captures", cells=20, slcan_tcp=f"127.0.0.1:{port}", rs485_pty=folder / "rs485") as pack:
        pack.channel, pack.line = f"socket://127.0.0.1:{port}", folder / "rs485"
        wait_until(pack.line.exists, 10, "the line is there")
        yield pack


def tshark(capture, *words):
    done = subprocess.run(["tshark", "-n", "-r", str(capture), *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_tshark_reads_uds_on_can(pack, tmp_path):
    log = tmp_path / "uds.log"
    with can.Bus(interface="slcan", channel=pack.channel, bitrate=500000, sleep_after_open=0.1) as listener, cable_on_can(pack.channel) as cable:
        asked = ["1003", "2220502051f186", "3e00", "1902ff", "190a", "2701", "31010201", "221011", "3510448000000000000200", "3601", "9900"]
        for request in asked:
            assert cable.ask(request), request
        rows, end = [], time.monotonic() + 3
        while time.monotonic() < end:
            frame = listener.recv(0.1)
            if frame is not None and frame.arbitration_id in UDS_IDS:
                rows.append(f"({frame.timestamp:.6f}) can0 {frame.arbitration_id:08X}#{frame.data.hex().upper()}")
    log.write_text("\n".join(rows) + "\n")
    how = ["-d", "can.subdissector,iso15765", "-d", "iso15765.subdissector,uds"]
    assert tshark(log, *how, "-Y", "_ws.malformed").strip() == ""
    services = set(tshark(log, *how, "-Y", "uds", "-T", "fields", "-e", "uds.sid").split())
    assert {"0x10", "0x22", "0x3e", "0x19", "0x27", "0x31", "0x35", "0x36"} <= services, services


def test_tshark_reads_modbus_on_rs485(pack, tmp_path):
    capture, frames = tmp_path / "modbus.pcap", []
    line = Line(str(pack.line))
    for pdu in (READ[:-2], bytes([1, 3, 0x27, 0x60, 0, 1]), bytes([1, 6, 0x27, 0x60, 0, 60]), bytes([1, 4, 3, 0xE8, 0, 20]), bytes([1, 1, 0, 0, 0, 1])):
        request = pdu + crc16(pdu)
        line.say(request)
        answer = line.hear()
        assert answer, pdu.hex()
        frames += [request, answer]
    line.close()
    with open(capture, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 147))  # DLT_USER0
        for i, frame in enumerate(frames):
            out.write(struct.pack("<IIII", i, 0, len(frame), len(frame)) + frame)
    how = ["-o", 'uat:user_dlts:"User 0 (DLT=147)","mbrtu","0","","0",""', "-o", "mbrtu.crc_verification:TRUE"]
    assert tshark(capture, *how, "-Y", "_ws.malformed").strip() == ""
    functions = tshark(capture, *how, "-T", "fields", "-e", "modbus.func_code").split()
    assert len(functions) == len(frames), functions
