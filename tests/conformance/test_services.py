# SPDX-License-Identifier: Apache-2.0
"""Every service of proto/uds.h has a positive and its negative answers here, by udsoncan over can-isotp; and transfer both ways by udsoncan's own calls."""
import re

import can
import pytest
from harness import Pack, free_port, wait_until
from harness.instance import ROOT
from test_uds import RUNNING, asking, key_of, raw, refused
from test_program import image_of
from udsoncan import DataFormatIdentifier, MemoryLocation
from uds_cable import crc32c

VCU_ORDERS, WRITE_NEEDS_KEY = 570, 98
ERASE, CHECK, PROGRESS = 0xFF00, 0xFF01, 0x0208
# What a simulated board cannot be brought to from outside; each has its unit test: test_uds.c (21, 78) and no service of this board has 7E.
BY_UNIT_TESTS = {"UDS_NRC_BUSY", "UDS_NRC_PENDING", "UDS_NRC_SUBFUNCTION_NOT_IN_SESSION"}

DEFAULT, PROGRAMMING, EXTENDED, UNLOCKED, UNLOCKED_PROGRAMMING, NEEDS_KEY = range(6)

# service: state wanted, request, answer begins with
GOOD = {
    0x10: (DEFAULT, "1003", "5003003201f4"), 0x11: (DEFAULT, "1101", "5101"), 0x14: (DEFAULT, "14ffffff", "54"),
    0x19: (DEFAULT, "190a", "590aff"), 0x22: (DEFAULT, "22f186", "62f18601"), 0x27: (EXTENDED, "2701", "6701"),
    0x28: (EXTENDED, "280001", "6800"), 0x2E: (DEFAULT, "2e20500000003c", "6e2050"), 0x31: (DEFAULT, "31010203", "71010203"),
    0x34: (UNLOCKED_PROGRAMMING, "3400440000000000001000", "7420"), 0x35: (DEFAULT, "3510448000000000000010", "7520"),
    0x36: (DEFAULT, "3601", "7601"), 0x37: (DEFAULT, "37", "77"), 0x3E: (DEFAULT, "3e00", "7e00"), 0x85: (EXTENDED, "8501", "c501"),
}
BAD = [
    (DEFAULT, "1004", 0x12), (DEFAULT, "10", 0x13), (DEFAULT, "1102", 0x12), (DEFAULT, "110100", 0x13), (DEFAULT, "14123456", 0x31),
    (DEFAULT, "14ff", 0x13), (NEEDS_KEY, "14ffffff", 0x33), (DEFAULT, "1903", 0x12), (DEFAULT, "1902", 0x13), (DEFAULT, "190412345601", 0x31),
    (DEFAULT, "221fff", 0x31), (DEFAULT, "2220", 0x13), (DEFAULT, "22" + "1011" * 64, 0x14), (DEFAULT, "2701", 0x7F), (EXTENDED, "2703", 0x12),
    (EXTENDED, "2702", 0x13), (EXTENDED, "270200000000", 0x24), (DEFAULT, "280101", 0x7F), (EXTENDED, "280301", 0x12), (EXTENDED, "2801", 0x13),
    (EXTENDED, "280105", 0x31), (DEFAULT, "2e30500000003c", 0x31), (DEFAULT, "2e2050", 0x13), (NEEDS_KEY, "2e20500000003c", 0x33),
    (DEFAULT, "2e205000ffffff", 0x31), (DEFAULT, "31010999", 0x31), (DEFAULT, "31050201", 0x12), (DEFAULT, "3101", 0x13), (NEEDS_KEY, "31010201", 0x33),
    (DEFAULT, "3400440000000000001000", 0x7F), (PROGRAMMING, "3400440000000000001000", 0x33), (UNLOCKED_PROGRAMMING, "340044000000", 0x13),
    (UNLOCKED_PROGRAMMING, "3411440000000000001000", 0x31), (DEFAULT, "3510448000000000ffff", 0x13), (DEFAULT, "351044800000000fffffff", 0x31),
    (DEFAULT, "3601", 0x24), (DEFAULT, "36", 0x13), (DEFAULT, "37", 0x24), (DEFAULT, "3700", 0x13), (DEFAULT, "3e01", 0x12), (DEFAULT, "3e", 0x13),
    (DEFAULT, "8501", 0x7F), (EXTENDED, "8503", 0x12), (EXTENDED, "85", 0x13), (DEFAULT, "9900", 0x11),
]


def enum(prefix):
    return {name: int(value, 16) for name, value in re.findall(rf"({prefix}\w+) = (0x\w+),?\n", (ROOT / "proto/uds.h").read_text())}


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    port = free_port()
    folder = tmp_path_factory.mktemp("pack")
    with Pack(folder, "test.services", cells=20, slcan_tcp=f"127.0.0.1:{port}", slot=folder / "slot") as pack:
        pack.channel, pack.slot = f"socket://127.0.0.1:{port}", folder / "slot"
        yield pack


def write(client, param, value):
    assert raw(client, f"2e{RUNNING + param:04x}{value:08x}") == f"6e{RUNNING + param:04x}"


@pytest.fixture
def client(pack):
    with can.Bus(interface="slcan", channel=pack.channel, bitrate=500000, sleep_after_open=0.1) as bus, asking(bus) as client:
        wait_until(lambda: raw(client, "1001", 0.5)[:2] == "50", 10, "the board answers")
        write(client, VCU_ORDERS, 1)  # nobody orders the contactors closed
        wait_until(lambda: raw(client, "1002")[:2] == "50", 20, "the contactors are open")
        client.change_session(1)
        yield client


