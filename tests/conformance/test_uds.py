# SPDX-License-Identifier: Apache-2.0
"""Every UDS service of a board, asked by udsoncan over can-isotp through the SLCAN door of a running pack: what it does and what it refuses."""
import contextlib
import signal
import struct
import time

import can
import isotp
import pytest
import udsoncan
from harness import Pack, free_port, wait_until
from udsoncan.client import Client
from udsoncan.connections import PythonIsoTpConnection
from udsoncan.exceptions import NegativeResponseException

TO_BOARD, FROM_BOARD, TO_ALL = 0x18DA10F1, 0x18DAF110, 0x18DB33F1
RUNNING, STORED = 0x2000, 0x3000
BALANCE_START, WRITE_NEEDS_KEY, SPREAD_LIMIT, SPREAD_CLEAR, SPREAD_SET_MS = 80, 98, 132, 133, 134  # ids in proto/params.def
OVER_VOLTAGE_WARNING = 100, 101, 102  # limit, clear, set_ms
OVER_VOLTAGE_WARNING_DTC, ALARMS = 0x110001, 13
AGEING_CYCLES = 602
STORE, RESEND = 0x0201, 0x0202
EXTENDED = 3
SNAPSHOT = {0x1001: 2, 0x1002: 2, 0x1003: 4, 0x1004: 4, 0x1005: 4, 0x1006: 4, 0x1007: 4}
SECOND, POINTS = 0x1008, 10  # ten points of 16 bytes


class Number(udsoncan.DidCodec):
    """A signed big-endian integer."""

    def __init__(self, size):
        self.size = size

    def encode(self, value):
        return value.to_bytes(self.size, "big", signed=True)

    def decode(self, payload):
        return int.from_bytes(payload, "big", signed=True)

    def __len__(self):
        return self.size


class Points(udsoncan.DidCodec):
    """Ten points of one second before a code came: tuples in the order of firmware/core/protection/freeze.h."""

    def encode(self, value):
        raise NotImplementedError

    def decode(self, payload):
        return list(struct.iter_unpack(">HhHHhhHBB", payload))

    def __len__(self):
        return 160


def key_of(level, seed, params=None):
    """uds_key() of proto/uds.h, written once more."""
    del level, params
    x = int.from_bytes(seed, "big") ^ 0x43574255
    x = (x << 7 | x >> 25) & 0xFFFFFFFF
    return ((x * 2246822519 + 0x27D4EB2F) & 0xFFFFFFFF).to_bytes(4, "big")


def config():
    dids = {copy + number: Number(4) for copy in (RUNNING, STORED) for number in (*range(1, 300), AGEING_CYCLES)}
    dids.update({did: Number(size) for did, size in SNAPSHOT.items()})
    dids[SECOND] = Points()
    dids[0xF186] = Number(1)
    dids[0x1FFF] = Number(4)
    return {**udsoncan.configs.default_client_config, "data_identifiers": dids, "security_algo": key_of, "extended_data_size": 1,
            "use_server_timing": False, "p2_timeout": 3}


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    port = free_port()
    folder = tmp_path_factory.mktemp("pack")
    with Pack(folder, "test.uds", cells=20, slcan_tcp=f"127.0.0.1:{port}", sample_ms=250) as pack:
        pack.channel = f"socket://127.0.0.1:{port}"
        yield pack


@pytest.fixture
def bus(pack):
    with can.Bus(interface="slcan", channel=pack.channel, bitrate=500000, sleep_after_open=0.1) as bus:
        yield bus


@contextlib.contextmanager
def asking(bus, to=TO_BOARD, **params):
    address = isotp.Address(isotp.AddressingMode.Normal_29bits, txid=to, rxid=FROM_BOARD)
    stack = isotp.CanStack(bus, address=address, params={"tx_padding": 0xCC, **params})
    with Client(PythonIsoTpConnection(stack), config=config()) as client:
        yield client


@pytest.fixture
def client(bus):
    with asking(bus) as client:
        client.change_session(1)
        yield client


