# SPDX-License-Identifier: Apache-2.0
"""What the HTTP interface refuses, and how it says so. After every refusal the server must still answer."""
import json
import socket

import pytest
from harness import Api

VEHICLE = "/vehicles/test.posix"
READS = ["/fleet/summary", "/fleet/rows", VEHICLE, f"{VEHICLE}/params", f"{VEHICLE}/history?series=cell_max_mV&from=0&to=1", "/catalogue",
         "/stream?topics=fleet", "/session", "/ops/1"]


def assert_problem(answer, status):
    """problem+json with everything that openapi.yaml promises."""
    statuses = status if isinstance(status, tuple) else (status,)
    assert answer.status_code in statuses, answer.text[:300]
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    problem = answer.json()
    assert {"title", "status", "code", "detail", "request_id"} <= set(problem)
    assert problem["status"] == answer.status_code
    return problem


@pytest.mark.parametrize("path", READS)
def test_nothing_is_read_without_a_login(system, path):
    """Every route but sign-in [FL-5]"""
    assert_problem(Api(system.console).call("GET", path), 401)


def test_nothing_is_written_without_a_login(system):
    """An operation that would be fine otherwise [FL-4]"""
    assert_problem(Api(system.console).call("POST", f"{VEHICLE}/ops", {"kind": "read"}), 401)


def test_a_made_up_session_is_refused(system):
    stranger = Api(system.console)
    stranger.http.cookies.set("cw_session", "A" * 43)
    assert_problem(stranger.call("GET", "/fleet/rows"), 401)


@pytest.mark.parametrize("user, password", [("admin", "wrong"), ("admin", ""), ("nobody", "wrong"), ("admin' or '1'='1", "x"), ("", "")])
def test_a_wrong_login_is_refused(system, user, password):
    """And the answer does not say which half was wrong [FL-5]"""
    stranger = Api(system.console, source="127.0.0.2")  # failures count for an address: not for the one of the other tests
    problem = assert_problem(stranger.call("POST", "/session", {"user": user, "password": password}), (400, 401, 422))
    assert "nobody" not in json.dumps(problem)


def test_guessing_is_slowed_down(system):
    """After a handful of failures the address must wait, and is told how long [FL-5]"""
    guesser = Api(system.console, source="127.0.0.3")
    answers = [guesser.call("POST", "/session", {"user": f"mallory{n}", "password": "x" * 12}) for n in range(12)]
    assert_problem(answers[-1], 429)
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert system.api.call("GET", "/session").status_code == 200


def test_a_write_without_the_csrf_token_is_refused(system):
    """The cookie alone is not enough [FL-4]"""
    assert_problem(system.api.call("POST", f"{VEHICLE}/ops", {"kind": "read"}, csrf=False), 403)


def test_signing_out_ends_the_session(system):
    one = Api(system.console)
    assert one.sign_in("admin", system.password).status_code == 200
    assert one.call("GET", "/session").status_code == 200
    assert one.call("DELETE", "/session").status_code == 204
    assert_problem(one.call("GET", "/session"), 401)


@pytest.mark.parametrize("path", ["/vehicles/test.unknown", "/vehicles/test.unknown/params", "/ops/424242", "/nowhere"])
def test_what_does_not_exist_is_not_found(system, path):
    assert_problem(system.api.call("GET", path), 404)


@pytest.mark.parametrize("raw", ["", "{", "[]", "null", '"x"', '{"kind":"read"', '{"kind":"read"}}', '{"kind":"read","kind":"flash"}', "{'kind':'read'}",
                                 '{"kind":7}', '{"kind":"explode"}', '{"kind":"read","surprise":1}', '{"kind":"calibrate","values":7}',
                                 '{"kind":"calibrate","values":[{"id":80}]}', '{"kind":"calibrate","values":[{"id":"80","value":50}]}',
                                 '{"kind":"calibrate","values":[{"id":80,"value":"50"}]}', '{"kind":"calibrate","values":[{"id":80,"value":50.5}]}',
                                 '{"kind":"calibrate","values":[{"id":80,"value":null}]}', '{"kind":"calibrate","values":[{"id":80,"value":1e99}]}',
                                 '{"kind":"calibrate","values":[{"id":80,"value":99999999999999999999}]}', '{"kind":"read","reason":"\\ud800"}',
                                 '{"kind":"calibrate","values":[' + ",".join('{"id":80,"value":50}' for _ in range(300)) + "]}"])
