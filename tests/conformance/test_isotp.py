# SPDX-License-Identifier: Apache-2.0
"""ISO 15765-2 of a board, frame by frame from outside: flow control of every class, and frames that come in between, twice, late or never."""
import time

import can
import pytest
from harness import Pack, free_port
from uds_cable import FROM_BOARD, TO_BOARD

TO_ALL = 0x18DB33F1
ALL_CODES = "190a"  # its answer takes many frames
READ_16 = "22" + "2050" * 16  # a request of 33 bytes: a first frame and four more
IDLE_S = 0.4
OPEN, WAIT, OVERFLOW = 0x30, 0x31, 0x32


class Wire:
    """One tester's frames."""

    def __init__(self, bus):
        self.bus = bus

    def send(self, data, to=TO_BOARD):
        data = bytes.fromhex(data) if isinstance(data, str) else bytes(data)
        self.bus.send(can.Message(arbitration_id=to, data=data.ljust(8, b"\xcc"), is_extended_id=True))

    def frame(self, seconds=3.0):
        """The board's next frame and when it came, or None."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            frame = self.bus.recv(left)
            if frame and frame.arbitration_id == FROM_BOARD:
                return bytes(frame.data), time.monotonic()
        return None

    def ask(self, request, to=TO_BOARD):
        """A request of one frame."""
        request = bytes.fromhex(request)
        self.send(bytes([len(request)]) + request, to)

    def first(self, request=ALL_CODES):
        """Asks; the length that the first frame of the answer announces, and its bytes."""
        self.ask(request)
        data, _ = self.frame()
        assert data[0] >> 4 == 1, data.hex()
        return int.from_bytes(data[:2], "big") & 0xFFF, data[2:]

    def flow(self, status=OPEN, block=0, st_min=0):
        self.send([status, block, st_min])

    def rest(self, length, have, block=0, st_min=0):
        """The frames behind the first, giving flow control after each block."""
        number, left = 1, block
        while len(have) < length:
            data, _ = self.frame()
            assert data[0] == 0x20 | number & 15, data.hex()
            have, number, left = have + data[1:], number + 1, left - 1
            if block and left == 0 and len(have) < length:
                assert self.frame(0.1) is None, "a block has ended"
                self.flow(OPEN, block, st_min)
                left = block
        return have[:length]

    def works(self):
        """The next request is answered, whole and right."""
        length, have = self.first()
        self.flow()
        answer = self.rest(length, have)
        assert answer[:3] == b"\x59\x0a\xff" and len(answer) % 4 == 3
        assert self.frame(0.1) is None


def frames_of(request):
    """First and consecutive frames of a long request."""
    request = bytes.fromhex(request)
    frames = [(0x1000 | len(request)).to_bytes(2, "big") + request[:6]]
    for at in range(6, len(request), 7):
        frames.append(bytes([0x20 | len(frames) & 15]) + request[at:at + 7])
    return frames


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    port = free_port()
    with Pack(tmp_path_factory.mktemp("pack"), "test.isotp", cells=20, slcan_tcp=f"127.0.0.1:{port}", sample_ms=1000) as pack:
        pack.channel = f"socket://127.0.0.1:{port}"
        yield pack


@pytest.fixture
def wire(pack):
    with can.Bus(interface="slcan", channel=pack.channel, bitrate=500000, sleep_after_open=0.1) as bus:
        wire = Wire(bus)
        while wire.frame(0.2):
            pass
        yield wire


def separation_ms(code):
    if 0xF1 <= code <= 0xF9:
        return (code - 0xF0) / 10
    return min(code, 0x7F)


@pytest.mark.parametrize("code", [0x00, 0x01, 0x0A, 0x14, 0x32, 0x7F, 0x80, 0xB7, 0xF0, 0xF1, 0xF5, 0xF9, 0xFA, 0xFF])
def test_stmin_of_every_class(wire, code):
    """Four frames of a block: three gaps, none shorter than asked, and no longer than a step of the board more."""
    wire.first()
    wire.flow(OPEN, 4, code)
    times = [wire.frame()[1] for _ in range(4)]
    took_ms = (times[-1] - times[0]) * 1000
    assert took_ms >= 3 * separation_ms(code) - 15, "the board's own clock has 10 ms"
    assert took_ms < 3 * (separation_ms(code) + 10) + 200
    assert wire.frame(0.1) is None
    wire.flow(OVERFLOW)
    wire.works()


@pytest.mark.parametrize("block", [1, 2, 7, 8, 15, 16, 17, 255, 0])
def test_block_sizes(wire, block):
    length, have = wire.first()
    wire.flow(OPEN, block)
    assert wire.rest(length, have, block)[:3] == b"\x59\x0a\xff"
    wire.works()


def test_wait_holds_and_continue_goes_on(wire):
    length, have = wire.first()
    for _ in range(4):
        wire.flow(WAIT)
        assert wire.frame(0.5) is None, "longer than N_Bs in all"
    wire.flow()
    assert len(wire.rest(length, have)) == length
    wire.works()


@pytest.mark.parametrize("flow", ["overflow", "reserved", "seventeen waits", "silence"])
def test_an_answer_that_nobody_takes_is_given_up(wire, flow):
    wire.first()
    if flow == "overflow":
        wire.flow(OVERFLOW)
    elif flow == "reserved":
        wire.flow(0x33)
    elif flow == "silence":
        assert wire.frame(1.2) is None
    else:
        for _ in range(17):
            wire.flow(WAIT)
    assert wire.frame(IDLE_S) is None
    wire.flow()
    assert wire.frame(IDLE_S) is None, "too late"
    wire.works()


def begun(wire, request=READ_16):
    """A long request whose flow control has come; its further frames."""
    first, *rest = frames_of(request)
    wire.send(first)
    data, _ = wire.frame()
    assert data[0] == OPEN, data.hex()
    return rest


def expect_16(wire):
    data, _ = wire.frame()
    length, have = int.from_bytes(data[:2], "big") & 0xFFF, data[2:]
    assert length == 1 + 16 * 6
    wire.flow()
    answer = wire.rest(length, have)
    assert answer[0] == 0x62 and all(answer[at:at + 2] == b"\x20\x50" for at in range(1, length, 6))


def test_a_functional_request_in_the_middle_of_a_request(wire):
    rest = begun(wire)
    wire.send(rest[0])
    wire.ask("3e00", TO_ALL)
    data, _ = wire.frame()
    assert data[:3] == bytes.fromhex("027e00")
    for frame in rest[1:]:
        wire.send(frame)
    expect_16(wire)
    wire.works()


def test_a_functional_request_in_the_middle_of_an_answer(wire):
    length, have = wire.first()
    wire.flow(OPEN, 2)
    have += wire.frame()[0][1:] + wire.frame()[0][1:]
    wire.ask("3e00", TO_ALL)
    assert wire.frame(IDLE_S) is None, "nothing between the frames of an answer"
    wire.flow()
    number = 3
    while len(have) < length:
        data, _ = wire.frame()
        assert data[0] == 0x20 | number & 15
        have, number = have + data[1:], number + 1
    data, _ = wire.frame()
    assert data[:3] == bytes.fromhex("027e00"), "and afterwards its own answer"
    wire.works()


def test_a_second_first_frame_takes_the_place_of_the_first(wire):
    wire.send(begun(wire, "2e" + "00" * 60)[0])
    for frame in begun(wire):
        wire.send(frame)
    expect_16(wire)
    wire.works()


def test_a_single_frame_takes_the_place_of_a_half_request(wire):
    wire.send(begun(wire)[0])
    wire.ask("3e00")
    data, _ = wire.frame()
    assert data[:3] == bytes.fromhex("027e00")
    wire.works()


@pytest.mark.parametrize("order", [(0, 2, 3), (1, 2, 3), (0, 1, 3), (0, 0, 1, 2, 3), (0, 1, 1, 2, 3), (1, 0, 2, 3), (0, 2, 1, 3), (0, 1, 3, 2)])
def test_lost_repeated_and_swapped_frames_give_no_answer(wire, order):
    rest = begun(wire)
    for number in order:
        wire.send(rest[number])
    assert wire.frame(IDLE_S) is None
    wire.works()


def test_the_last_frame_that_never_comes(wire):
    for frame in begun(wire)[:-1]:
        wire.send(frame)
    assert wire.frame(1.2) is None, "N_Cr is 1 s"
    wire.send(frames_of(READ_16)[-1])
    assert wire.frame(IDLE_S) is None, "too late"
    wire.works()


def test_too_long_a_request_is_told_so(wire):
    wire.send("1fff360100000000")
    data, _ = wire.frame()
    assert data[0] == OVERFLOW
    wire.works()
