# SPDX-License-Identifier: Apache-2.0
"""./cellwarden itself: wrong usage is named, a second `up` changes nothing, what dies comes back, what stops stops cleanly."""
import os
import signal
import subprocess

import pytest
import requests
from harness import Instance, ROOT, wait_until
from harness.instance import BUILD, PRESET

NAMES = ["database", "broker", "server", "pack:test.one", "dtu:test.one"]


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
    secrets = [own.var / "admin.password", *(own.var / "pki").glob("*.key")]
    assert len(secrets) >= 4
    for path in secrets:
        assert path.stat().st_mode & 0o077 == 0, path


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