def test_malformed_and_wrongly_typed_bodies_are_refused(system, raw):
    """Each with a problem, none with an operation [FL-4]"""
    assert_problem(system.api.call("POST", f"{VEHICLE}/ops", raw=raw), (400, 422))


def test_invalid_utf8_is_refused(system):
    assert_problem(system.api.call("POST", f"{VEHICLE}/ops", raw=b'{"kind":"read","reason":"\xff\xfe"}'), (400, 422))


def test_every_wrong_value_is_reported_at_once_with_its_name(system):
    """One below the range, one above, one that is no parameter [AC-6]"""
    values = [{"id": 80, "value": 29}, {"id": 104, "value": 5001}, {"id": 9999, "value": 1}]
    problem = assert_problem(system.api.call("POST", f"{VEHICLE}/ops", {"kind": "calibrate", "values": values}), (400, 422))
    fields = {one.get("field") for one in problem["problems"]}
    assert {"balance_start_mV", "cell_over_voltage_limit"} <= fields
    assert len(problem["problems"]) == 3


def test_flash_wants_its_confirmation(system):
    """Neither without the last characters of the name nor without a reason [UC-5]"""
    values = [{"id": 80, "value": 60}]
    for body in ({"values": values}, {"values": values, "confirm": "osix"}, {"values": values, "confirm": "nope", "reason": "test"}):
        assert_problem(system.api.call("POST", f"{VEHICLE}/ops", {"kind": "flash", **body}), (400, 403, 422))


def test_an_oversized_body_is_refused(system):
    """One megabyte of blanks [FL-5]"""
    assert_problem(system.api.call("POST", f"{VEHICLE}/ops", raw="{" + " " * 1_000_000 + "}"), (400, 413))


@pytest.mark.parametrize("query", ["", "?series=cell_max_mV", "?series=nonsense&from=0&to=1000", "?series=cell_max_mV&from=5&to=1",
                                   "?series=cell_max_mV&from=x&to=1", "?series=cell_max_mV&from=0&to=1&px=99999",
                                   "?series=" + ",".join(f"cell_{n}_mV" for n in range(1, 12)) + "&from=0&to=1"])
def test_a_wrong_history_query_is_refused(system, query):
    assert_problem(system.api.call("GET", f"{VEHICLE}/history{query}"), (400, 422))


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "offset=-1", "sort=nonsense"])
def test_a_wrong_list_query_is_refused(system, query):
    assert_problem(system.api.call("GET", f"/fleet/rows?{query}"), (400, 422))


@pytest.mark.parametrize("junk", [b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00" * 20, b"GET / HTTP/1.1\r\n" + b"A: " + b"x" * 70000 + b"\r\n\r\n",
                                  b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n"])
def test_bytes_that_are_no_http_disturb_nobody(system, junk):
    host, port = system.fact("reach"), int(system.fact("console_port"))
    with socket.create_connection((host, port), timeout=5) as s:
        s.settimeout(2)
        try:
            s.sendall(junk)
            s.recv(4096)
        except OSError:
            pass
    assert system.api.call("GET", "/session").status_code == 200


def test_files_outside_the_console_are_not_served(system):
    host, port = system.fact("reach"), int(system.fact("console_port"))
    for path in ("/../../../../etc/passwd", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/assets/../../../../etc/passwd", "//etc/passwd"):
        with socket.create_connection((host, port), timeout=5) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while chunk := s.recv(65536):
                answer += chunk
        assert b"root:" not in answer
