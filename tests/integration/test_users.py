# SPDX-License-Identifier: Apache-2.0
"""Administrators make, change and remove users; what they take away is gone at once, and every write is in the audit trail."""
import json
import threading
import time

import pytest
from harness import Api

PASSWORD = "kd93-rqpa7sx"


@pytest.fixture
def crew(system):
    """Makes users by the API and removes them again. crew(name, role, tenant) -> a signed-in client"""
    made, number = [], [0]

    def make(name, role="viewer", tenant="test"):
        answer = system.api.call("POST", "/users", {"name": name, "role": role, "tenant": tenant, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        made.append(name)
        number[0] += 1
        one = Api(system.console, source=f"127.0.2.{number[0]}")
        assert one.sign_in(name, PASSWORD).status_code == 200
        return one

    yield make
    for name in made:
        system.api.call("DELETE", f"/users/{name}")


def problem(answer, status, code, field=None):
    assert answer.status_code == status, answer.text
    assert answer.json()["code"] == code and answer.json().get("field") == field, answer.text


def listed(api):
    return {one["name"]: one for one in api.get("/users")["users"]}


def audit(system, name):
    rows = system.psql(f"SELECT tenant, by, action, detail FROM audit WHERE detail->>'user' = '{name}' ORDER BY at, id")
    return [(tenant, by, action, json.loads(detail)) for tenant, by, action, detail in rows]


def test_a_user_is_made_shown_and_signs_in(system, crew):
    """[FL-5]"""
    one = crew("vera", "operator")
    assert one.get("/session")["role"] == "operator"
    row = listed(system.api)["vera"]
    assert (row["role"], row["tenant"], row["disabled"], row["of_file"], row["sessions"]) == ("operator", "test", False, False, 1)
    assert abs(row["created_at"] - time.time() * 1000) < 60_000
    assert listed(system.api)["admin"]["of_file"] is True
    again = system.api.call("POST", "/users", {"name": "vera", "role": "admin", "tenant": "*", "password": PASSWORD})
    problem(again, 409, "user_exists", "name")
    assert listed(system.api)["vera"]["role"] == "operator"


def test_the_hash_is_argon2id_and_the_password_is_nowhere(system, crew):
    """[FL-5]"""
    crew("vera")
    assert system.psql("SELECT password_hash LIKE '$argon2id$%' FROM app_user WHERE name = 'vera'") == [["t"]]
    everything = json.dumps(system.psql("SELECT * FROM app_user") + system.psql("SELECT * FROM audit")) + system.log("server")
    assert PASSWORD not in everything


@pytest.mark.parametrize("change, status, code, field", [
    ({"password": "short"}, 422, "password_rule", "password"), ({"password": "password1234"}, 422, "password_rule", "password"),
    ({"password": "new-vera-kd93-r"}, 422, "password_rule", "password"), ({"role": "root"}, 400, "bad_field", "role"),
    ({"name": "Vera"}, 400, "bad_field", "name"), ({"tenant": "te.st"}, 400, "bad_field", "tenant"), ({"surprise": 1}, 400, "bad_field", "surprise")])
def test_what_breaks_a_rule_makes_no_user(system, change, status, code, field):
    before = listed(system.api)
    body = {"name": "new-vera", "role": "viewer", "tenant": "test", "password": PASSWORD, **change}
    problem(system.api.call("POST", "/users", body), status, code, field)
    assert listed(system.api) == before


@pytest.mark.parametrize("method, path, body", [("GET", "/users", None), ("POST", "/users", {"name": "mallory", "role": "admin", "tenant": "*", "password": PASSWORD}),
                                                ("PATCH", "/users/vera", {"role": "admin"}), ("DELETE", "/users/vera", None)])
def test_only_an_administrator_gets_in(system, crew, method, path, body):
    """And none without the session's token [FL-5]"""
    for role in ("viewer", "operator", "engineer"):
        problem(crew(role[:3] + ".x", role).call(method, path, body), 403, "role")
    assert Api(system.console).call(method, path, body).status_code == 401
    if method != "GET":
        problem(system.api.call(method, path, body, csrf=False), 403, "csrf")
    assert "mallory" not in listed(system.api)


def test_a_new_role_counts_with_the_next_request(system, crew):
    one = crew("vera")
    problem(one.call("GET", "/users"), 403, "role")
    answer = system.api.call("PATCH", "/users/vera", {"role": "admin"})
    assert answer.status_code == 200 and answer.json()["role"] == "admin"
    assert set(listed(one)) == {"vera"}, "an administrator of one tenant sees that tenant's users"
    assert system.api.call("PATCH", "/users/vera", {"role": "viewer"}).status_code == 200
    problem(one.call("GET", "/users"), 403, "role")


def stream_of(one):
    """A thread that reads a stream until the server ends it, and when it was open."""
    open_ = threading.Event()

    def read():
        try:
            for name, _ in one.events("fleet", 30):
                open_.set()
        except OSError:
            pass

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    assert open_.wait(10)
    return thread


@pytest.mark.parametrize("change", [{"disabled": True}, {"password": "another-kd93-rq"}, {"tenant": "other"}, None])
def test_what_is_taken_away_is_gone_at_once(system, crew, change):
    """Sessions and streams of a disabled, removed or moved user, and of one with a new password: the next request, not within seconds [FL-5]"""
    one = crew("vera")
    stream = stream_of(one)
    assert one.call("GET", "/session").status_code == 200
    answer = system.api.call("DELETE" if change is None else "PATCH", "/users/vera", change)
    assert answer.status_code == (204 if change is None else 200)
    assert one.call("GET", "/session").status_code == 401
    stream.join(3)
    assert not stream.is_alive(), "the stream ends too"
    again = Api(system.console, source="127.0.2.99").sign_in("vera", PASSWORD)
    assert again.status_code == (200 if change == {"tenant": "other"} else 401)


def test_a_disabled_user_comes_back_as_he_was(system, crew):
    crew("vera", "operator")
    assert system.api.call("PATCH", "/users/vera", {"disabled": True}).json()["sessions"] == 0
    assert system.api.call("PATCH", "/users/vera", {"disabled": False}).json()["role"] == "operator"
    assert Api(system.console, source="127.0.2.98").sign_in("vera", PASSWORD).status_code == 200


def test_ones_own_new_password_keeps_the_session_that_set_it(system, crew):
    one = crew("boss", "admin", "*")
    other = Api(system.console, source="127.0.2.97")
    assert other.sign_in("boss", PASSWORD).status_code == 200
    assert one.call("PATCH", "/users/boss", {"password": "another-kd93-rq"}).status_code == 200
    assert one.call("GET", "/session").status_code == 200
    assert other.call("GET", "/session").status_code == 401


def test_everybody_changes_the_own_password_and_needs_the_old_one(system, crew):
    """The session that did it goes on, others end; guesses count as failed sign-ins [FL-5]"""
    one = crew("paula")  # this name, and the other client's address, are locked for a minute afterwards
    other = Api(system.console, source="127.0.2.96")
    assert other.sign_in("paula", PASSWORD).status_code == 200
    new = {"password": PASSWORD, "new_password": "another-kd93-rq"}
    problem(one.call("POST", "/session/password", {**new, "password": "not-this-one"}), 403, "wrong_password", "password")
    problem(one.call("POST", "/session/password", {**new, "new_password": "short"}), 422, "password_rule", "new_password")
    problem(one.call("POST", "/session/password", {"password": PASSWORD}), 400, "bad_field", "new_password")
    problem(one.call("POST", "/session/password", new, csrf=False), 403, "csrf")
    problem(system.api.call("POST", "/session/password", {**new, "password": system.password}), 409, "of_file", "new_password")
    assert one.call("POST", "/session/password", new).status_code == 204
    assert one.call("GET", "/session").status_code == 200 and other.call("GET", "/session").status_code == 401
    assert other.sign_in("paula", PASSWORD).status_code == 401 and other.sign_in("paula", new["new_password"]).status_code == 200
    assert audit(system, "paula")[-1][1:3] == ("paula", "change_user") and audit(system, "paula")[-1][3]["new_password"] is True
    guesses = [other.call("POST", "/session/password", {**new, "password": f"guess-number-{n}"}).status_code for n in range(8)]
    assert guesses[0] == 403 and guesses[-1] == 429


def test_the_last_administrator_stays(system, crew):
    """Neither removed nor disabled, moved or made less; two who remove each other at once do not both succeed [FL-5]"""
    for change in ({"disabled": True}, {"role": "engineer"}, {"tenant": "test"}):
        problem(system.api.call("PATCH", "/users/admin", change), 409, "last_admin")
    assert listed(system.api)["admin"]["role"] == "admin"
    one, two = crew("boss", "admin", "*"), crew("chief", "admin", "*")
    assert system.api.call("PATCH", "/users/admin", {"disabled": True}).status_code == 200
    answers = {}
    threads = [threading.Thread(target=lambda n=name, by=by: answers.update({n: by.call("PATCH", f"/users/{n}", {"role": "viewer"}).status_code}))
               for name, by in (("boss", two), ("chief", one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(answers.values())[0] == 200 and sorted(answers.values())[1] in (401, 403, 409), answers
    keeper = one if answers["boss"] != 200 else two
    assert keeper.call("PATCH", "/users/admin", {"disabled": False}).status_code == 200
    system._api = None  # its session ended when it was disabled


def test_the_user_of_the_password_file_is_changed_there(system):
    problem(system.api.call("DELETE", "/users/admin"), 409, "of_file")
    problem(system.api.call("PATCH", "/users/admin", {"password": PASSWORD}), 409, "of_file", "password")


def test_an_administrator_of_a_tenant_has_that_tenants_users_and_no_others(system, crew):
    """[FL-5]"""
    crew("vera", "viewer", "other")
    one = crew("tina", "admin", "test")
    assert set(listed(one)) == {"tina"}
    for method, body in (("PATCH", {"role": "admin"}), ("DELETE", None)):
        problem(one.call(method, "/users/vera", body), 404, "no_such_user")
        problem(one.call(method, "/users/nobody", body), 404, "no_such_user")
    for tenant in ("*", "other"):
        problem(one.call("POST", "/users", {"name": "mallory", "role": "viewer", "tenant": tenant, "password": PASSWORD}), 403, "tenant", "tenant")
        problem(one.call("PATCH", "/users/tina", {"tenant": tenant}), 403, "tenant", "tenant")
    assert listed(system.api)["vera"]["role"] == "viewer"


def test_every_write_is_in_the_audit_trail_with_before_and_after(system, crew):
    """[FL-4]"""
    crew("zoe", "viewer")
    system.api.call("PATCH", "/users/zoe", {"role": "engineer", "password": "another-kd93-rq"})
    system.api.call("PATCH", "/users/zoe", {"role": "root"})
    system.api.call("DELETE", "/users/zoe")
    before = {"role": "viewer", "tenant": "test", "disabled": False}
    after = {**before, "role": "engineer"}
    assert audit(system, "zoe")[-3:] == [
        ("test", "admin", "add_user", {"user": "zoe", "role": "viewer", "tenant": "test"}),
        ("test", "admin", "change_user", {"user": "zoe", "before": before, "after": after, "new_password": True}),
        ("test", "admin", "remove_user", {"user": "zoe", **after})]