def refused(nrc, ask, *args, **kwargs):
    with pytest.raises(NegativeResponseException) as refusal:
        ask(*args, **kwargs)
    assert refusal.value.response.code == nrc, refusal.value.response.code_name


def raw(client, hexa, seconds=2):
    """The answer to any bytes, in hex; '' when there is none."""
    client.conn.empty_rxqueue()
    client.conn.send(bytes.fromhex(hexa))
    answer = client.conn.wait_frame(timeout=seconds)
    return answer.hex() if answer else ""


def read(client, did):
    return client.read_data_by_identifier([did]).service_data.values[did]


def session(client):
    return read(client, 0xF186)


def test_10_sessions_and_their_end(client):
    answer = client.change_session(EXTENDED)
    assert answer.service_data.p2_server_max == 0.05 and answer.service_data.p2_star_server_max == 5
    assert session(client) == EXTENDED
    time.sleep(4)
    client.tester_present()
    time.sleep(4)
    assert session(client) == EXTENDED, "3E keeps the session"
    time.sleep(5.3)
    assert session(client) == 1, "S3 is 5 s"
    refused(0x12, client.change_session, 4)
    assert raw(client, "10") == "7f1013" and raw(client, "100300") == "7f1013"


def test_3e_and_suppressed_answers(client):
    client.tester_present()
    with client.suppress_positive_response:
        client.tester_present()
    assert raw(client, "3e80", 0.5) == ""
    assert raw(client, "3e81") == "7f3e12", "a refusal is never suppressed"
    assert raw(client, "3e") == "7f3e13" and raw(client, "3e0000") == "7f3e13"
    assert raw(client, "1083", 0.5) == ""
    assert session(client) == EXTENDED


def test_22_reads_one_and_many(client):
    assert read(client, RUNNING + BALANCE_START) == read(client, STORED + BALANCE_START) == 50
    dids = [RUNNING + BALANCE_START, 0xF186, STORED + SPREAD_LIMIT]
    assert client.read_data_by_identifier(dids).service_data.values == {dids[0]: 50, dids[1]: 1, dids[2]: 300}
    assert len(raw(client, "22" + f"{RUNNING + BALANCE_START:04x}" * 128)) == 2 * (1 + 128 * 6)
    assert raw(client, "22" + f"{RUNNING + BALANCE_START:04x}" * 129) == "7f2213"
    refused(0x31, client.read_data_by_identifier, [0x1FFF])
    assert raw(client, "22") == "7f2213" and raw(client, "2220") == "7f2213"


def test_2e_writes_inside_the_row(client):
    client.write_data_by_identifier(RUNNING + BALANCE_START, 77)
    assert read(client, RUNNING + BALANCE_START) == 77 and read(client, STORED + BALANCE_START) == 50
    refused(0x31, client.write_data_by_identifier, RUNNING + BALANCE_START, 100000)
    refused(0x31, client.write_data_by_identifier, STORED + BALANCE_START, 77)
    assert raw(client, "2e2050000000") == "7f2e13"
    client.write_data_by_identifier(RUNNING + BALANCE_START, 50)


def test_31_routines(client):
    client.write_data_by_identifier(RUNNING + BALANCE_START, 60)
    client.start_routine(STORE)
    assert read(client, STORED + BALANCE_START) == 60
    answer = client.start_routine(RESEND, struct.pack(">I", 1)).service_data.routine_status_record
    first, last = struct.unpack(">II", answer)
    assert 1 <= first <= last
    refused(0x31, client.start_routine, RESEND, struct.pack(">I", 0xFFFFFFFF))
    refused(0x31, client.start_routine, 0x0999)
    refused(0x12, client.stop_routine, STORE)
    assert raw(client, "31040201") == "7f3112"
    assert raw(client, "310102") == "7f3113" and raw(client, "3101020100") == "7f3113"


