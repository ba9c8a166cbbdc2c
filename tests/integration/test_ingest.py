# SPDX-License-Identifier: Apache-2.0
"""Whatever happens between the broker and the database: every record is there once, and what is made from records does not depend on their order."""
import json
import signal
import subprocess
import time

import pytest
from harness import Instance, wait_until
from harness.instance import program

DEVICE = "load.load-0000"


@pytest.fixture(name="instance", scope="module")
def running():
    with Instance("ingest") as instance:
        yield instance


@pytest.fixture(name="load")
def loader(instance, tmp_path):
    """Starts cellwarden-load for one device, with its truth file; returns (process, verify)."""
    ca, certificate, key = instance.device_files(DEVICE)
    started = []

    def start(seed, records, batch, *more):
        arguments = [program("cellwarden-load"), "--uri", f"ssl://localhost:{instance.broker[1]}", "--ca", ca, "--cert", certificate, "--key", key,
                     "--tenant", "load", "--devices", 1, "--records", records, "--batch", batch, "--seed", seed, "--truth", tmp_path,
                     "--timeout-s", 80, *more]
        started.append(subprocess.Popen([str(a) for a in arguments], stdout=subprocess.PIPE, text=True))
        return started[-1]

    def verify():
        done = subprocess.run([program("cellwarden-verify"), "--database", instance.fact("conninfo"), "--device", DEVICE,
                               "--truth", tmp_path / f"{DEVICE}.truth", "--wait", "20", "--json"], capture_output=True, text=True, timeout=60)
        return done.returncode, json.loads(done.stdout)

    yield start, verify
    for process in started:
        process.kill()
        process.wait()


def finish(process):
    out, _ = process.communicate(timeout=90)
    assert process.returncode == 0, out
    return json.loads(out)


def test_alarms_are_the_same_spans_in_whatever_order_their_records_come(instance, load):
    """[AC-6] [FL-5]"""
    start, verify = load
    finish(start(101, 300, 7, "--alarms", 50, "--shuffle", 1, "--window", 20))
    assert verify()[0] == 0
    spans = instance.psql("select from_no, to_no, number, level from alarm_span where boot = 101 order by from_no")
    assert spans == [[str(n), str(n + 49), "1", "2"] for n in range(50, 2100, 100)]
    newest = instance.psql("select boot, no from latest where device = 'load-0000'")
    assert newest == [["101", "2100"]]


def test_a_stopped_server_ends_within_five_seconds_and_nothing_is_lost(instance, load):
    """SIGTERM in the middle of the stream [FL-3]"""
    start, verify = load
    process = start(102, 4000, 10, "--window", 500)
    wait_until(lambda: int(instance.psql("select count(*) from record where boot = 102")[0][0]) > 200, 20, "records are stored")
    began = time.monotonic()
    old = instance.signal("server", signal.SIGTERM)
    wait_until(lambda: not alive(old), 10, "the server has ended")
    assert time.monotonic() - began < 5
    finish(process)
    code, found = verify()
    assert code == 0 and found["frames_stored"] == found["frames_in"] == 40000, found


def test_a_killed_server_loses_and_doubles_nothing(instance, load):
    """kill -9 in the middle of the stream, twice [FL-3]"""
    start, verify = load
    process = start(103, 4000, 10, "--window", 500)
    for stored in (200, 1500):
        wait_until(lambda n=stored: int(instance.psql("select count(*) from record where boot = 103")[0][0]) > n, 30, "records are stored")
        instance.kill_and_wait("server")
    finish(process)
    code, found = verify()
    assert code == 0 and found["lost"] == 0 and found["duplicates"] == 0, found


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_latest_holds_the_newest_record_of_each_of_many_vehicles(instance):
    """More than goes to the database in one piece: 300 vehicles with 4 kB each [FL-5]"""
    instance.let_speak_for_all("many.load")
    ca, certificate, key = instance.device_files("many.load")
    done = subprocess.run([str(a) for a in (program("cellwarden-load"), "--uri", f"ssl://localhost:{instance.broker[1]}", "--ca", ca, "--cert", certificate, "--key", key, "--tenant", "many",
                                            "--devices", 300, "--records", 3, "--batch", 60, "--cells", 160, "--seed", 105, "--timeout-s", 80)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert instance.psql("select count(*), min(no), max(no) from latest where tenant = 'many'") == [["300", "180", "180"]]
    assert instance.psql("select count(*) from latest l join record r on r.tenant = l.tenant and r.device = l.device and r.boot = l.boot and r.record = l.record and r.last_at = l.measured_at "
                         "and r.received_at = l.received_at and r.first_no + r.count - 1 = l.no where l.tenant = 'many'") == [["300"]]
