# SPDX-License-Identifier: Apache-2.0
"""The board on RS485: mbpoll (libmodbus) and pymodbus read and write its map, a cable tool takes the line, and broken frames get no answer."""
import os
import select
import subprocess
import time
import tty

import pytest
from harness import Pack, wait_until
from pymodbus.client import ModbusSerialClient
from pymodbus.exceptions import ModbusIOException
from uds_cable import Cable

BALANCE = 80
PARAM_16, RUNNING, STORED = 10000, 20000, 30000


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    with Pack(folder, "test.modbus", cells=20, rs485_pty=folder / "rs485", slot=folder / "slot", sample_ms=200):
        wait_until((folder / "rs485").exists, 10, "the line is there")
        time.sleep(2.5)
        yield str(folder / "rs485")


@pytest.fixture
def master(line):
    with ModbusSerialClient(line, baudrate=115200, parity="N", timeout=1, retries=0) as client:
        yield client


def mbpoll(line, *words):
    done = subprocess.run(["mbpoll", "-m", "rtu", "-a", "1", "-b", "115200", "-P", "none", "-0", "-1", "-q", *words[:-1], line, *words[-1]],
                          capture_output=True, text=True, timeout=20)
    values = [int(row.split(":")[1].split("(")[0]) for row in done.stdout.splitlines() if row.startswith("[")]
    return done.returncode, values, done.stdout + done.stderr


def test_mbpoll_reads_and_writes_the_map(line):
    code, values, said = mbpoll(line, "-t", "3", "-r", "0", "-c", "22", [])
    assert code == 0 and 600 < values[0] < 900 and values[5] in (0, 1, 2), said
    code, cells, said = mbpoll(line, "-t", "3", "-r", "1000", "-c", "20", [])
    assert code == 0 and all(3000 < mV < 4300 for mV in cells), said
    assert mbpoll(line, "-t", "4", "-r", str(PARAM_16 + BALANCE), ["66"])[0] == 0
    assert mbpoll(line, "-t", "4", "-r", str(PARAM_16 + BALANCE), [])[1] == [66]
    assert mbpoll(line, "-t", "4", "-r", str(RUNNING + 2 * BALANCE), ["0", "67"])[0] == 0
    assert mbpoll(line, "-t", "4", "-r", str(RUNNING + 2 * BALANCE), "-c", "2", [])[1] == [0, 67]
    code, _, said = mbpoll(line, "-t", "3", "-r", "900", [])
    assert code != 0 and "Illegal data address" in said
    code, _, said = mbpoll(line, "-t", "4", "-r", str(PARAM_16 + BALANCE), ["1"])
    assert code != 0 and "Illegal data value" in said


def test_pymodbus_reads_edits_and_stores(master):
    extremes = master.read_input_registers(26, count=8, device_id=1).registers
    cells = master.read_input_registers(1000, count=20, device_id=1).registers
    assert extremes[0] >= extremes[2] and 1 <= extremes[1] <= 20 and abs(max(cells) - extremes[0]) < 50
    assert not master.write_register(PARAM_16 + BALANCE, 70, device_id=1).isError()
    assert not master.write_registers(RUNNING + 2 * BALANCE, [0, 71], device_id=1).isError()
    assert master.read_holding_registers(RUNNING + 2 * BALANCE, count=2, device_id=1).registers == [0, 71]
    assert not master.write_register(0, 1, device_id=1).isError()
    wait_until(lambda: master.read_holding_registers(1, count=1, device_id=1).registers == [2], 5, "stored")
    assert master.read_holding_registers(STORED + 2 * BALANCE, count=2, device_id=1).registers == [0, 71]
    assert master.read_holding_registers(2, count=1, device_id=1).registers == [65535], "no SOC was set"


def test_pymodbus_is_refused(master):
    assert master.read_input_registers(900, count=1, device_id=1).exception_code == 2
    assert master.write_register(PARAM_16 + BALANCE, 1, device_id=1).exception_code == 3
    assert master.write_registers(RUNNING + 2 * BALANCE, [1], device_id=1).exception_code == 2
    assert master.read_coils(0, count=1, device_id=1).exception_code == 1
    assert master.write_register(1, 1, device_id=1).exception_code == 2
    with pytest.raises(ModbusIOException):
        master.read_input_registers(0, count=1, device_id=9)  # an absent slave


def test_pymodbus_asks_who_we_are(master):
    answer = master.read_device_information(read_code=1, object_id=0, device_id=1)
    assert answer.information[0] == b"Cellwarden" and answer.information[1] == b"BIU"


class Line:
    """The line without a library."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd)

    def close(self):
        os.close(self.fd)

    def say(self, data):
        for at in range(0, len(data), 1024):
            os.write(self.fd, data[at:at + 1024])

    def hear(self, seconds=0.4):
        """What comes until it is quiet for 50 ms."""
        data = b""
        while select.select([self.fd], [], [], 0.05 if data else seconds)[0]:
            data += os.read(self.fd, 4096)
        return data


@pytest.fixture
def raw(line):
    line = Line(line)
    yield line
    line.close()


READ = bytes([1, 4, 0, 0, 0, 1])
READ += crc16(READ)


def test_wrong_crc_gaps_and_broadcast(raw):
    raw.say(READ)
    good = raw.hear()
    assert len(good) == 7 and crc16(good) == b"\0\0"
    for at in range(len(READ)):
        wrong = bytearray(READ)
        wrong[at] ^= 0x10
        raw.say(bytes(wrong))
        assert raw.hear(0.1) == b"", f"byte {at}"
    raw.say(READ[:4])
    time.sleep(0.06)
    raw.say(READ[4:])
    assert raw.hear() == b"", "a gap inside a frame"
    frame = bytes([0, 6]) + (PARAM_16 + BALANCE).to_bytes(2, "big") + (73).to_bytes(2, "big")
    raw.say(frame + crc16(frame))
    assert raw.hear() == b"", "a broadcast has no answer"
    frame = bytes([1, 3]) + (PARAM_16 + BALANCE).to_bytes(2, "big") + b"\0\1"
    raw.say(frame + crc16(frame))
    assert raw.hear()[3:5] == bytes([0, 73]), "but was done"


def cable_on(raw):
    def send(uds):
        frame = b"\xf8\x41" + len(uds).to_bytes(2, "big") + uds
        raw.say(frame + crc16(frame))

    def recv(seconds):
        data = raw.hear(seconds)
        if not data:
            return None
        assert data[:2] == b"\xf8\x42" and crc16(data) == b"\0\0"
        return data[4:4 + int.from_bytes(data[2:4], "big")]

    return Cable(send, recv)


def test_a_cable_tool_takes_the_line_and_a_display_waits(raw):
    cable = cable_on(raw)
    assert cable.ask("3e00") == b"\x7e\x00"
    raw.say(READ)
    assert raw.hear()[:3] == bytes([1, 0x84, 6]), "busy"
    text, tables = cable.catalogue()
    assert len(text) > 1000
    assert cable.ask("22" + "2050" * 64)[:3] == b"\x62\x20\x50"
    time.sleep(2.2)
    raw.say(bytes([1, 4, 0, 36, 0, 2]) + crc16(bytes([1, 4, 0, 36, 0, 2])))
    assert int.from_bytes(raw.hear()[3:7], "big") == tables