def test_28_holds_the_sample_stream(client, bus):
    refused(0x7F, client.communication_control, 1, 1)
    client.change_session(EXTENDED)

    def stream(seconds):
        return client_free_frames(bus, seconds)

    client.communication_control(1, 1)
    assert raw(client, "3e00") == "7e00"
    refused(0x12, client.communication_control, 3, 1)
    assert raw(client, "280102") == "7f2831" and raw(client, "2801") == "7f2813"
    client.close()
    stream(0.5)
    assert stream(1.5) == 0, "no sample while it is held"
    time.sleep(4)
    assert stream(2) > 0, "S3 gives it free"


def client_free_frames(bus, seconds):
    """Frames of the board's sample stream: number 0x10 and more, from address 0x10."""
    end, count = time.monotonic() + seconds, 0
    while (left := end - time.monotonic()) > 0:
        frame = bus.recv(left)
        count += frame is not None and frame.arbitration_id & 0xFFFF00FF == 0x18F00010
    return count


def raise_alarm(client, on):
    limit, clear, set_ms = (RUNNING + number for number in OVER_VOLTAGE_WARNING)
    client.write_data_by_identifier(set_ms, 0)
    client.write_data_by_identifier(limit, 600 if on else 4900)
    client.write_data_by_identifier(clear, 590 if on else 4890)


def codes(client, mask):
    return {dtc.id: dtc.status.get_byte_as_int() for dtc in client.get_dtc_by_status_mask(mask).service_data.dtcs}


def test_19_and_14_trouble_codes_with_snapshots(client):
    raise_alarm(client, False)
    client.clear_dtc(0xFFFFFF)
    time.sleep(0.2)
    assert OVER_VOLTAGE_WARNING_DTC not in codes(client, 0x09)
    raise_alarm(client, True)
    wait_until(lambda: codes(client, 0x01).get(OVER_VOLTAGE_WARNING_DTC) == 0x2F, 5, "the code is there with its status")
    assert client.get_number_of_dtc_by_status_mask(0x01).service_data.dtc_count >= 1
    supported = client.get_supported_dtc().service_data
    assert len(supported.dtcs) >= ALARMS and supported.status_availability.get_byte_as_int() == 0xFF
    dtc = client.get_dtc_snapshot_by_dtc_number(OVER_VOLTAGE_WARNING_DTC, 0xFF).service_data.dtcs[0]
    values = {shot.did: shot.data for shot in dtc.snapshots}
    assert set(values) == set(SNAPSHOT) | {SECOND}
    assert 1 <= values[0x1001] <= 20 and 3000 < values[0x1002] < 4300, "cell and its voltage"
    assert 20 * 3000 < values[0x1003] < 20 * 4300
    seconds = {shot.record_number: shot.data for shot in dtc.snapshots if shot.did == SECOND}
    assert seconds and set(seconds) <= set(range(0x10, 0x1A)), "up to ten seconds before"
    last = [point for point in seconds[0x10] if point[0] != 0xFFFF][-1]
    assert len(seconds[0x10]) == POINTS and 3000 < last[3] <= last[2] < 4300, "lowest and highest cell just before"
    one = client.get_dtc_snapshot_by_dtc_number(OVER_VOLTAGE_WARNING_DTC, 0x10).service_data.dtcs[0]
    assert [shot.record_number for shot in one.snapshots] == [0x10]
    extended = client.get_dtc_extended_data_by_dtc_number(OVER_VOLTAGE_WARNING_DTC, 1).service_data.dtcs[0].extended_data[0]
    assert extended.record_number == 1 and extended.raw_data[0] >= 1
    refused(0x31, client.get_dtc_snapshot_by_dtc_number, 0x123456, 1)
    refused(0x12, client.get_first_confirmed_dtc)
    assert raw(client, "19") == "7f1913" and raw(client, "1902") == "7f1913" and raw(client, "190aff") == "7f1913"
    refused(0x31, client.clear_dtc, 0x123456)
    assert raw(client, "14ffff") == "7f1413"
    raise_alarm(client, False)
    wait_until(lambda: OVER_VOLTAGE_WARNING_DTC not in codes(client, 0x01), 10, "the alarm is gone")
    assert codes(client, 0x08)[OVER_VOLTAGE_WARNING_DTC] & 0x09 == 0x08, "confirmed, not active"
    client.clear_dtc(OVER_VOLTAGE_WARNING_DTC)
    assert OVER_VOLTAGE_WARNING_DTC not in codes(client, 0x08)


