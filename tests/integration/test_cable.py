# SPDX-License-Identifier: Apache-2.0
"""The upper computer on a cable, in the shell: cellwarden-ctl against a running pack, by each kind of cable a test can make."""
import json
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import time

import pytest
from harness import Pack, free_port, program, wait_until

PARAM = "balance_start_mV"
MAGIC = 0x96F3B83D  # MCUboot


class Cable:
    def __init__(self, *cable):
        self.cable = [str(word) for word in cable]

    def run(self, *words, timeout=60):
        return subprocess.run([program("cellwarden-ctl"), *self.cable, *map(str, words)], capture_output=True, text=True, timeout=timeout, check=False)

    def ok(self, *words, timeout=60):
        done = self.run(*words, timeout=timeout)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def json(self, *words):
        return json.loads(self.ok("--json", *words))

    def value(self, name=PARAM):
        row, = self.json("params", "get", name)["values"]
        return row["running"], row["stored"]


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cable")
    port = free_port()
    with Pack(folder, "test.cable", cells=48, slcan_tcp=f"127.0.0.1:{port}", slcan_pty=folder / "tty", slot=folder / "slot") as pack:
        pack.port, pack.tty, pack.slot = port, folder / "tty", folder / "slot"
        yield pack


@pytest.fixture
def cable(pack):
    return Cable("--hub", pack.hub)


@pytest.mark.parametrize("kind", ["hub", "slcan", "serial"])
def test_every_cable_gives_status_cells_and_parameters(pack, kind):
    """The same board by socket, SLCAN over TCP and a serial line [UC-1] [UC-2] [UC-3]"""
    cable = Cable(*{"hub": ("--hub", pack.hub), "slcan": ("--slcan", f"127.0.0.1:{pack.port}"), "serial": ("--serial", pack.tty)}[kind])
    row = cable.json("status")
    assert row["cells"] == 48 and row["online"] and row["cell_max_mV"] >= row["cell_min_mV"] > 1000
    frame = cable.json("cells")
    assert len(frame["cell_mV"]) == 48 and all(isinstance(mV, int) for mV in frame["cell_mV"])
    read = cable.json("params", "get")
    assert len(read["values"]) > 100 and read["read_ms"] <= 1000
    text = cable.ok("cells")
    assert "highest" in text and "lowest" in text
    lines = [json.loads(line) for line in cable.ok("--json", "watch", "--count", 2).splitlines()]
    assert len(lines) == 2


def test_a_calibrated_value_goes_with_a_restart_and_a_flashed_one_stays(cable):
    """Calibrate, restart: old; flash, restart: new [UC-5]"""
    _, stored = cable.value()
    wanted = stored + 5
    proof = cable.json("calibrate", f"{PARAM}={wanted}")
    assert proof["ok"] and proof["readback"][0]["running"] == wanted and proof["readback"][0]["stored"] == stored
    cable.ok("restart")
    assert cable.value() == (stored, stored)
    cable.ok("flash", f"{PARAM}={wanted}")
    cable.ok("restart")
    assert cable.value() == (wanted, wanted)


def test_export_edit_import_flash_restart_is_identical(cable, tmp_path):
    """All parameters there and back through a .json file [UC-4] [UC-5]"""
    file, again = tmp_path / "params.json", tmp_path / "again.json"
    cable.ok("params", "export", file)
    document = json.loads(file.read_text())
    document["values"][PARAM] += 3
    file.write_text(json.dumps(document))
    assert cable.run("params", "diff", file).returncode == 1
    cable.ok("params", "import", file, "--flash")
    cable.ok("restart")
    assert cable.run("params", "diff", file).returncode == 0
    cable.ok("params", "export", again)
    assert json.loads(again.read_text())["values"] == document["values"] == json.loads(again.read_text())["stored"]


