# SPDX-License-Identifier: Apache-2.0
"""Kill and cut everything while more than 100,000 frames are under way; then what the boards measured must be what the database holds.

Boards run ten times as fast as the world and take a sample each 100 ms of theirs: 100 frames a second from each of eight packs.
"""
import contextlib
import json
import subprocess
import time

import pytest

from harness import Dtu, Instance, Pack, Proxy, program, wait_until
from harness.instance import BUILD

PACKS = 8
SAMPLES = 15000
FRAMES_WANTED = 100_000
SPEED = 10
SAMPLE_MS = 100
CUT_S = 60


class Fleet:
    """Eight boards with a DTU each; the DTU of number 1 talks through a wire that can be cut."""

    def __init__(self, instance, folder, stack):
        self.instance = instance
        self.wire = stack.enter_context(Proxy(instance.broker))
        self.packs, self.dtus = [], []
        for n in range(PACKS):
            device, home = f"fault.pack-{n}", folder / f"pack-{n}"
            utc_start = int((time.time() - SAMPLES * SAMPLE_MS / 1000) * 1000)
            pack = Pack(home, device, cells=48, speed=SPEED, sample_ms=SAMPLE_MS, samples=SAMPLES, truth=home / "truth", seed=n + 1,
                        lossless=True, utc_start=utc_start)
            dtu = Dtu(home, device, pack.hub, instance, broker=self.wire.address if n == 1 else None)
            self.packs.append(stack.enter_context(pack))
            self.dtus.append(stack.enter_context(dtu))

    def kill_dtu(self, n):
        self.dtus[n].stop(9)
        time.sleep(1)
        self.dtus[n].start()

    def taken(self):
        """Bytes of truth written so far: grows as long as boards sample."""
        return sum(p.truth.stat().st_size for p in self.packs if p.truth.exists())

    def stored(self):
        return int(self.instance.psql("select coalesce(sum(count), 0) from record")[0][0])


def disturb(fleet, instance):
    """(seconds from the start, what, how): each one comes while the ones before may still be mending."""
    steps = [
        (8, "server kill -9", lambda: instance.kill_and_wait("server")),
        (18, "broker kill -9", lambda: instance.kill_and_wait("broker")),
        (28, "DTU 0 kill -9", lambda: fleet.kill_dtu(0)),
        (34, "network of DTU 1 cut", fleet.wire.cut),
        (44, "database restart", lambda: instance.cellwarden("restart", "database")),
        (58, "server kill -9", lambda: instance.kill_and_wait("server")),
        (70, "broker kill -9", lambda: instance.kill_and_wait("broker")),
        (80, "DTU 0 kill -9", lambda: fleet.kill_dtu(0)),
        (34 + CUT_S, "network of DTU 1 mended", fleet.wire.mend),
        (100, "server kill -9", lambda: instance.kill_and_wait("server")),
    ]
    began = time.monotonic()
    for at, what, act in steps:
        time.sleep(max(0.0, began + at - time.monotonic()))
        print(f"{time.monotonic() - began:6.1f} s  {what}; {fleet.stored() if 'database' not in what else '-'} frames stored", flush=True)
        act()
    print(f"{time.monotonic() - began:6.1f} s  all disturbances done", flush=True)


def verify(instance, fleet, seconds):
    pairs = [word for pack in fleet.packs for word in ("--device", f"fault.{pack.folder.name}", "--truth", str(pack.truth))]
    done = subprocess.run([program("cellwarden-verify"), "--database", instance.fact("conninfo"), *pairs, "--wait", str(seconds), "--json"],
                          capture_output=True, text=True, timeout=seconds + 60)
    assert done.stdout, f"cellwarden-verify said nothing; exit {done.returncode}\n{done.stderr}"
    return json.loads(done.stdout)


@pytest.fixture(name="result", scope="module")
def run_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fault")
    with Instance("fault") as instance, contextlib.ExitStack() as stack:
        fleet = Fleet(instance, folder, stack)
        wait_until(lambda: fleet.stored() > 500, 60, "frames begin to arrive", every=0.5)
        disturb(fleet, instance)
        wait_until(lambda: all(SAMPLES <= count_of(p) for p in fleet.packs), 240, "every board has taken its samples", every=1)
        result = verify(instance, fleet, 120)
    result["frames_wanted"] = FRAMES_WANTED
    (BUILD / "test" / "fault.json").write_text(json.dumps({k: v for k, v in result.items() if not isinstance(v, list)}) + "\n")
    return result


def count_of(pack):
    """Samples in a truth file, by its size: all entries of one pack are equally long."""
    if not pack.truth.exists():
        return 0
    cells, temps = 48, 12
    return (pack.truth.stat().st_size - 8) // (20 + 4 * cells + 2 * temps)


def test_more_than_100000_frames_were_under_way(result):
    assert result["frames_in"] >= FRAMES_WANTED


def test_no_frame_is_lost_whatever_is_killed_or_cut(result):
    """[FL-1] [FL-2] [FL-3]"""
    assert result["lost"] == 0
    assert result["frames_stored"] == result["frames_in"]


def test_no_frame_is_stored_twice(result):
    """[FL-3]"""
    assert result["duplicates"] == 0


def test_every_cell_is_what_the_board_measured(result):
    """[FL-1] [ME-1]"""
    assert result["mismatched"] == 0
