# SPDX-License-Identifier: Apache-2.0
"""cellwarden-pack as a program: options, files, signals, pace, and replay without the rest of the system."""
import gzip
import resource
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest
from harness import Pack, program, wait_until

SAMPLE_END = 0x18F0AF10
HEAD = "t_s,i_A,pack_V," + ",".join(f"c{k}_mV" for k in range(1, 13)) + ",t1_C,t2_C"


def row(t, cells=12, first=3700):
    return f"{t},{5 + t % 7},{cells * 3.7:.2f}," + ",".join(str(first + k + int(t) % 5) for k in range(cells)) + ",21.5,22.0"


def run(folder, *options, seconds=60, **environment):
    return subprocess.run([program("cellwarden-pack"), *map(str, options)], cwd=folder, capture_output=True, text=True, timeout=seconds,
                          env=environment or None, stdin=subprocess.DEVNULL)


def entries(path):
    """[(boot, no, utc_ms, world_mV, measured_mV)]"""
    data, at, out = path.read_bytes(), 8, []
    assert data[:8] == b"CWTRUTH1"
    while at + 20 <= len(data):
        boot, number, utc, cells, temps = struct.unpack_from("<IIQHH", data, at)
        world = struct.unpack_from(f"<{cells}H", data, at + 20)
        measured = struct.unpack_from(f"<{cells}H", data, at + 20 + 2 * cells)
        at += 20 + 4 * cells + 2 * temps
        out.append((boot, number, utc, world, measured))
    return out


