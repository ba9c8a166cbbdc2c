# SPDX-License-Identifier: Apache-2.0
"""Programming over CAN0 and the catalogue, with can-isotp as the transport: what a tool does, what it does wrong, and where it stops."""
import json
import time

import can
import pytest
from harness import BUILD, PRESET, Pack, free_port, wait_until
from uds_cable import TO_BOARD, cable_on_can, crc32c

HEADER = bytes.fromhex("3db8f396") + bytes(4) + (32).to_bytes(2, "little") + bytes(2)


def image_of(size):
    body = bytes((i * 7 + i // 251) & 0xFF for i in range(size - 32))
    return HEADER + (size - 32).to_bytes(4, "little") + bytes(16) + body


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    port = free_port()
    folder = tmp_path_factory.mktemp("pack")
    with Pack(folder, "test.program", cells=20, slcan_tcp=f"127.0.0.1:{port}", slot=folder / "slot") as pack:
        pack.channel = f"socket://127.0.0.1:{port}"
        pack.slot = folder / "slot"
        yield pack


@pytest.fixture
def cable(pack):
    with cable_on_can(pack.channel) as cable:
        cable.ask("1001")
        yield cable


def open_contactors(cable):
    """A simulated failure opens them, and they stay open until KeyOn has been away."""
    cable.unlock(3)
    assert cable.ask("310102070200 05".replace(" ", ""))[0] == 0x71
    wait_until(lambda: cable.ask("1002")[0] == 0x50, 10, "the contactors are open")
    cable.ask("1001")


def erase(cable):
    assert cable.ask("3101ff00", 30) == bytes.fromhex("7101ff00")


def test_programming_wants_open_contactors_session_and_key(cable):
    wait_until(lambda: cable.ask("1002").hex() == "7f1022", 20, "driving: the contactors are closed")
    assert cable.announce(0, 1000).hex() == "7f347f"
    assert cable.ask("3101ff00").hex() == "7f3131"
    open_contactors(cable)
    cable.ask("1002")
    assert cable.announce(0, 1000).hex() == "7f3433"
    assert cable.ask("3101ff00").hex() == "7f3133"


def test_a_program_of_64_kB_with_a_break(cable, pack):
    image = image_of(65536)
    open_contactors(cable)
    cable.unlock(2)
    assert cable.announce(0, len(image)).hex() in ("7f3470", "7f3431"), "erase first"
    erase(cable)
    cable.load(image, 0, 20480)
    assert cable.ask("1001")[0] == 0x50, "the tester stops in the middle"
    assert cable.ask(b"\x36\x2a" + bytes(8)).hex() == "7f3624"
    cable.unlock(2)
    size, verified, crc = cable.progress()
    assert (size, verified, crc) == (65536, 20480, crc32c(image[:20480]))
    assert cable.announce(0, 65536).hex() == "7f3431", "from 20480, or erased"
    cable.load(image, verified, len(image))
    assert cable.ask("37") == b"\x77"
    assert cable.check(crc32c(image) ^ 1).hex() == "7f3172"
    assert cable.check(crc32c(image)).hex() == "7101ff0100"
    assert pack.slot.read_bytes()[:len(image)] == image


def test_blocks_repeated_skipped_and_too_long(cable):
    image = image_of(4096)
    open_contactors(cable)
    cable.unlock(2)
    erase(cable)
    assert cable.ask("3601" + "00" * 8).hex() == "7f3624"
    assert cable.announce(0, 16).hex() == "7f3431" and cable.announce(0, 1 << 24).hex() == "7f3431"
    assert cable.ask("34004400000000000010").hex() == "7f3413" and cable.ask("340022000000100000").hex() == "7f3431"
    most = int.from_bytes(cable.announce(0, 4096)[2:], "big")
    assert cable.announce(0, 4096).hex() == "7f3422"
    assert cable.ask(b"\x36\x02" + image[:100]).hex() == "7f3673"
    assert cable.ask(b"\x36\x01" + image[:100]).hex() == "7601"
    assert cable.ask(b"\x36\x01" + image[:100]).hex() == "7601", "repeated"
    assert cable.progress()[1] == 100
    assert cable.ask(b"\x36\x03" + image[:100]).hex() == "7f3673"
    assert cable.ask(b"\x36\x02").hex() == "7f3613"
    assert cable.ask("37").hex() == "7f3724" and cable.check(0).hex() == "7f3124"
    assert cable.ask(b"\x36\x02" + bytes(most - 2)).hex() == "7602"
    erase(cable)
    assert cable.announce(0, 4096)[0] == 0x74
    assert cable.ask(b"\x36\x01" + bytes(100)).hex() == "7f3631", "no header of a program"


def test_a_lost_consecutive_frame_is_not_a_block(pack, cable):
    """The transport gives a message up without an answer; the tester sends it again, and it counts once."""
    image = image_of(2048)
    open_contactors(cable)
    cable.unlock(2)
    erase(cable)
    assert cable.announce(0, 2048)[0] == 0x74
    with can.Bus(interface="slcan", channel=pack.channel, bitrate=500000, sleep_after_open=0.1) as bus:
        block = b"\x36\x01" + image[:500]
        frames = [bytes([0x20 | (1 + i // 7) & 15]) + block[6 + i:13 + i].ljust(7, b"\xcc") for i in range(0, len(block) - 6, 7)]
        frames.insert(0, (0x1000 | len(block)).to_bytes(2, "big") + block[:6])
        del frames[30]
        for number, frame in enumerate(frames):
            bus.send(can.Message(arbitration_id=TO_BOARD, data=frame, is_extended_id=True))
            if number == 0:
                time.sleep(0.3)  # the board's flow control
    assert cable.recv(2) is None, "no answer to half a block"
    assert cable.progress()[1] == 0
    assert cable.ask(b"\x36\x01" + image[:500]).hex() == "7601"
    assert cable.progress()[1] == 500


def test_the_board_hands_out_its_own_tables(cable):
    text, tables = cable.catalogue()
    rows = json.loads(text)
    assert int(rows["hash"], 16) == tables
    assert text == (BUILD / PRESET / "proto" / "catalogue.json").read_bytes()
    assert {"signals", "params", "alarms"} <= set(rows)
    assert cable.ask("3510448000000000ffffff").hex() == "7f3531"


def test_simulated_failures(cable):
    assert cable.ask("31010207240001").hex() == "7f3131"
    cable.ask("1003")
    assert cable.ask("31010207240001").hex() == "7f3133"
    cable.unlock(3)
    assert cable.ask("31010207240005").hex() == "71010207", "SOC low, warning"
    assert cable.ask("31030207").hex()[:10] == "7103020724"
    snapshot = cable.ask("190411002401").hex()
    assert snapshot.startswith("5904110024") and "1001ffff" in snapshot, "marked as simulated"
    assert cable.ask("31020207").hex() == "71020207" and cable.ask("31030207").hex() == "71030207"


def test_contactor_test_and_calibration_are_refused_while_something_can_flow(cable):
    cable.unlock(3)
    assert cable.ask("3101020609").hex() == "7f3131"
    assert cable.ask("3103020600").hex() == "7f3113"
    assert cable.ask("31010205").hex() == "7f3113" and cable.ask("3101020509").hex() == "7f3131"
    assert cable.ask("3101020502").hex() == "71010205" + "00" * 8


def test_the_soc_is_set_and_told(cable):
    assert cable.ask("221010").hex() == "621010ffff"
    assert cable.ask("2e10102328").hex() == "6e1010"
    assert cable.ask("221010").hex() == "6210102328"
    assert cable.ask("2e10102711").hex() == "7f2e31" and cable.ask("3101020423").hex() == "7f3113"