def test_wrong_files_and_values_change_nothing(cable, tmp_path):
    """What is refused is named, and nothing is written [UC-3] [UC-4]"""
    before = cable.value()
    file = tmp_path / "params.json"
    cable.ok("params", "export", file)
    good = file.read_text()
    for bad, words in [(good.replace(f'"{PARAM}":{before[0]}', f'"{PARAM}":9999'), PARAM), (good.replace('"nmc"', '"lfp"'), "another pack"),
                       (good[: len(good) // 2], "not JSON"), ("", "not JSON")]:
        file.write_text(bad)
        done = cable.run("params", "import", file)
        assert done.returncode == 1 and words in done.stderr, (words, done.stderr)
    assert cable.run("params", "import", tmp_path / "nowhere").returncode == 1
    assert cable.run("calibrate", f"{PARAM}=9999").returncode == 1
    for wrong in (["calibrate"], ["calibrate", PARAM], ["calibrate", "no_such=1"], ["calibrate", f"{PARAM}=x"], ["params", "burn"], ["dance"], ["soc", "set", "101"],
                  ["inject", "no_such"], ["--timeout", "0", "status"], ["upgrade"]):
        assert cable.run(*wrong).returncode == 2, wrong
    assert cable.value() == before


def test_trouble_codes_soc_and_self_test(cable):
    """What a workshop asks for [ES-5]"""
    assert isinstance(cable.json("dtc", "list"), list)
    cable.ok("dtc", "clear")
    cable.ok("soc", "set", "61.5")
    wait_until(lambda: abs((cable.json("status")["soc_permyriad"] or 0) - 6150) < 100, 10, "the SOC is what was set")
    assert cable.run("selftest").returncode in (0, 1)


def test_a_program_is_refused_while_contactors_are_closed(cable, tmp_path):
    """The board decides, the reason is said [UC-7]"""
    image = tmp_path / "image"
    image.write_bytes(struct.pack("<I", MAGIC) + bytes(5000))
    done = cable.run("upgrade", image)
    assert done.returncode == 1 and "contactors must be open" in done.stderr
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    assert cable.run("upgrade", empty).returncode == 1


def test_a_program_is_loaded_checked_and_resumed(cable, pack, tmp_path):
    """Erase, download, check, restart; an interrupted download goes on [UC-7]"""
    body = random.Random(7).randbytes(120_000)
    image = tmp_path / "image"
    image.write_bytes(struct.pack("<IIHHII8sI", MAGIC, 0, 32, 0, len(body), 0, bytes(8), 0) + body)
    cable.ok("calibrate", "vcu_orders=1")  # nobody orders the contactors closed
    wait_until(lambda: "RL1 open" in cable.ok("status"), 20, "the contactors are open")
    with subprocess.Popen([program("cellwarden-ctl"), *cable.cable, "--json", "upgrade", str(image)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
        time.sleep(1.5)
        first.send_signal(signal.SIGINT)
        assert first.wait(20) == 1
    result = cable.json("upgrade", image)
    assert result["bytes"] == len(body) + 32 and 0 < result["resumed"] < result["bytes"]
    assert pathlib.Path(pack.slot).read_bytes()[: result["bytes"]] == image.read_bytes()
    wait_until(lambda: cable.value("vcu_orders") == (0, 0), 20, "the board has restarted")


def test_a_failure_is_simulated_while_the_command_runs(cable):
    """Alarm and contactors as if it were real, then gone [UC-6]"""
    with subprocess.Popen([program("cellwarden-ctl"), *cable.cable, "inject", "cell_over_voltage", "--seconds", "8"], stdout=subprocess.PIPE, text=True) as inject:
        wait_until(lambda: cable.json("status")["state"] == "alarm", 7, "the board alarms")
        assert [row["alarm"] for row in cable.json("inject", "list")] == ["cell_over_voltage"]
        assert inject.wait(30) == 0
    assert cable.json("inject", "list") == []
    wait_until(lambda: cable.json("status")["state"] != "alarm", 20, "the alarm is gone")


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """A pack whose RS485 line alone is in reach"""
    folder = tmp_path_factory.mktemp("rs485")
    with Pack(folder, "test.rs485", cells=48, rs485_pty=folder / "rs485", slot=folder / "slot") as pack:
        wait_until((folder / "rs485").exists, 10, "the line is there")
        cable = Cable("--rs485", folder / "rs485")
        cable.hub, cable.slot = Cable("--hub", pack.hub), folder / "slot"
        yield cable


def starts(cable):
    return int(re.search(r"start (\d+)", cable.ok("status"))[1])


def test_over_rs485_all_parameters_are_read_as_over_can(line):
    """Both copies of everything, the same as the other cable reads [TA-4] [UC-3]"""
    rows = line.json("params", "get")["values"]
    assert len(rows) > 100 and rows == line.hub.json("params", "get")["values"]


def test_over_rs485_a_calibrated_value_goes_and_a_flashed_one_stays(line):
    """Calibrate, restart: old; flash, restart: new; the other cable reads the same [TA-4] [UC-5]"""
    _, stored = line.value()
    wanted = stored + 7
    proof = line.json("calibrate", f"{PARAM}={wanted}")
    assert proof["ok"] and proof["readback"][0]["running"] == wanted and proof["readback"][0]["stored"] == stored
    line.ok("restart")
    assert line.value() == (stored, stored) == line.hub.value()
    line.ok("flash", f"{PARAM}={wanted}")
    before = starts(line.hub)
    line.ok("restart")
    assert starts(line.hub) == before + 1
    assert line.value() == (wanted, wanted) == line.hub.value()


def test_over_rs485_files_trouble_codes_soc_and_self_test(line, tmp_path):
    """What needs no sample works [TA-4] [UC-4]"""
    file = tmp_path / "params.json"
    line.ok("params", "export", file)
    assert line.run("params", "diff", file).returncode == 0
    assert isinstance(line.json("dtc", "list"), list)
    line.ok("dtc", "clear")
    line.ok("soc", "set", "55")
    wait_until(lambda: abs((line.hub.json("status")["soc_permyriad"] or 0) - 5500) < 100, 10, "the SOC is what was set")
    assert line.run("selftest").returncode in (0, 1)


def test_over_rs485_what_needs_samples_says_so(line):
    """No overview and no cells, and why, at once [TA-4]"""
    for words in (["status"], ["cells"], ["watch", "--count", 1]):
        began = time.monotonic()
        done = line.run(*words)
        assert done.returncode == 1 and "RS485 carries no samples" in done.stderr and time.monotonic() - began < 3


def test_over_rs485_a_program_is_loaded_and_checked(line, tmp_path):
    """Erase, download, check, restart [TA-4] [UC-7]"""
    body = random.Random(8).randbytes(20_000)
    image = tmp_path / "image"
    image.write_bytes(struct.pack("<IIHHII8sI", MAGIC, 0, 32, 0, len(body), 0, bytes(8), 0) + body)
    line.ok("calibrate", "vcu_orders=1")  # nobody orders the contactors closed
    wait_until(lambda: "RL1 open" in line.hub.ok("status"), 20, "the contactors are open")
    result = line.json("upgrade", image)
    assert result["bytes"] == len(body) + 32 and result["resumed"] == 0
    assert pathlib.Path(line.slot).read_bytes()[: result["bytes"]] == image.read_bytes()
    wait_until(lambda: line.value("vcu_orders") == (0, 0), 20, "the board has restarted")


def test_without_a_board_it_ends_with_the_reason(tmp_path):
    """Every wait ends"""
    began = time.monotonic()
    done = Cable("--hub", tmp_path / "nothing", "--timeout", 1).run("status")
    assert done.returncode == 1 and "no link" in done.stderr and time.monotonic() - began < 5
    assert Cable("--slcan", f"127.0.0.1:{free_port()}", "--timeout", 1).run("params", "get").returncode == 1
    assert Cable("--can", "nosuchcan0", "--timeout", 1).run("status").returncode == 1
    assert Cable("--serial", tmp_path / "ttyNone", "--timeout", 1).run("status").returncode == 1
    assert Cable("--rs485", tmp_path / "ttyNone", "--timeout", 1).run("params", "get").returncode == 1
    assert Cable("--rs485", tmp_path / "tty", "--baud", 115201).run("params", "get").returncode == 2
    assert Cable("--slcan", "nowhere").run("status").returncode == 2
    assert Cable().run("status").returncode == 2
    assert Cable("--hub", "a", "--can", "b").run("status").returncode == 2


def test_no_database_and_no_broker_is_linked():
    """The programs for the workshop's computer need neither libpq nor Paho"""
    if not shutil.which("ldd"):
        pytest.skip("there is no ldd here")
    for name in ("cellwarden-ctl", "cellwarden-local"):
        needs = subprocess.run(["ldd", program(name)], capture_output=True, text=True, check=True).stdout
        assert "libpq" not in needs and "paho" not in needs
