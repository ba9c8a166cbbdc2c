# SPDX-License-Identifier: Apache-2.0
"""Records that must not be stored: each is counted and kept aside with its reason, and the good ones around it are stored all the same."""
import ssl
import time

import paho.mqtt.client as mqtt
import pytest

from harness import Instance, wait_until
from harness.record import EMPTY_BODY, record

DEVICE = "acme.truck-1"
EPOCH = 0x1122334455667788
DAY_MS = 86_400_000


class Device:
    """A device's own connection: paho-mqtt with the device's certificate."""

    def __init__(self, instance, name):
        ca, certificate, key = instance.device_files(name)
        self.name = name
        self.acks = []
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        self.client.tls_set(str(ca), str(certificate), str(key), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.on_message = lambda _client, _data, message: self.acks.append(message.payload)
        self.client.connect("localhost", instance.broker[1])
        self.client.subscribe(f"cw/v1/{name}/down/ack", qos=1)
        self.client.loop_start()

    def send(self, payload):
        self.client.publish(f"cw/v1/{self.name}/up/rec", payload, qos=1).wait_for_publish(10)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(name="instance", scope="module")
def running():
    with Instance("bad-records") as instance:
        yield instance


@pytest.fixture(name="device", scope="module")
def connected(instance):
    device = Device(instance, DEVICE)
    yield device
    device.close()


def now_ms():
    return int(time.time() * 1000)


def good(seq):
    return record(DEVICE, EPOCH, seq, now_ms())


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


BAD = [  # reason, seq, payload made when it is sent
    ("corrupt", 2, lambda: flipped(good(2), 30)),
    ("corrupt", 4, lambda: good(4)[:-3]),
    ("corrupt", 6, lambda: b"not a record at all"),
    ("size", 8, lambda: record(DEVICE, EPOCH, 8, now_ms(), more=bytes([0xA2, 0x01, 0x80, 0x80, 0x01]) + bytes(16384))),
    ("size", 10, lambda: b""),
    ("schema", 12, lambda: record(DEVICE, EPOCH, 12, now_ms(), schema=2)),
    ("tenant", 14, lambda: record("other.truck-1", EPOCH, 14, now_ms())),
    ("device", 16, lambda: record("acme.truck-2", EPOCH, 16, now_ms())),
    ("clock_past", 18, lambda: record(DEVICE, EPOCH, 18, now_ms() - 401 * DAY_MS)),
    ("clock_past", 20, lambda: record(DEVICE, EPOCH, 20, 0)),
    ("clock_future", 22, lambda: record(DEVICE, EPOCH, 22, now_ms() + 25 * 3_600_000)),
    ("body", 24, lambda: record(DEVICE, EPOCH, 24, now_ms(), body=EMPTY_BODY + b"\x00")),
    ("body", 26, lambda: record(DEVICE, EPOCH, 26, now_ms(), body=b"\x09\x00\x01")),
]


def stored(instance):
    return {int(row[0]) for row in instance.psql("select seq from record where tenant = 'acme' and device = 'truck-1'")}


def test_each_bad_record_is_kept_with_its_reason_and_the_good_ones_are_stored(instance, device):
    """[FL-3]"""
    for reason, seq, make in BAD:
        device.send(good(seq - 1))
        device.send(make())
    last = BAD[-1][1] + 1
    device.send(good(last))
    wanted = set(range(1, last + 1, 2))
    wait_until(lambda: stored(instance) >= wanted, 20, "all good records are stored")
    assert stored(instance) == wanted
    reasons = [row[0] for row in instance.psql("select reason from poison where tenant = 'acme' order by received_at")]
    assert sorted(reasons) == sorted(reason for reason, _, _ in BAD)


def test_the_rejections_are_counted_by_reason(instance):
    """[FL-3]"""
    page = instance.api.http.get(instance.console + "/metrics", timeout=10).text
    for reason in {reason for reason, _, _ in BAD}:
        line = f'cellwarden_poison_records_total{{reason="{reason}"}} {sum(r == reason for r, _, _ in BAD)}'
        assert line in page, line


def test_a_record_sent_twice_is_stored_once(instance, device):
    """[FL-3]"""
    twice = good(1001)
    device.send(twice)
    device.send(twice)
    device.send(good(1003))
    wait_until(lambda: 1003 in stored(instance), 20, "the record after them is stored")
    assert instance.psql("select count(*) from record where tenant = 'acme' and seq = 1001") == [["1"]]


COMPARED = ("device, epoch, boot, count, last_at - first_at, cell_min_mV, cell_max_mV, cell_mean_mV, soc_permyriad, current_min_mA, current_max_mA, voltage_mV, "
            "temp_min_ddegC, temp_max_ddegC, alarm_level, length(record), first_no - seq")


def counter(instance, name):
    page = instance.api.http.get(instance.console + "/metrics", timeout=10).text
    return next(int(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith(f"{name} "))


def test_who_sends_the_same_again_and_again_costs_the_others_one_batch(instance, device):
    """The first time the batch that it came in is written again; then its records take the careful way by themselves, and no batch is written twice [FL-3]"""
    same = good(2001)
    device.send(same)
    for again in range(1, 9):
        before = counter(instance, "cellwarden_duplicate_records_total")
        device.send(same)
        wait_until(lambda n=before: counter(instance, "cellwarden_duplicate_records_total") > n, 20, "it was found to be there")
        device.send(good(2001 + again))
        wait_until(lambda n=again: 2001 + n in stored(instance), 20, "what is new is stored all the same")
        if again == 1:
            twice = counter(instance, "cellwarden_batches_twice_total")
    assert counter(instance, "cellwarden_batches_twice_total") == twice
    assert instance.psql("select count(*) from record where tenant = 'acme' and seq = 2001") == [["1"]]
    straight, careful = (instance.psql(f"select {COMPARED} from record where tenant = 'acme' and seq = {seq}") for seq in (1003, 2005))
    assert straight == careful, "both ways write the same"


def test_what_was_stored_or_refused_for_good_is_acknowledged(device):
    """[FL-2]"""
    def named():
        return {seq for payload in list(device.acks) for seq in ranges(payload)}

    wait_until(lambda: 1003 in named() and 27 in named(), 20, "acknowledgements arrive")
    assert set(range(1, 28, 2)) <= named(), "every stored record"
    assert {12, 14, 16, 18, 20, 22, 24, 26} <= named(), "every refused record that says which it is"
    assert not {2, 4, 6} & named(), "nothing can be said for a record that cannot be read"


def ranges(payload):
    """Sequence numbers of an Ack (downlink.proto): fields 3 and 4 are packed or single varints."""
    numbers, at = {3: [], 4: []}, 0

    def take():
        nonlocal at
        value = shift = 0
        while True:
            byte = payload[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(payload):
        tag = take()
        if tag & 7 == 1:
            at += 8
        elif tag & 7 == 2:
            end = take() + at
            while at < end:
                numbers[tag >> 3].append(take())
        else:
            value = take()
            if tag >> 3 in numbers:
                numbers[tag >> 3].append(value)
    return [seq for first, last in zip(numbers[3], numbers[4]) for seq in range(first, last + 1)]
