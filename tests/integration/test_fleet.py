# SPDX-License-Identifier: Apache-2.0
"""Many DTUs at once: what they take reaches the database once, also when their network comes and goes, or when one of them misbehaves."""
import json
import subprocess

import pytest
from harness import Instance
from harness.instance import program

DEVICES = 12
SECONDS, FINISH_S = 15, 180  # of a run; FINISH_S of sim/fleet/main.c: so long it goes on until all is acknowledged


@pytest.fixture(name="instance", scope="module")
def running():
    with Instance("fleet") as instance:
        instance.pki("device", *(f"fleet.unit-{k:04d}" for k in range(DEVICES)))
        yield instance


def fleet(instance, *more):
    command = [program("cellwarden-fleet"), "--broker", f"localhost:{instance.broker[1]}", "--pki", instance.var / "pki", "--devices", DEVICES,
               "--seconds", SECONDS, "--period-us", 100000, *more]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=SECONDS + FINISH_S + 30)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def stored(instance):
    return int(instance.psql("select coalesce(sum(count), 0) from record where tenant = 'fleet'")[0][0])


def test_a_fleet_whose_network_comes_and_goes_loses_nothing(instance):
    """[FL-1] [FL-4]"""
    before = stored(instance)
    said = fleet(instance, "--offline", 300, "--seed", 7)
    assert said["samples"] > DEVICES * 100
    assert said["waiting"] == 0
    assert stored(instance) - before == said["samples"]


def test_a_device_that_sends_nonsense_keeps_nobody_waiting_and_fills_no_table(instance):
    before, kept = stored(instance), int(instance.psql("select count(*) from poison")[0][0])
    said = fleet(instance, "--garbage", 1, "--watched", 1, "--seed", 8)
    assert said["garbage"] > 1000
    assert stored(instance) - before == said["samples"]
    assert said["ack_p99_ms"] < 5000
    assert 1 <= int(instance.psql("select count(*) from poison")[0][0]) - kept <= 50 + 5 * 60  # BUDGET_BURST, BUDGET_PER_S


def test_wrong_options_are_refused():
    for words in ([], ["--broker", "localhost:1"], ["--broker", "localhost:1", "--pki", "/", "--devices", "0"], ["--devices"]):
        done = subprocess.run([program("cellwarden-fleet"), *words], capture_output=True, text=True, timeout=10)
        assert done.returncode == 2 and "usage:" in done.stderr