class Reader(threading.Thread):
    """One node of the hub that collects the numbers of the samples; slower when told so."""

    def __init__(self, path, pause=0.0):
        super().__init__(daemon=True)
        self.path, self.pause, self.numbers, self.frames = str(path), pause, [], 0
        self.start()

    def run(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as node:
            end = time.monotonic() + 15
            while True:
                try:
                    node.connect(self.path)
                    break
                except OSError:
                    if time.monotonic() > end:
                        return
                    time.sleep(0.02)
            while packet := node.recv(65536):
                assert len(packet) % 16 == 0
                for at in range(0, len(packet), 16):
                    self.frames += 1
                    if struct.unpack_from("<I", packet, at)[0] == SAMPLE_END:
                        self.numbers.append(struct.unpack_from("<I", packet, at + 10)[0])
                time.sleep(self.pause)


@pytest.mark.parametrize("options,says", [
    ([], "--hub PATH: is needed"),
    (["--hub", "h"], "--nvm FILE: is needed"),
    (["--hub", "h", "--nvm", "n", "--cells", "3"], "--cells 3: is no whole number in its range"),
    (["--hub", "h", "--nvm", "n", "--cells", "161"], "--cells 161"),
    (["--hub", "h", "--nvm", "n", "--cells", "4x"], "--cells 4x"),
    (["--hub", "h", "--nvm", "n", "--speed", "fast"], "--speed fast"),
    (["--hub", "h", "--nvm", "n", "--speed", "nan"], "--speed nan"),
    (["--hub", "h", "--nvm", "n", "--samples", "-1"], "--samples -1"),
    (["--hub", "h", "--nvm", "n", "--name", "no-dot"], "--name no-dot"),
    (["--hub", "h", "--nvm", "n", "--nonsense"], "there is no option '--nonsense'"),
    (["--hub"], "--hub : needs a value"),
])
def test_wrong_usage_is_told_and_makes_nothing(tmp_path, options, says):
    done = run(tmp_path, *options)
    assert done.returncode == 2 and says in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_names_every_option(tmp_path):
    done = run(tmp_path, "--help")
    assert done.returncode == 0
    for name in ("name scenario cells chemistry hub slcan-tcp slcan-pty nvm replay speed sample-ms samples truth seed utc-start "
                 "lossless").split():
        assert f"--{name}" in done.stdout


@pytest.mark.parametrize("options,says", [
    (["--scenario", "fly"], "unknown scenario=fly"),
    (["--chemistry", "lead"], "unknown chemistry=lead"),
    (["--nvm", "nowhere/nvm"], "cannot open nvm=nowhere/nvm"),
    (["--truth", "nowhere/truth"], "cannot open truth=nowhere/truth"),
    (["--hub", "nowhere/hub"], "cannot open door=hub"),
    (["--hub", "x" * 200], "cannot open door=hub"),
    (["--slcan-tcp", "127.0.0.1"], "cannot open door=slcan-tcp"),
    (["--slcan-tcp", "203.0.113.1:1"], "cannot open door=slcan-tcp"),
    (["--slcan-pty", "nowhere/tty"], "cannot open door=slcan-pty"),
    (["--socketcan", "can-none-9"], "door=socketcan"),
])
def test_what_cannot_be_opened_is_an_error(tmp_path, options, says):
    done = run(tmp_path, "--hub", "hub", "--nvm", "nvm", "--samples", "1", *options)
    assert done.returncode == 1 and says in done.stderr and done.stderr.startswith("error ")


def test_the_environment_is_a_second_command_line(tmp_path):
    done = run(tmp_path, "--samples", "2", CELLWARDEN_HUB="hub", CELLWARDEN_NVM="nvm", CELLWARDEN_SPEED="max", CELLWARDEN_CELLS="7",
               CELLWARDEN_SAMPLES="99", CELLWARDEN_TRUTH="truth")
    assert done.returncode == 0, done.stderr
    assert [len(e[3]) for e in entries(tmp_path / "truth")] == [7, 7]


@pytest.mark.parametrize("chemistry", ["nmc", "lfp", "nimh", "scap"])
@pytest.mark.parametrize("cells", [4, 16, 17, 48, 160])
def test_every_pack_measures_what_is(tmp_path, chemistry, cells):
    """Error <= 0.2 % and <= 5 mV [ME-1] [PK-1] [PK-2] [PK-4]"""
    done = run(tmp_path, "--hub", "hub", "--nvm", "nvm", "--speed", "max", "--samples", 20, "--truth", "truth", "--cells", cells, "--chemistry", chemistry)
    assert done.returncode == 0, done.stderr
    was = entries(tmp_path / "truth")
    assert [e[1] for e in was] == list(range(1, 21))
    assert all(b[2] - a[2] == 1000 for a, b in zip(was, was[1:]))
    for _, _, _, world, measured in was:
        assert len(world) == cells
        assert max(abs(a - b) for a, b in zip(world, measured)) <= 3


def test_a_fault_comes_is_told_and_goes(tmp_path):
    """[AC-6]"""
    done = run(tmp_path, "--hub", "hub", "--nvm", "nvm", "--speed", "max", "--samples", 60, "--truth", "truth", "--fault",
               "cell:17:4300@10-20,broken-link:2@30-32")
    assert done.returncode == 0, done.stderr
    levels = [int(line.split("worst=")[1].split()[0]) for line in done.stderr.splitlines() if " alarms active=" in line]
    assert levels[0] in (1, 2) and levels[-1] == 0 and levels.count(0) >= 2 and max(levels) == 2
    was = entries(tmp_path / "truth")
    assert any(e[3][16] == 4300 and abs(e[4][16] - 4300) <= 2 for e in was)
    assert any(e[4][16] > 0xFFF8 for e in was) and was[-1][4][16] < 4200, "the chip behind the broken link was silent, and is back"


def test_a_fault_that_this_pack_cannot_have_is_refused(tmp_path):
    done = run(tmp_path, "--hub", "hub", "--nvm", "nvm", "--fault", "cell:49:4300@1")
    assert done.returncode == 1 and "'cell:49:4300@1' is no KIND" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_starts_are_counted_and_a_kill_tears_nothing(tmp_path):
    """[AC-7]"""
    with Pack(tmp_path, "test.kill", cells=8, speed="max", truth=tmp_path / "truth") as pack:
        wait_until(lambda: (tmp_path / "truth").exists() and (tmp_path / "truth").stat().st_size > 50000, 20, "many samples")
        pack.stop(signal.SIGKILL)
    done = run(tmp_path, "--hub", "hub", "--nvm", "nvm", "--speed", "max", "--samples", 5, "--truth", "truth", "--cells", 8)
    assert done.returncode == 0, done.stderr  # the dead pack's socket is replaced
    was = entries(tmp_path / "truth")
    assert [e[:2] for e in was[-5:]] == [(2, n) for n in range(1, 6)]
    assert {e[0] for e in was} == {1, 2}


def test_two_packs_do_not_share_a_hub(tmp_path):
    with Pack(tmp_path, "test.one", cells=8):
        done = run(tmp_path, "--hub", tmp_path / "hub", "--nvm", "other")
    assert done.returncode == 1 and "another pack listens" in done.stderr


def test_a_signal_ends_it_cleanly(tmp_path):
    pack = Pack(tmp_path, "test.term", cells=8, slcan_pty=tmp_path / "tty").start()
    pack.says("started")
    assert pack.stop(signal.SIGTERM, 5) == 0
    assert not (tmp_path / "hub").exists() and not (tmp_path / "tty").is_symlink()
    assert "stopped samples=" in pack.log()


def test_the_largest_pack_costs_little(tmp_path):
    """160 cells in real time with one reader: below 5 % of a core"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    reader = Reader(tmp_path / "hub")
    done = run(tmp_path, "--hub", "hub", "--nvm", "nvm", "--cells", 160, "--samples", 8)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    reader.join(5)
    assert reader.numbers == list(range(1, 9))
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 8 * 0.05


def write_log(path, rows, **how):
    text = "\n".join([HEAD, *(row(t, **how) for t in rows)]) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz"])
def test_a_replay_gives_one_exact_sample_for_each_row(tmp_path, name):
    log = write_log(tmp_path / name, [0, 1, 2, 2.5, 10, 12, 3600, 3601])
    done = run(tmp_path, "--hub", "hub", "--nvm", "nvm", "--speed", "max", "--truth", "truth", "--replay", log, "--utc-start", 1700000000000)
    assert done.returncode == 0, done.stderr
    was = entries(tmp_path / "truth")
    assert [e[2] - 1700000000000 for e in was] == [0, 1000, 2000, 2500, 10000, 12000, 3600000, 3601000]
    for (_, _, utc, world, measured) in was:
        assert list(world) == list(measured) == [3700 + k + (utc - 1700000000000) // 1000 % 5 for k in range(12)]
    assert "done rows=8 of=8 samples=8 by_sync=8 by_alarm=0 holes=0" in done.stderr


def test_the_last_row_of_a_fast_replay_is_now(tmp_path):
    log = write_log(tmp_path / "log.csv", range(0, 5000, 10))
    done = run(tmp_path, "--hub", "hub", "--nvm", "nvm", "--speed", "max", "--truth", "truth", "--replay", log)
    assert done.returncode == 0, done.stderr
    assert abs(entries(tmp_path / "truth")[-1][2] / 1000 - time.time()) < 10


def test_alarms_in_a_log_are_sampled_too_and_counted(tmp_path):
    """The world is what it is: an over-voltage row makes the board sample by itself [AC-6]"""
    log = tmp_path / "log.csv"
    lines = [HEAD, *(row(t, first=4300 if 20 <= t < 40 else 3700) for t in range(60))]
    log.write_text("\n".join(lines) + "\n")
    done = run(tmp_path, "--hub", "hub", "--nvm", "nvm", "--speed", "max", "--truth", "truth", "--replay", log)
    assert done.returncode == 0, done.stderr
    was = entries(tmp_path / "truth")
    by_alarm = int(done.stderr.split("by_alarm=")[1].split()[0])
    assert 0 < by_alarm < 12 and len(was) == 60 + by_alarm
    assert [e[1] for e in was] == list(range(1, len(was) + 1))
    assert all(b[2] >= a[2] for a, b in zip(was, was[1:])), "time does not go back"


def test_holes_are_held_and_probes_without_values_are_not_fitted(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("t_s,i_A,c1_mV,c2_mV,c3_mV,c4_mV,t1_C,t2_C,t3_C\n"
                   "0,1,3701,3702,3703,3704,20,,22\n1,1,3711,,66535,3714,20,,22\n2,1,3721,3722,3723,3724,20,,22\n")
    done = run(tmp_path, "--hub", "hub", "--nvm", "nvm", "--speed", "max", "--truth", "truth", "--replay", log)
    assert done.returncode == 0, done.stderr
    was = entries(tmp_path / "truth")
    assert [list(e[3]) for e in was] == [[3701, 3702, 3703, 3704], [3711, 0xFFFF, 0xFFFF, 3714], [3721, 3722, 3723, 3724]]
    assert list(was[1][4]) == [3711, 3702, 3703, 3714]
    assert "holes=2" in done.stderr
    assert (tmp_path / "truth").stat().st_size == 8 + 3 * (20 + 4 * 4 + 2 * 2)  # two probes


@pytest.mark.parametrize("text,says", [
    ("", "is empty"),
    (HEAD + "\n" + row(0) + "\n" + row(1).replace("3703", "high") + "\n", "line 3, column c3_mV (6): 'high' is not a number"),
    (HEAD + "\n" + row(5) + "\n" + row(4) + "\n", "time goes back from 5 to 4"),
    (HEAD + "\n" + row(0, cells=11) + "\n", "line 2: 16 columns, not 17"),
])
def test_a_bad_log_stops_it_before_anything_is_made(tmp_path, text, says):
    (tmp_path / "log.csv").write_text(text)
    done = run(tmp_path, "--hub", "hub", "--nvm", "nvm", "--truth", "truth", "--replay", "log.csv")
    assert done.returncode == 1
    assert done.stderr.startswith("error ") and "log.csv: " in done.stderr and says in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["log.csv"]


def test_a_lossless_replay_waits_for_a_slow_reader(tmp_path):
    log = write_log(tmp_path / "log.csv", range(0, 4000, 10))
    reader = Reader(tmp_path / "hub", pause=0.001)
    done = run(tmp_path, "--hub", "hub", "--nvm", "nvm", "--speed", "max", "--truth", "truth", "--replay", log, "--lossless", "--cells", 160)
    assert done.returncode == 0, done.stderr
    reader.join(10)
    assert reader.numbers == list(range(1, 401))
    assert "dropped=0" in done.stderr


def test_without_lossless_nobody_is_waited_for(tmp_path):
    done = run(tmp_path, "--hub", "hub", "--nvm", "nvm", "--speed", "max", "--samples", 3000, "--sample-ms", 100, seconds=30)
    assert done.returncode == 0 and "stopped samples=3000" in done.stderr


def test_a_pack_keeps_real_time(tmp_path):
    began = time.monotonic()
    done = run(tmp_path, "--hub", "hub", "--nvm", "nvm", "--samples", 30, "--speed", 10)
    assert done.returncode == 0
    assert 2.9 < time.monotonic() - began < 4.0