def unlock(client, session):
    client.change_session(session)
    client.unlock_security_access(1)


def bring(client, state):
    client.change_session({PROGRAMMING: 2, UNLOCKED_PROGRAMMING: 2, EXTENDED: 3, UNLOCKED: 3}.get(state, 1))
    if state in (UNLOCKED, UNLOCKED_PROGRAMMING):
        client.unlock_security_access(1)
    write(client, WRITE_NEEDS_KEY, state == NEEDS_KEY)


def release(client):
    """Writes open again, whatever was asked"""
    unlock(client, 3)
    write(client, WRITE_NEEDS_KEY, 0)
    client.change_session(1)


def test_every_service_of_the_header_is_in_these_tables():
    services = set(enum("UDS_").values()) & set(GOOD) | {v for n, v in enum("UDS_").items() if not n.startswith("UDS_NRC") and n != "UDS_NEGATIVE" and v < 0x100}
    assert services == set(GOOD)
    assert {int(request[:2], 16) for _, request, _ in BAD} - {0x99} == set(GOOD)


@pytest.mark.parametrize("state,request_,nrc", BAD, ids=[f"{request[:12]}-{nrc:02x}" for _, request, nrc in BAD])
def test_refused_by_the_book(client, state, request_, nrc):
    bring(client, state)
    try:
        assert raw(client, request_) == f"7f{request_[:2]}{nrc:02x}"
    finally:
        release(client)


def test_every_service_answers(client):
    """One conversation: upload before its blocks and its end; the restart comes last"""
    order = [0x10, 0x14, 0x19, 0x22, 0x27, 0x28, 0x2E, 0x31, 0x35, 0x36, 0x37, 0x3E, 0x85, 0x34, 0x11]
    assert set(order) == set(GOOD)
    for service in order:
        state, request, answer = GOOD[service]
        if service not in (0x36, 0x37):
            bring(client, state)
        if service == 0x34:
            client.start_routine(ERASE)
        assert raw(client, request).startswith(answer), f"{service:02X}"


def test_a_program_by_udsoncan_and_every_refusal_on_the_way(client, pack):
    image = image_of(3000)
    where = MemoryLocation(0, len(image), 32, 32)
    refused(0x7F, client.request_download, where)
    unlock(client, 2)
    client.start_routine(ERASE)
    refused(0x24, client.transfer_data, 1, b"x")
    most = client.request_download(where).service_data.max_length
    assert most == 514
    refused(0x22, client.request_download, where)
    refused(0x73, client.transfer_data, 2, image[:100])
    blocks = [image[at:at + most - 2] for at in range(0, len(image), most - 2)]
    for number, block in enumerate(blocks, 1):
        if number == len(blocks):
            refused(0x71, client.transfer_data, number, block + b"x")
            refused(0x24, client.request_transfer_exit)
        client.transfer_data(number, block)
    client.request_transfer_exit()
    refused(0x72, client.start_routine, CHECK, (crc32c(image) ^ 1).to_bytes(4, "big"))
    assert client.start_routine(CHECK, crc32c(image).to_bytes(4, "big")).service_data.routine_status_record == b"\0"
    assert pack.slot.read_bytes()[:len(image)] == image
    refused(0x31, client.request_download, MemoryLocation(0, 1 << 25, 32, 32))


def test_an_upload_by_udsoncan(client):
    client.request_upload(MemoryLocation(0x80000000, 4000, 32, 32), DataFormatIdentifier(compression=1))
    blocks = [client.transfer_data(number).service_data.parameter_records for number in (1, 2, 3)]
    assert sum(map(len, blocks)) == 4000 and blocks[0][:1] == b"\x78", "zlib"
    refused(0x24, client.transfer_data, 4)
    refused(0x73, client.transfer_data, 9)
    client.request_transfer_exit()
    refused(0x31, client.request_upload, MemoryLocation(0x80000000, 1 << 24, 32, 32), DataFormatIdentifier(compression=1))


def test_a_program_is_not_taken_before_the_slot_is_erased(client):
    """After a restart the board knows nothing of what lies there"""
    client.ecu_reset(1)
    wait_until(lambda: raw(client, "22f186", 0.5) == "62f18601", 10, "the board is back")
    write(client, VCU_ORDERS, 1)
    wait_until(lambda: raw(client, "1002")[:2] == "50", 20, "the contactors are open")
    unlock(client, 2)
    refused(0x70, client.request_download, MemoryLocation(0, 4096, 32, 32))


def test_programming_is_refused_with_closed_contactors(client):
    write(client, VCU_ORDERS, 0)
    wait_until(lambda: raw(client, "1002") == "7f1022", 20, "the contactors are closed")
    client.change_session(1)


def test_every_refusal_of_the_header_is_seen_somewhere_here():
    seen = {nrc for _, _, nrc in BAD} | {0x22, 0x70, 0x71, 0x72, 0x73}  # those of the tests above
    seen |= {0x35, 0x36, 0x37}  # test_uds.py, three wrong keys
    wanted = {value for name, value in enum("UDS_NRC_").items() if name not in BY_UNIT_TESTS}
    assert wanted == seen
    assert key_of(1, b"\0\0\0\1") != b"\0\0\0\1"
