# SPDX-License-Identifier: Apache-2.0
"""The doors of CAN0 of one board, seen by other people's tools: python-can on SLCAN (TCP and pty), cantools with our DBC, can-isotp."""
import contextlib
import socket
import struct
import time

import can
import cantools
import isotp
import pytest
from harness import Pack, free_port, wait_until
from harness.instance import BUILD, PRESET

CELLS = 20
RUNNING, STORED = 0x2000, 0x3000
ISOTP = 0x18DA10F1, 0x18DAF110  # to the board, from the board
OVER_VOLTAGE_LIMIT, OVER_VOLTAGE_CLEAR = 104, 105  # ids in proto/params.def


@pytest.fixture(scope="module")
def dbc():
    return cantools.database.load_file(BUILD / PRESET / "proto" / "cellwarden.dbc")


@pytest.fixture
def pack(tmp_path):
    port = free_port()
    link = tmp_path / "tty"
    with Pack(tmp_path, "test.doors", cells=CELLS, slcan_tcp=f"127.0.0.1:{port}", slcan_pty=link, truth=tmp_path / "truth",
              sample_ms=250) as pack:
        pack.channels = {"tcp": f"socket://127.0.0.1:{port}", "pty": str(link)}
        yield pack


@contextlib.contextmanager
def opened(channel):
    with can.Bus(interface="slcan", channel=channel, bitrate=500000, sleep_after_open=0.1) as bus:
        yield bus


def listen(bus, seconds):
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if (frame := bus.recv(left)) is not None:
            yield frame


def crc8_j1850(data):
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D) & 0xFF if crc & 0x80 else crc << 1
    return crc ^ 0xFF


def samples(frames, dbc):
    """{number: {signal: value}} of the samples that are whole."""
    end_id = dbc.get_message_by_name("BIU_SampleEnd").frame_id
    whole, open_ = {}, []
    for frame in frames:
        if frame.arbitration_id in ISOTP:
            continue
        message = dbc.get_message_by_frame_id(frame.arbitration_id)  # KeyError: a frame that the DBC does not know
        if message.name == "CSU_Current":
            continue
        open_.append((frame, message))
        if frame.arbitration_id != end_id:
            continue
        values = {}
        for part, row in open_:
            values.update(row.decode(part.data, decode_choices=False))
        if len(open_) & 0xFF == values["frame_count"]:
            assert {part.data[1] for part, _ in open_} == {values["sample_no"] & 0xFF}, "the counter is the low byte of the sample's number"
            whole[values["sample_no"]] = values
        open_ = []
    return whole


def truth(path):
    """{number: (world_mV, measured_mV, measured_ddegC)}"""
    data, at, entries = path.read_bytes(), 8, {}
    assert data[:8] == b"CWTRUTH1"
    while at + 20 <= len(data):
        _, number, _, cells, temps = struct.unpack_from("<IIQHH", data, at)
        at += 20
        world = struct.unpack_from(f"<{cells}H", data, at)
        measured = struct.unpack_from(f"<{cells}H", data, at + 2 * cells)
        entries[number] = world, measured, struct.unpack_from(f"<{temps}h", data, at + 4 * cells)
        at += 4 * cells + 2 * temps
    return entries


@pytest.mark.parametrize("door", ["tcp", "pty"])
def test_python_can_reads_every_cell_as_it_was_measured(pack, dbc, door):
    """Checksum, counter, DBC, values [TA-1] [ME-1] [ME-2]"""
    with opened(pack.channels[door]) as bus:
        frames = list(listen(bus, 3))
    for frame in frames:
        assert frame.is_extended_id and frame.dlc == 8
        assert frame.data[0] == crc8_j1850(frame.arbitration_id.to_bytes(4, "little") + frame.data[1:]), frame
    heard, was = samples(frames, dbc), truth(pack.truth)
    assert len(heard) >= 8
    for number, values in heard.items():
        world, measured, temps = was[number]
        cells = [values[f"BIU_CellVoltage_{k:03d}"] for k in range(1, CELLS + 1)]
        assert cells == list(measured)
        assert max(abs(a - b) for a, b in zip(cells, world)) <= 2, "noise of the measurement"
        assert values["cell_count"] == CELLS and values["temp_count"] == len(temps) == 8
        assert values["cell_max_mV"] == max(cells) and cells[values["cell_max_no"] - 1] == max(cells)
    assert sorted(heard) == list(range(min(heard), max(heard) + 1)), "no sample is missing"


def test_a_host_that_does_not_read_disturbs_nobody(pack, dbc):
    with opened(pack.channels["tcp"]), opened(pack.channels["pty"]), opened(pack.channels["tcp"]) as bus:
        heard = samples(listen(bus, 2), dbc)
    assert len(heard) >= 6