def dids_of(client):
    dtc = client.get_dtc_snapshot_by_dtc_number(OVER_VOLTAGE_WARNING_DTC, 1).service_data.dtcs[0]
    return {shot.did: shot.data for shot in dtc.snapshots}


def counters(client):
    """Occurrences and operation cycles without a failure."""
    data = client.get_dtc_extended_data_by_dtc_number(OVER_VOLTAGE_WARNING_DTC, 0xFF).service_data.dtcs[0].extended_data
    return {record.record_number: record.raw_data[0] for record in data}


@contextlib.contextmanager
def running(folder):
    """A board on the memory of this folder, and who asks it when everything has been measured; at the end the power goes without a word."""
    port = free_port()
    with Pack(folder, "test.codes", cells=20, slcan_tcp=f"127.0.0.1:{port}") as pack:
        with can.Bus(interface="slcan", channel=f"socket://127.0.0.1:{port}", bitrate=500000, sleep_after_open=0.1) as bus, asking(bus) as client:
            wait_until(lambda: raw(client, "22f186", 0.5) == "62f18601", 10, "the board answers")
            wait_until(lambda: len(codes(client, 0x40)) == 0, 10, "everything has been tested in this operation cycle")
            time.sleep(0.2)  # and that has been noted
            yield client
        pack.stop(signal.SIGKILL)
        pack.hub.unlink()  # the next start is waited for by it


def test_trouble_codes_outlive_the_power_and_age(tmp_path):
    """ISO 14229-1 annex D over starts of the board, each ended by a loss of power."""
    with running(tmp_path) as client:
        client.write_data_by_identifier(RUNNING + AGEING_CYCLES, 2)
        client.start_routine(STORE)
        assert OVER_VOLTAGE_WARNING_DTC not in codes(client, 0xFF)
        raise_alarm(client, True)
        wait_until(lambda: codes(client, 0x01).get(OVER_VOLTAGE_WARNING_DTC) == 0x2F, 5, "the code is there")
        values = dids_of(client)
        time.sleep(0.2)
    with running(tmp_path) as client:
        assert codes(client, 0xFF)[OVER_VOLTAGE_WARNING_DTC] == 0x2C, "confirmed, pending, failed since clear; not now, not in this cycle"
        assert dids_of(client) == values, "what the pack was like"
        assert counters(client) == {1: 1, 2: 0}
    with running(tmp_path) as client:
        assert codes(client, 0xFF)[OVER_VOLTAGE_WARNING_DTC] == 0x28, "a whole cycle without failure: pending no more"
        assert counters(client) == {1: 1, 2: 1}
    with running(tmp_path) as client:
        assert codes(client, 0xFF)[OVER_VOLTAGE_WARNING_DTC] == 0x20, "aged out after two"
        assert dids_of(client) == {} and counters(client) == {}
        raise_alarm(client, True)
        wait_until(lambda: codes(client, 0x01).get(OVER_VOLTAGE_WARNING_DTC) == 0x2F, 5, "it comes again")
        raise_alarm(client, False)
        wait_until(lambda: OVER_VOLTAGE_WARNING_DTC not in codes(client, 0x01), 10, "and goes")
    with running(tmp_path) as client:
        assert codes(client, 0x08)[OVER_VOLTAGE_WARNING_DTC] & 0x09 == 0x08
        client.clear_dtc(0xFFFFFF)
        time.sleep(0.2)
    with running(tmp_path) as client:
        assert OVER_VOLTAGE_WARNING_DTC not in codes(client, 0xFF), "cleared in the memory too"


