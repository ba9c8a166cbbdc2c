# SPDX-License-Identifier: Apache-2.0
"""./cellwarden itself: wrong usage is named, a second `up` changes nothing, what dies comes back, what stops stops cleanly."""
import os
import pathlib
import signal
import subprocess
import time

import pytest
import requests
from harness import Instance, ROOT, wait_until
from harness.instance import BUILD, PRESET

NAMES = ["database", "writeback", "broker", "server", "pack:test.one", "dtu:test.one"]


@pytest.fixture(scope="module")
def own():
    with Instance("house", "test.one 16 nmc drive posix\n") as instance:
        yield instance


def run(*args, **env):
    return subprocess.run([ROOT / "cellwarden", *args], capture_output=True, text=True, timeout=60, env={**os.environ, **env},
                          stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("args", [[], ["nonsense"], ["up", "--nonsense"], ["up", "--console-port"], ["up", "--no-build", "--console-port", "99999"],
                                  ["up", "--packs", "/nonexistent"], ["test", "nonsense"], ["bench", "nonsense"], ["lint", "nonsense"], ["replay"],
                                  ["replay", "--speed", "fast", "x"], ["restart"], ["logs", "--nonsense"], ["status", "x"], ["down", "x"]])
def test_wrong_usage_is_named_and_exits_with_2(args, tmp_path):
    done = run(*args, CELLWARDEN_VAR=str(tmp_path / "none"))
    assert done.returncode == 2, done
    assert done.stderr.strip()
    assert not (tmp_path / "none" / "run" / "order").exists()


@pytest.mark.parametrize("command", ["up", "down", "status", "logs", "restart", "test", "bench", "replay", "fuzz", "lint", "build", "install"])
def test_every_command_has_help(command):
    done = run(command, "--help")
    assert done.returncode == 0 and done.stdout.startswith(f"usage: ./cellwarden {command}")


def test_the_tree_is_what_was_agreed():
    """Folders, one CMake build, unit tests with CUnit, all of them known to ctest [FL-8]"""
    for folder in ("firmware", "dtu", "server", "proto", "deploy", "tests", "docs"):
        assert (ROOT / folder).is_dir(), folder
    listed = subprocess.run(["ctest", "--test-dir", BUILD / PRESET, "-N", "-L", "unit"], capture_output=True, text=True, timeout=30, check=True).stdout
    programs = {path.stem for path in (ROOT / "tests/unit").rglob("test_*.c") if "CUnit" in path.read_text() or "suite.h" in path.read_text()}
    assert len(programs) > 20
    assert not [name for name in programs if f": {name}\n" not in listed + "\n"]


def test_status_without_an_instance_says_so(tmp_path):
    done = run("status", CELLWARDEN_VAR=str(tmp_path))
    assert done.returncode == 1 and "nothing was started" in done.stdout


def test_secrets_are_private(own):
    secrets = [own.var / "admin.password", *(own.var / "pki").glob("*.key"), pathlib.Path(own.fact("broker_dir")) / "broker.key"]
    assert len(secrets) >= 5
    for path in secrets:
        assert path.stat().st_mode & 0o077 == 0, path


def test_who_talks_to_strangers_is_not_root(own):
    """Broker, database and what looks after its pages run as users who own what they read and nothing else; the broker cannot read the CA's key"""
    for name in ("broker", "database", "writeback"):
        status = pathlib.Path(f"/proc/{own.pid(name)}/status").read_text()
        users = {int(n) for line in status.splitlines() if line.startswith("Uid:") for n in line.split()[1:]}
        assert users and (0 not in users), f"{name} runs as {users}"
        if os.geteuid() == 0:
            capabilities = {line.split()[1] for line in status.splitlines() if line.startswith(("CapPrm:", "CapEff:"))}
            assert capabilities == {"0000000000000000"}, f"{name} has {capabilities}"
    assert (own.var / "pki" / "ca.key").stat().st_uid == os.geteuid()
    assert not list(pathlib.Path(own.fact("broker_dir")).glob("ca.key"))


def test_a_log_stays_small_while_its_process_runs_on(tmp_path):
    """At most twice the limit and what comes within one look; the newest lines are there, and where the log was turned hardly one is missing"""
    limit_kB, lines = 40, 20000
    chatter = f"i=0; while [ $i -lt {lines} ]; do echo line $i; i=$((i + 1)); [ $((i % 100)) != 0 ] || sleep 0.02; done; exec sleep 60"
    log = tmp_path / "talk.log"
    with open(log, "ab") as out:
        supervisor = subprocess.Popen(["sh", ROOT / "deploy/supervise.sh", "talk", tmp_path, "TERM", "sh", "-c", chatter], stderr=out, stdout=out,
                                      env={**os.environ, "CELLWARDEN_LOG_MAX_kB": str(limit_kB), "CELLWARDEN_LOG_LOOK_S": "0.2"})
    largest = 0

    def said_all():
        nonlocal largest
        largest = max(largest, sum(path.stat().st_size for path in tmp_path.glob("talk.log*")))
        return f"line {lines - 1}\n" in log.read_text() + older.read_text() if older.exists() else False

    older = tmp_path / "talk.log.1"
    try:
        wait_until(said_all, 60, "all was said")
    finally:
        supervisor.terminate()
        assert supervisor.wait(10) == 0
    assert largest < 3 * limit_kB * 1000 + 60_000, f"{largest} bytes"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["talk.log", "talk.log.1"]
    kept = [int(line.split()[1]) for line in (older.read_text() + log.read_text()).splitlines() if line.startswith("line ") and line.split()[1].isdigit()]
    assert kept[-1] == lines - 1 and kept == sorted(set(kept))
    assert kept[-1] - kept[0] + 1 - len(kept) <= 100, "lines are missing in the middle"


def test_who_is_told_to_stop_again_and_again_still_says_how_the_child_ended(tmp_path):
    """`down` tells all first and then each once more; the child's status must not get lost between two signals"""
    child = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done"
    for turn in range(30):
        supervisor = subprocess.Popen(["sh", ROOT / "deploy/supervise.sh", "told", tmp_path, "TERM", "sh", "-c", child], stderr=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        assert supervisor.stdout.readline() == "ready\n"
        until = time.monotonic() + 10
        while supervisor.poll() is None and time.monotonic() < until:
            supervisor.terminate()
            time.sleep(0.0002)
        said = supervisor.communicate(timeout=10)[1]
        assert "stopped exit=0" in said, f"turn {turn}: {said}"


def test_a_second_up_changes_nothing(own):
    before = {name: own.pid(name) for name in NAMES}
    own.up()
    assert {name: own.pid(name) for name in NAMES} == before


def is_online(own):
    """A server that has just been started does not listen yet."""
    try:
        return own.api.vehicles()["test.one"]["online"]
    except requests.ConnectionError:
        return False


def test_what_dies_is_started_again(own):
    """kill -9 to each; the vehicle is online again afterwards"""
    for name in NAMES:
        own.kill_and_wait(name)
    assert own.cellwarden("status").returncode == 0
    wait_until(lambda: is_online(own), 60, "the vehicle is online again")


def test_status_tells_who_is_dead_and_up_mends_it(own):
    supervisor = int((own.var / "run" / "pack:test.one.pid").read_text().split()[0])
    child = own.pid("pack:test.one")
    os.kill(supervisor, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    done = wait_until(lambda: (lambda d: d if d.returncode else None)(own.cellwarden("status", check=False)), 5, "status sees it")
    assert [line for line in done.stdout.splitlines() if line.startswith("pack:test.one") and "dead" in line]
    own.up()
    assert own.cellwarden("status").returncode == 0


def test_a_busy_port_that_was_asked_for_is_an_error(own, tmp_path):
    done = run("up", "--no-build", "--preset", PRESET, "--var", str(tmp_path / "v"), "--packs", "none", "--console-port", own.fact("console_port"))
    run("down", "--purge", "--var", str(tmp_path / "v"))
    assert done.returncode == 1 and "busy" in done.stderr


def test_everything_stops_cleanly_on_sigterm(own):
    """Each ends by itself with status 0, within seconds, and the data survives"""
    rows = own.psql("select count(*) from record")
    own.down()
    for name in NAMES:
        last = [line for line in own.log(name).splitlines() if " supervisor " in line][-1]
        assert "stopped exit=0" in last, f"{name}: {last}"
    own.up()
    assert own.psql("select count(*) from record") >= rows
