# SPDX-License-Identifier: Apache-2.0
"""A board with another version's tables: a made-up board on a pseudo-terminal speaks UDS over RS485 and hands out a catalogue of its own."""
import json
import os
import select
import struct
import threading
import tty
import zlib

import pytest
from harness import BUILD, PRESET
from test_cable import PARAM, Cable

RENAMED, NEW_ID, NEW = "balance_begin_mV", 0xFF0, "of_another_year"
BLOCK = 1698


def crc(poly, start, data):
    for byte in data:
        start ^= byte
        for _ in range(8):
            start = start >> 1 ^ (poly if start & 1 else 0)
    return start


def hash_of(document):
    """As the board's build makes it, made anew"""
    said = b"".join(row["name"].encode() + b"\0" for row in document["signals"])
    for row in document["params"]:
        said += struct.pack("<iii", row["id"], row["min"], row["max"]) + row["name"].encode() + b"\0"
        said += struct.pack("<4i", *(row["defaults"][word] for word in ("nmc", "lfp", "nimh", "scap")))
    for row in document["alarms"]:
        said += struct.pack("<i", row["id"]) + row["name"].encode() + b"\0"
    return crc(0x82F63B78, 0xFFFFFFFF, said) ^ 0xFFFFFFFF


class FakeBoard:
    """Parameters of its own tables: one renamed and with another range, one that our tables do not have"""

    def __init__(self, folder):
        ours = json.loads((BUILD / PRESET / "proto" / "catalogue.json").read_text())
        assert hash_of(ours) == int(ours["hash"], 16)
        self.ours, self.document = ours["hash"], json.loads(json.dumps(ours))
        row = next(row for row in self.document["params"] if row["name"] == PARAM)
        row.update(name=RENAMED, max=row["max"] + 1000)
        self.max = row["max"]
        self.document["params"].append({**row, "id": NEW_ID, "name": NEW, "unit": "furlong", "min": -5, "max": 5})
        self.hash = hash_of(self.document)
        self.document["hash"] = f"{self.hash:08x}"
        plain = json.dumps(self.document).encode()
        self.size, self.packed = len(plain), zlib.compress(plain)
        self.told = self.hash
        self.values = {row["id"]: row["defaults"]["nmc"] if row["name"] != NEW else 3 for row in self.document["params"]}
        self.stored = dict(self.values)
        self.ranges = {row["id"]: (row["min"], row["max"]) for row in self.document["params"]}
        self.writes = 0
        self.fd, slave = os.openpty()
        tty.setraw(slave)
        self.slave, self.link = slave, folder / "line"
        self.link.symlink_to(os.ttyname(slave))
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def stop(self):
        self.ends.set()
        self.thread.join(5)
        os.close(self.fd)
        os.close(self.slave)

    def run(self):
        frame = b""
        while not self.ends.is_set():
            if not select.select([self.fd], [], [], 0.05)[0]:
                continue
            frame += os.read(self.fd, 4096)
            if len(frame) >= 4 and len(frame) >= 6 + int.from_bytes(frame[2:4], "big"):
                assert frame[:2] == b"\xf8\x41" and crc(0xA001, 0xFFFF, frame) == 0
                answer = self.answer(frame[4:-2])
                answer = b"\xf8\x42" + len(answer).to_bytes(2, "big") + answer
                os.write(self.fd, answer + struct.pack("<H", crc(0xA001, 0xFFFF, answer)))
                frame = b""

    def read(self, dids):
        out = b"\x62"
        for (did,) in struct.iter_unpack(">H", dids):
            if did == 0x1011:
                out += struct.pack(">HIII", did, self.told, len(self.packed), self.size)
            elif (did & 0xFFF) not in self.values:
                return b"\x7f\x22\x31"
            else:
                out += struct.pack(">Hi", did, (self.values if did < 0x3000 else self.stored)[did & 0xFFF])
        return out

    def answer(self, uds):
        service = uds[0]
        if service == 0x22:
            return self.read(uds[1:])
        if service == 0x27:
            return b"\x67\x01\0\0\0\0" if uds[1] == 1 else b"\x67\x02"
        if service == 0x35:
            assert uds[1:] == struct.pack(">BBII", 0x10, 0x44, 0x80000000, len(self.packed))
            return b"\x75\x20" + (BLOCK + 2).to_bytes(2, "big")
        if service == 0x36:
            at = (uds[1] - 1) * BLOCK
            return b"\x76" + uds[1:2] + self.packed[at : at + BLOCK]
        if service == 0x2E:
            did, value = struct.unpack(">Hi", uds[1:])
            low, high = self.ranges[did - 0x2000]
            if not low <= value <= high:
                return b"\x7f\x2e\x31"
            self.values[did - 0x2000] = value
            self.writes += 1
        elif uds == b"\x31\x01\x02\x01":
            self.stored = dict(self.values)
        return bytes([service + 0x40]) + uds[1 : {0x10: 2, 0x2E: 3, 0x31: 4}.get(service, 1)]