def test_85_holds_trouble_codes(client):
    refused(0x7F, client.control_dtc_setting, 2)
    raise_alarm(client, False)
    time.sleep(2.5)
    client.clear_dtc(0xFFFFFF)
    client.change_session(EXTENDED)
    client.control_dtc_setting(2)
    raise_alarm(client, True)
    time.sleep(0.5)
    assert OVER_VOLTAGE_WARNING_DTC not in codes(client, 0x01)
    client.control_dtc_setting(1)
    wait_until(lambda: OVER_VOLTAGE_WARNING_DTC in codes(client, 0x01), 5, "codes are noted again")
    refused(0x12, client.control_dtc_setting, 3)
    assert raw(client, "85") == "7f8513"
    raise_alarm(client, False)


def test_27_guards_writes_when_it_is_asked_to(client):
    refused(0x7F, client.request_seed, 1)
    client.write_data_by_identifier(RUNNING + WRITE_NEEDS_KEY, 1)
    refused(0x33, client.write_data_by_identifier, RUNNING + BALANCE_START, 70)
    refused(0x33, client.start_routine, STORE)
    refused(0x33, client.clear_dtc, 0xFFFFFF)
    client.change_session(EXTENDED)
    refused(0x24, client.send_key, 2, b"\0\0\0\0")
    refused(0x12, client.request_seed, 5)
    assert raw(client, "2702000000") == "7f2713"
    client.unlock_security_access(1)
    assert client.request_seed(1).service_data.seed == b"\0\0\0\0", "unlocked"
    client.write_data_by_identifier(RUNNING + BALANCE_START, 70)
    client.change_session(1)
    refused(0x33, client.write_data_by_identifier, RUNNING + BALANCE_START, 71)
    client.change_session(EXTENDED)
    client.unlock_security_access(1)
    client.write_data_by_identifier(RUNNING + WRITE_NEEDS_KEY, 0)
    client.change_session(1)
    client.write_data_by_identifier(RUNNING + BALANCE_START, 50)


def test_27_waits_after_three_wrong_keys(client):
    client.change_session(EXTENDED)
    for nrc in (0x35, 0x35, 0x36):
        client.request_seed(1)
        refused(nrc, client.send_key, 2, b"\1\2\3\4")
    refused(0x37, client.request_seed, 1)
    for _ in range(5):
        time.sleep(2.1)
        client.tester_present()
    client.unlock_security_access(1)


def test_unknown_services_are_refused(client):
    for service in (0x23, 0x24, 0x29, 0x2A, 0x2C, 0x2F, 0x38, 0x3D, 0x84, 0x86, 0x87):
        assert raw(client, f"{service:02x}00") == f"7f{service:02x}11"


def test_everybody_is_asked(bus):
    with asking(bus, TO_ALL) as everybody:
        assert raw(everybody, "3e00") == "7e00"
        for quiet in ("3e80", "9900", "3e01", "2220ff", "2701"):
            assert raw(everybody, quiet, 0.3) == "", quiet
        assert raw(everybody, "2220") == "7f2213"


@pytest.mark.parametrize("block,st_min", [(0, 0), (1, 0), (8, 10), (0, 0xF5), (3, 0x7F)])
def test_every_block_size_and_stmin(bus, block, st_min):
    with asking(bus, blocksize=block, stmin=st_min) as client:
        assert len(raw(client, "22" + f"{RUNNING + BALANCE_START:04x}" * 16, 8)) == 2 * (1 + 16 * 6)


def test_11_restarts(client):
    refused(0x12, client.ecu_reset, 2)
    assert raw(client, "11") == "7f1113"
    client.write_data_by_identifier(RUNNING + BALANCE_START, 99)
    client.change_session(EXTENDED)
    client.ecu_reset(1)
    wait_until(lambda: raw(client, "22f186", 0.5) == "62f18601", 10, "the board is back in the default session")
    assert read(client, RUNNING + BALANCE_START) == read(client, STORED + BALANCE_START) == 60