class Diagnostics:
    """UDS by somebody else's ISO-TP."""

    def __init__(self, bus, **how):
        # The board pads with 0xCC, as we do; 8 bytes always.
        self.stack = isotp.CanStack(bus, address=isotp.Address(isotp.AddressingMode.Normal_29bits, txid=ISOTP[0], rxid=ISOTP[1]),
                                    params={"tx_padding": 0xCC, **how})
        self.stack.start()

    def ask(self, request, seconds=5):
        self.stack.send(bytes(request))
        answer = self.stack.recv(block=True, timeout=seconds)
        assert answer is not None, f"no answer to {bytes(request).hex()}"
        return bytes(answer)

    def read(self, did):
        answer = self.ask(struct.pack(">BH", 0x22, did))
        assert answer[:3] == struct.pack(">BH", 0x62, did), answer.hex()
        return struct.unpack(">i", answer[3:])[0]

    def write(self, did, value):
        return self.ask(struct.pack(">BHi", 0x2E, did, value))


@pytest.fixture
def tester(pack):
    with opened(pack.channels["tcp"]) as bus:
        one = Diagnostics(bus)
        yield one
        one.stack.stop()


def test_a_written_parameter_is_gone_after_a_restart_unless_it_was_stored(pack, tester):
    """[UC-5]"""
    did = RUNNING + OVER_VOLTAGE_LIMIT
    before = tester.read(did)
    assert tester.write(did, before + 7) == struct.pack(">BH", 0x6E, did)
    assert tester.read(did) == before + 7
    assert tester.read(STORED + OVER_VOLTAGE_LIMIT) == before
    assert tester.ask([0x11, 0x01]) == b"\x51\x01"
    pack.says("board restarted boot=2")
    assert tester.read(did) == before

    tester.write(did, before + 9)
    assert tester.ask([0x31, 0x01, 0x02, 0x01])[:4] == b"\x71\x01\x02\x01"
    assert tester.ask([0x11, 0x01]) == b"\x51\x01"
    pack.says("board restarted boot=3")
    assert tester.read(did) == tester.read(STORED + OVER_VOLTAGE_LIMIT) == before + 9


def test_wrong_requests_get_the_right_refusal(tester):
    assert tester.write(RUNNING + OVER_VOLTAGE_LIMIT, 99999) == b"\x7F\x2E\x31"
    assert tester.write(STORED + OVER_VOLTAGE_LIMIT, 4200)[:2] == b"\x7F\x2E"
    assert tester.ask([0x22, 0x2F, 0xFF]) == b"\x7F\x22\x31"
    assert tester.ask([0x22, 0x20]) == b"\x7F\x22\x13"
    assert tester.ask([0x99]) == b"\x7F\x99\x11"


@pytest.mark.parametrize("stmin,blocksize", [(0, 0), (0, 1), (3, 4), (20, 0), (0xF5, 7)])
def test_can_isotp_and_ours_carry_long_messages(pack, stmin, blocksize):
    """129 bytes there, 385 back, with every kind of flow control"""
    dids = [RUNNING + OVER_VOLTAGE_LIMIT, RUNNING + OVER_VOLTAGE_CLEAR] * 32
    with opened(pack.channels["tcp"]) as bus:
        tester = Diagnostics(bus, stmin=stmin, blocksize=blocksize)
        answer = tester.ask(struct.pack(">B64H", 0x22, *dids), 20)
        tester.stack.stop()
    assert len(answer) == 1 + 64 * 6
    assert [struct.unpack_from(">H", answer, 1 + 6 * i)[0] for i in range(64)] == dids


def test_samples_can_be_had_again(pack, tester, dbc):
    """31 01 0202 no: the stream goes back [FL-1]"""
    wait_until(lambda: len(truth(pack.truth)) >= 6, 10, "six samples")
    answer = tester.ask(struct.pack(">BBHI", 0x31, 0x01, 0x0202, 1))
    first, last = struct.unpack(">II", answer[4:])
    assert answer[:4] == b"\x71\x01\x02\x02" and first == 1 and last >= 6
    with opened(pack.channels["pty"]) as bus:
        tester.ask(struct.pack(">BBHI", 0x31, 0x01, 0x0202, 1))
        heard = samples(listen(bus, 2), dbc)
    assert 1 in heard and 5 in heard


def test_a_host_may_say_nonsense(pack, dbc):
    """Refused lines do not stop the rest"""
    host, port = pack.channels["tcp"][len("socket://"):].split(":")
    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(b"C\rS9\rQ\r" + b"T" * 5000 + b"\rO\rT123\rt8001\rZ1\r" + bytes(range(256)) + b"\r")
        raw.settimeout(5)
        seen = b""
        while seen.count(b"\a") < 6:
            seen += raw.recv(4096)
    with opened(pack.channels["tcp"]) as bus:
        assert samples(listen(bus, 2), dbc)
