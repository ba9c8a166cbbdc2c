# SPDX-License-Identifier: Apache-2.0
"""`cellwarden record` and `cellwarden replay --firmware`: an incident is recorded by one process and gives the same outputs in another."""
import json
import subprocess

from harness import program

OPTIONS = ["--speed", "max", "--samples", "200", "--utc-start", "1700000000000", "--seed", "7"]


def record(folder, name, *options):
    path = folder / name
    subprocess.run([program("cellwarden-pack"), "--hub", str(folder / f"{name}.hub"), "--nvm", str(folder / f"{name}.nvm"), "--record", str(path),
                    *OPTIONS, *options], check=True, timeout=60, capture_output=True)
    return path


def replay(path, *options):
    done = subprocess.run([program("cellwarden-biu-replay"), "--json", *options, str(path)], timeout=60, capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def test_an_incident_comes_again_bit_for_bit(tmp_path):
    """[AC-6] A broken sense wire, a silent sensor and 160 cells: the same outputs, and the alarms with their cell and time."""
    path = record(tmp_path, "incident", "--cells", "160", "--fault", "open-wire:100@20-30,csu-silent@50-55")
    code, got, _ = replay(path, "--alarms")
    assert code == 0 and got["equal"] and got["complete"] and got["steps"] > 15000
    taps = [a for a in got["alarms"] if a["alarm"] == "cell_tap_open" and a["event"] == "set"]
    assert [a["cell"] for a in taps] == [100] and 20 < taps[0]["t_s"] < 20.6
    assert any(a["alarm"] == "current_sensor_silent" for a in got["alarms"])


def test_the_same_seed_records_the_same_file(tmp_path):
    assert record(tmp_path, "one").read_bytes() == record(tmp_path, "two").read_bytes()


def test_a_file_that_was_cut_or_changed_is_told(tmp_path):
    path = record(tmp_path, "whole")
    data = path.read_bytes()
    path.write_bytes(data[:len(data) // 2])
    code, got, error = replay(path)
    assert code == 1 and not got["complete"] and got["differing_steps"] == 0 and "ends before" in error
    path.write_bytes(data[:5000] + bytes([data[5000] ^ 1]) + data[5001:])
    code, got, error = replay(path)
    assert code == 1 and "checksum" in error
    path.write_text("t_s,i_A\n")
    code, got, error = replay(path)
    assert code == 1 and got is None and "is no recorded BIU" in error


def test_wrong_usage_is_2():
    for arguments in ([], ["--what"], ["a", "b"]):
        assert subprocess.run([program("cellwarden-biu-replay"), *arguments], capture_output=True, timeout=10).returncode == 2
    assert subprocess.run([program("cellwarden-biu-replay"), "--help"], capture_output=True, timeout=10).returncode == 0
