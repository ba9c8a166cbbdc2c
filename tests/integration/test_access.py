# SPDX-License-Identifier: Apache-2.0
"""Who sees and does what: roles and tenants, sessions over a restart, the files of the console, a database that is away."""
import json
import time

import pytest
from harness import Api, wait_until

DEVICE = "test.posix"


@pytest.fixture(scope="module")
def people(system):
    """One user per role and one of another tenant, all with the administrator's password. name -> signed-in client"""
    users = {"vera": ("viewer", "test"), "olga": ("operator", "test"), "emil": ("engineer", "test"), "otto": ("engineer", "other")}
    for name, (role, tenant) in users.items():
        system.psql(f"INSERT INTO app_user (name, role, tenant, password_hash) SELECT '{name}', '{role}', '{tenant}', password_hash"
                    " FROM app_user WHERE name = 'admin' ON CONFLICT DO NOTHING")
    clients = {}
    for number, name in enumerate(users):
        clients[name] = Api(system.console, source=f"127.0.1.{number + 1}")
        assert clients[name].sign_in(name, system.password).status_code == 200
    wait_until(lambda: system.api.vehicles().get(DEVICE), 60, f"{DEVICE} is known")
    yield clients
    system.psql(f"DELETE FROM app_user WHERE name IN ({', '.join(repr(name) for name in users)})")


def test_a_session_says_its_role(people):
    assert {name: one.get("/session")["role"] for name, one in people.items()} == {"vera": "viewer", "olga": "operator", "emil": "engineer",
                                                                                   "otto": "engineer"}


@pytest.mark.parametrize("name, kind, status", [("vera", "read", 403), ("vera", "calibrate", 403), ("olga", "read", 202), ("olga", "calibrate", 403),
                                                ("olga", "restart", 403), ("olga", "flash", 403), ("emil", "calibrate", 422), ("otto", "read", 404)])
def test_an_operation_needs_its_role(people, name, kind, status):
    """An engineer's empty calibration gets as far as its values [UC-5]"""
    answer = people[name].call("POST", f"/vehicles/{DEVICE}/ops", {"kind": kind})
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("path", ["", "/params", "/history?series=soc_permyriad&from=0&to=1000"])
def test_another_tenants_vehicle_is_not_there(people, path):
    """Nothing tells it from a vehicle that does not exist [FL-5]"""
    seen = people["otto"].call("GET", f"/vehicles/{DEVICE}{path}")
    made_up = people["otto"].call("GET", f"/vehicles/other.unknown{path}")
    assert seen.status_code == made_up.status_code == 404
    assert {**seen.json(), "request_id": 0} == {**made_up.json(), "request_id": 0}
    assert people["vera"].call("GET", f"/vehicles/{DEVICE}{path}").status_code == 200


def test_another_tenants_vehicles_are_in_no_list_and_no_stream(system, people):
    assert people["otto"].get("/fleet/rows")["total"] == 0
    assert sum(people["otto"].get("/fleet/summary")["counts"].values()) == 0
    assert people["vera"].get("/fleet/rows")["total"] >= 1
    names = []
    with people["otto"].http.get(people["otto"].base + "/stream", params={"topics": f"fleet,v:{DEVICE}"}, stream=True, timeout=20) as answer:
        end = time.monotonic() + 12  # a tick comes at least each 10 s
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            if line.startswith("event: "):
                names.append(line[7:])
            if time.monotonic() > end or "tick" in names:
                break
    assert set(names) <= {"hello", "tick"}


def test_a_disabled_user_is_out_within_seconds(system, people):
    assert people["olga"].call("GET", "/session").status_code == 200
    system.psql("UPDATE app_user SET disabled = true WHERE name = 'olga'")
    wait_until(lambda: people["olga"].call("GET", "/session").status_code == 401, 20, "the session of a disabled user ends", every=1)
    assert Api(system.console, source="127.0.1.9").sign_in("olga", system.password).status_code == 401


def test_the_token_is_not_in_the_database(system, people):
    token = people["vera"].http.cookies["cw_session"]
    assert token not in json.dumps(system.psql("SELECT * FROM app_session"))


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(system):
    one = Api(system.console)
    cookie = one.sign_in("admin", system.password).headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Secure" not in cookie
    body = {"user": "admin", "password": system.password}
    behind = one.call("POST", "/session", body, headers={"X-Forwarded-Proto": "https"})
    assert "; Secure" in behind.headers["Set-Cookie"]


def test_the_catalogue_is_fetched_once(system):
    first = system.api.call("GET", "/catalogue")
    assert first.status_code == 200 and len(first.json()["params"]) > 50
    again = system.api.call("GET", "/catalogue", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and again.text == ""


def test_every_page_of_the_console_has_its_headers(system):
    for path in ("/", "/fleet", f"/v/{DEVICE}/cells"):
        answer = system.api.http.get(system.console + path, timeout=5)
        assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-cache"
        again = system.api.http.get(system.console + path, timeout=5, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
    assert system.api.http.get(system.console + "/assets/no-such-file.js", timeout=5).status_code == 404


def test_a_session_outlives_a_restart_of_the_server(system):
    """[FL-5]"""
    one = Api(system.console)
    assert one.sign_in("admin", system.password).status_code == 200
    system.kill_and_wait("server")

    def answers():
        try:
            return one.call("GET", "/session").status_code == 200
        except OSError:
            return False

    wait_until(answers, 20, "the session is good again")
    wait_until(lambda: one.http.get(system.console + "/readyz", timeout=5).status_code == 200, 60, "the server is ready again")


def test_a_request_has_an_id_that_its_problem_repeats(system):
    answer = system.api.call("GET", "/vehicles/test.unknown")
    assert answer.headers["X-Request-Id"] == answer.json()["request_id"]
    assert answer.headers["X-Request-Id"] != system.api.call("GET", "/vehicles/test.unknown").headers["X-Request-Id"]


def test_health_and_metrics_need_no_login(system):
    stranger = Api(system.console)
    assert stranger.http.get(system.console + "/healthz", timeout=5).json() == {"status": "ok"}
    assert stranger.http.get(system.console + "/readyz", timeout=5).json() == {"status": "ready"}
    text = stranger.http.get(system.console + "/metrics", timeout=5).text
    assert "cellwarden_http_requests_total{class=\"ok\"}" in text and "cellwarden_build_info" in text