@pytest.fixture
def board(tmp_path):
    board = FakeBoard(tmp_path)
    yield board
    board.stop()


@pytest.fixture
def cable(board):
    return Cable("--rs485", board.link)


def test_the_catalogue_of_the_board_is_read_and_saved(cable, board, tmp_path):
    """As the board has it, byte for byte [UC-3]"""
    file = tmp_path / "catalogue.json"
    cable.ok("catalogue", "--out", file)
    assert json.loads(file.read_text()) == board.document == json.loads(cable.ok("catalogue"))
    assert cable.run("catalogue", "--out", tmp_path / "none" / "file").returncode == 1
    assert cable.run("catalogue", "--into", file).returncode == 2


def test_parameters_are_read_by_the_tables_of_the_board(cable, board):
    """Its names, its units, its values, and a note that says so [UC-3]"""
    read = cable.json("params", "get")
    assert read["tables"] == board.document["hash"]
    assert {row["id"]: (row["name"], row["unit"]) for row in read["values"]} == {row["id"]: (row["name"], row["unit"]) for row in board.document["params"]}
    assert {row["id"]: row["running"] for row in read["values"]} == board.values
    done = cable.run("params", "get", NEW)
    assert done.returncode == 0 and "furlong" in done.stdout and board.document["hash"] in done.stderr and board.ours in done.stderr
    assert cable.run("params", "get", PARAM).returncode == 2


def test_nothing_is_written_to_a_board_with_other_tables(cable, board, tmp_path):
    """Both hashes are named, and the way out [UC-5]"""
    for words in (["calibrate", "rs485_address=2"], ["flash", "rs485_address=2"], ["flash"], ["params", "set", "rs485_address=2"]):
        done = cable.run(*words)
        assert done.returncode == 1 and board.document["hash"] in done.stderr and board.ours in done.stderr, words
        assert "nothing was written" in done.stderr and "--use-board-tables" in done.stderr
    for words in (["params", "export", tmp_path / "file"], ["params", "import", tmp_path / "file"]):
        (tmp_path / "file").write_text("{}")
        done = cable.run(*words)
        assert done.returncode == 1 and board.document["hash"] in done.stderr and board.ours in done.stderr
    assert board.writes == 0 and board.stored == board.values


def test_with_its_own_tables_it_is_written_within_its_own_ranges(cable, board):
    """Names and ranges of the board, proved by reading back [UC-5]"""
    own = Cable(*cable.cable, "--use-board-tables")
    done = own.run("calibrate", f"{RENAMED}={board.max + 1}", f"{NEW}=-5")
    assert done.returncode == 1 and f"to {board.max}" in done.stderr and board.writes == 0
    for wrong in (f"{PARAM}=50", RENAMED, f"{NEW}=x"):
        assert own.run("calibrate", wrong).returncode == 2
    own.ok("calibrate", f"{RENAMED}={board.max}", f"{NEW}=-5")
    assert board.values[NEW_ID] == -5 != board.stored[NEW_ID]
    own.ok("flash")
    assert board.values == board.stored and board.writes == 2
    read = own.json("flash", f"{NEW}=4")
    assert [(row["name"], row["running"], row["stored"]) for row in read["values"]] == [(NEW, 4, 4)]


def test_a_catalogue_that_is_not_what_its_hash_names_is_refused(cable, board):
    """Damaged on the way, or another one's hash [UC-5]"""
    board.told ^= 1
    done = Cable(*cable.cable, "--use-board-tables").run("calibrate", f"{NEW}=1")
    assert done.returncode == 1 and "damaged" in done.stderr
    board.told ^= 1
    board.packed = board.packed[:-9] + bytes(9)
    done = cable.run("catalogue")
    assert done.returncode == 1 and "damaged" in done.stderr and board.writes == 0
