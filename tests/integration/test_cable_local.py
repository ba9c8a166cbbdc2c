# SPDX-License-Identifier: Apache-2.0
"""cellwarden-local on a board's RS485 line, a pseudo-terminal: read all, calibrate, flash, restart, load a program, a board with other tables; and who may ask."""
import contextlib
import json
import random
import re
import socket
import struct
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from harness import BUILD, PRESET, Pack, program, wait_until
from harness.instance import ROOT
from test_cable import MAGIC, PARAM, Cable
from test_cable_tables import NEW, RENAMED, FakeBoard

ID = "local.board"


class Local:
    """A running cellwarden-local, asked as its pages ask it."""

    def __init__(self, *cable):
        words = [program("cellwarden-local"), *map(str, cable), "--listen", "127.0.0.1:0", "--web", ROOT / "server/web/dist",
                 "--catalogue", BUILD / PRESET / "proto" / "catalogue.json"]
        self.process = subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = re.match(r"http://[^/]+", self.process.stdout.readline())[0]
        self.port = int(self.url.rsplit(":", 1)[1])
        self.csrf = self.get("/session")["csrf"]

    def close(self):
        self.process.terminate()
        assert self.process.wait(10) == 0

    def ask(self, method, path, body=None, **headers):
        request = urllib.request.Request(self.url + "/api/v1" + path, data=body, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.loads(refusal.read())

    def get(self, path):
        status, answer = self.ask("GET", path)
        assert status == 200, answer
        return answer

    def post(self, path, body, kind="application/json"):
        return self.ask("POST", path, body, **{"Content-Type": kind, "X-CSRF": self.csrf})

    def order(self, **order):
        status, op = self.post(f"/vehicles/{ID}/ops", json.dumps(order).encode())
        assert status == 202, op
        return wait_until(lambda: (now := self.get(f"/ops/{op['op']}"))["state"] in ("done", "failed") and now, 30, "the operation ended")

    def values(self):
        return {row["id"]: (row["running"], row["stored"]) for row in self.get(f"/vehicles/{ID}/params")["values"]}


@contextlib.contextmanager
def serving(*cable):
    local = Local(*cable)
    try:
        yield local
    finally:
        local.close()


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rs485")
    with Pack(folder, "test.localline", cells=48, rs485_pty=folder / "rs485", slot=folder / "slot") as pack:
        wait_until((folder / "rs485").exists, 10, "the line is there")
        pack.line, pack.slot = folder / "rs485", folder / "slot"
        with serving("--rs485", pack.line) as local:
            wait_until(lambda: all(v is not None for pair in local.values().values() for v in pair), 20, "all parameters are read by themselves")
            yield pack, local


def id_of(name):
    return next(row["id"] for row in json.loads((BUILD / PRESET / "proto" / "catalogue.json").read_text())["params"] if row["name"] == name)


def test_over_rs485_the_pages_read_all_write_and_restart(board):
    """Read when the line comes up; calibrate, restart: old; flash, restart: new; the other cable reads the same [TA-4] [UC-3] [UC-5]"""
    pack, local = board
    param, other = id_of(PARAM), Cable("--hub", pack.hub)
    assert {row["id"]: (row["running"], row["stored"]) for row in other.json("params", "get")["values"]} == local.values()
    _, stored = local.values()[param]
    wanted = [{"id": param, "value": stored + 9}]
    assert local.order(kind="calibrate", values=wanted)["state"] == "done"
    assert local.values()[param] == (stored + 9, stored) == other.value()
    assert local.order(kind="restart", confirm=ID[-4:], reason="test")["state"] == "done"
    wait_until(lambda: local.values()[param] == (stored, stored), 20, "the old value runs again")
    assert local.order(kind="flash", values=wanted, confirm=ID[-4:], reason="test")["state"] == "done"
    assert local.order(kind="restart", confirm=ID[-4:], reason="test")["state"] == "done"
    wait_until(lambda: other.value() == (stored + 9, stored + 9), 20, "the new value stays")
    assert local.order(kind="calibrate", values=[{"id": param, "value": stored}])["readback"][0]["ok"]


def test_over_rs485_the_pages_load_a_program(board):
    """Chosen, burnt with progress, checked, restarted [TA-4] [UC-7]"""
    pack, local = board
    body = random.Random(5).randbytes(12_000)
    image = struct.pack("<IIHHII8sI", MAGIC, 0, 32, 0, len(body), 0, bytes(8), 0) + body
    path = f"/vehicles/{ID}/upgrade?confirm={ID[-4:]}"
    assert local.post(path, image, "application/octet-stream")[0] == 202
    ended = wait_until(lambda: (now := local.get(f"/vehicles/{ID}/upgrade"))["state"] in ("done", "failed") and now, 30, "it ended")
    assert ended["state"] == "failed" and "contactors must be open" in ended["detail"]
    assert local.order(kind="calibrate", values=[{"id": id_of("vcu_orders"), "value": 1}])["state"] == "done"
    wait_until(lambda: "RL1 open" in Cable("--hub", pack.hub).ok("status"), 20, "the contactors are open")
    assert local.post(path, image, "application/octet-stream")[0] == 202
    seen = set()
    ended = wait_until(lambda: (now := local.get(f"/vehicles/{ID}/upgrade")) and (seen.add(now["sent"]) or now["state"] in ("done", "failed")) and now, 60, "it ended")
    assert ended["state"] == "done" and ended["sent"] == len(image), ended
    assert len(seen) > 2, "progress is seen"
    assert pack.slot.read_bytes()[: len(image)] == image
    wait_until(lambda: local.values()[id_of("vcu_orders")] == (0, 0), 20, "the board has restarted and was read again")


def test_a_board_with_other_tables_is_read_by_its_own_and_not_written(tmp_path):
    """Both hashes, its own names, ranges and values, and no write [UC-3]"""
    fake = FakeBoard(tmp_path)
    try:
        with serving("--rs485", fake.link) as local:
            path = f"/vehicles/{ID}/tables"
            tables = wait_until(lambda: (now := local.get(path))["board"] and now, 20, "the other tables are noticed")
            assert tables["board"] == f"{fake.hash:08x}" and tables["ours"] == fake.ours and tables["params"] == []
            assert local.ask("POST", path, b"{}")[0] == 403, "without the token nothing begins"
            assert local.post(path, b"{}")[0] == 202
            tables = wait_until(lambda: (now := local.get(path))["state"] in ("done", "failed") and now, 30, "they are read")
            rows = {row["name"]: row for row in tables["params"]}
            assert tables["state"] == "done" and len(rows) == len(fake.document["params"]) and PARAM not in rows
            assert (rows[NEW]["running"], rows[NEW]["unit"], rows[NEW]["min"], rows[NEW]["max"]) == (3, "furlong", -5, 5)
            assert rows[RENAMED]["max"] == fake.max
            op = local.order(kind="calibrate", values=[{"id": id_of(PARAM), "value": 60}])
            assert op["state"] == "failed" and tables["board"] in op["detail"] and fake.writes == 0
            fake.told = fake.hash ^ 1  # says another hash than its rows have
            assert local.post(path, b"{}")[0] == 202
            tables = wait_until(lambda: (now := local.get(path))["state"] == "failed" and now, 30, "damaged tables are refused")
            assert "damaged" in tables["detail"]
    finally:
        fake.stop()


def test_a_board_with_our_tables_has_no_others_to_read(board):
    _, local = board
    tables = local.get(f"/vehicles/{ID}/tables")
    assert tables["board"] is None and tables["state"] == "never"
    assert local.post(f"/vehicles/{ID}/tables", b"{}")[0] == 409


def raw(local, text, seconds=5):
    """The first line of the answer to bytes of one's own making; '' when there is none in time."""
    with socket.create_connection(("127.0.0.1", local.port), timeout=seconds) as s:
        s.sendall(text.encode())
        with contextlib.suppress(TimeoutError):
            return s.recv(4096).decode(errors="replace").split("\r\n")[0]
    return ""


def test_other_names_origins_and_sizes_are_refused(board):
    """A page of another site gets nothing: by its name (DNS rebinding), its origin, its size"""
    _, local = board
    host = f"Host: 127.0.0.1:{local.port}\r\n"
    session = "GET /api/v1/session HTTP/1.1\r\n"
    assert " 200 " in raw(local, session + host + "\r\n")
    for wrong in ("Host: evil.example\r\n", f"Host: evil.example:{local.port}\r\n", f"Host: 127.0.0.1.evil.example:{local.port}\r\n", "Host: 127.0.0.1:1\r\n"):
        assert " 421 " in raw(local, session + wrong + "\r\n"), wrong
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{local.port + 1}", f"https://127.0.0.1:{local.port}"):
        assert " 403 " in raw(local, session + host + f"Origin: {origin}\r\n\r\n"), origin
    assert " 200 " in raw(local, session + host + f"Origin: http://127.0.0.1:{local.port}\r\n\r\n")
    for site in ("cross-site", "same-site"):
        assert " 403 " in raw(local, session + host + f"Sec-Fetch-Site: {site}\r\n\r\n"), site
    for site in ("same-origin", "none"):
        assert " 200 " in raw(local, session + host + f"Sec-Fetch-Site: {site}\r\n\r\n"), site
    post = f"POST /api/v1/vehicles/{ID}/upgrade HTTP/1.1\r\n{host}X-CSRF: {local.csrf}\r\n"
    assert " 413 " in raw(local, post + f"Content-Type: application/octet-stream\r\nContent-Length: {(16 << 20) + 1}\r\n\r\n")
    assert " 413 " in raw(local, post + "Content-Type: application/json\r\nContent-Length: 10000000\r\n\r\n")
    assert " 403 " in raw(local, post.replace(local.csrf, "0" * 64) + "Content-Type: application/octet-stream\r\nContent-Length: 4\r\n\r\nabcd")


def test_slow_and_silent_clients_hold_nobody_up(board):
    _, local = board
    idle = []
    for _ in range(30):
        s = socket.create_connection(("127.0.0.1", local.port))
        s.sendall(b"GET /api/v1/sess")
        idle.append(s)
    began = time.monotonic()
    assert local.get("/session")["vehicle"] == ID
    assert time.monotonic() - began < 2
    for s in idle:
        s.close()
