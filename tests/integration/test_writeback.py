# SPDX-License-Identifier: Apache-2.0
"""cellwarden-writeback: the files of tables that change go to the disk as they come, and nothing else is touched. What it is good for is measured by
`./cellwarden bench latency`."""
import os
import signal
import subprocess
import time

import pytest
from harness import wait_until
from harness.instance import program

HOUR = 3600


def run(*words):
    return subprocess.run([program("cellwarden-writeback"), *map(str, words)], capture_output=True, text=True, timeout=20)


@pytest.fixture(name="cluster")
def folder(tmp_path):
    """Looks like a cluster: two tables that change, one of them in another tablespace, one that does not, and what is no table."""
    cluster, other = tmp_path / "data", tmp_path / "elsewhere"
    for path in ("data/base/5/16384", "data/base/5/2600", "data/pg_wal/000000010000000000000001", "elsewhere/PG_15_202209061/5/16390"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(bytes(8192))
    (cluster / "PG_VERSION").write_text("15\n")
    (cluster / "pg_tblspc").mkdir()
    (cluster / "pg_tblspc/16389").symlink_to(other)
    old = time.time() - HOUR
    os.utime(cluster / "base/5/2600", (old, old))
    return cluster


def test_what_changed_lately_is_written_and_nothing_else(cluster):
    """[FL-3]"""
    done = run("--data", cluster, "--once")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == [f"{cluster}/base/5/16384", f"{cluster}/pg_tblspc/16389/PG_15_202209061/5/16390"]


def test_each_change_is_written_once(cluster):
    """A file that does not change any more costs a look, no more; it ends when told [FL-3]"""
    running = subprocess.Popen([program("cellwarden-writeback"), "--data", cluster, "--every-ms", "50"], stderr=subprocess.PIPE, text=True)
    table = cluster / "base/5/16384"
    try:
        assert "started" in running.stderr.readline()
        for _ in range(3):
            time.sleep(1)
            with table.open("ab") as f:
                f.write(bytes(8192))
        time.sleep(1)
    finally:
        running.send_signal(signal.SIGTERM)
    said = running.communicate(timeout=10)[1]
    assert running.returncode == 0 and "stopped begun=5" in said, said  # both at the start, then one three times


def test_a_cluster_that_goes_away_ends_nothing(cluster):
    """[FL-3]"""
    running = subprocess.Popen([program("cellwarden-writeback"), "--data", cluster, "--every-ms", "50"], stderr=subprocess.PIPE, text=True)
    try:
        assert "started" in running.stderr.readline()
        (cluster / "base/5/16384").unlink()
        cluster.rename(cluster.with_name("gone"))
        with pytest.raises(AssertionError):
            wait_until(lambda: running.poll() is not None, 1, "it ends")
    finally:
        running.send_signal(signal.SIGTERM)
    running.communicate(timeout=10)
    assert running.returncode == 0


@pytest.mark.parametrize("words", [[], ["--data"], ["--data", ".", "--every-ms", "49"], ["--data", ".", "--every-ms", "10001"], ["--data", ".", "--every-ms", "1e3"], ["--data", ".", "--every-ms", "4294967546"],
                                   ["--data", ".", "more"], ["--nonsense"]])
def test_wrong_usage_is_named(words):
    """[FL-8]"""
    done = run(*words)
    assert done.returncode == 2 and "usage: cellwarden-writeback" in done.stderr


@pytest.mark.parametrize("every", ["50", "10000"])
def test_the_ends_of_the_range_are_taken(cluster, every):
    """[FL-8]"""
    assert run("--data", cluster, "--once", "--every-ms", every).returncode == 0


def test_a_folder_that_is_no_cluster_is_refused(tmp_path):
    """[FL-8]"""
    done = run("--data", tmp_path)
    assert done.returncode == 1 and f"no database cluster that can be read folder={tmp_path}" in done.stderr
    assert run("--help").returncode == 0
