# SPDX-License-Identifier: Apache-2.0
"""The event stream over a real connection: what comes first, what comes after a cut, and when it ends."""
import json
import time

import pytest
from harness import Api, wait_until

DEVICE = "test.posix"


def read(api, topics="", seconds=10.0, last_id=None, until=None):
    """Events as (id, name, data), for so long or until until(events) is true."""
    events, block = [], {}
    end = time.monotonic() + seconds
    headers = {"Last-Event-ID": last_id} if last_id else {}
    with api.http.get(api.base + "/stream", params={"topics": topics}, headers=headers, stream=True, timeout=(5, 20)) as answer:
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "text/event-stream"
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            if line:
                name, _, value = line.partition(": ")
                block[name] = value
            elif "data" in block:
                events.append((block["id"], block["event"], json.loads(block["data"])))
                block = {}
            if time.monotonic() > end or (until and until(events)):
                break
    return events


def named(events, name):
    return [data for _, kind, data in events if kind == name]


@pytest.fixture
def visitor(system):
    """A session of its own."""
    one = Api(system.console)
    assert one.sign_in("admin", system.password).status_code == 200
    return one


def test_hello_comes_first_and_names_the_stream(visitor):
    events = read(visitor, until=lambda seen: seen)
    _, name, hello = events[0]
    assert name == "hello"
    assert len(hello["sid"]) == 32 and hello["api"] == 1 and hello["build"]
    assert abs(hello["server_time"] - time.time() * 1000) < 5000


def test_a_watched_vehicle_sends_every_sample_once_and_in_order(system, visitor):
    """[FL-5]"""
    wait_until(lambda: system.api.vehicles().get(DEVICE, {}).get("online"), 60, f"{DEVICE} is online")
    events = read(visitor, f"v:{DEVICE}", 20, until=lambda seen: len(named(seen, "v.frame")) >= 8)
    frames = named(events, "v.frame")
    assert len(frames) >= 8
    numbers = [frame["no"] for frame in frames[2:]]  # the first may have waited for its record to fill
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert all(len(frame["cell_mV"]) == 20 for frame in frames)
    assert {frame["id"] for frame in frames} == {DEVICE}


def test_what_was_missed_comes_after_the_cut(visitor):
    """Every frame between the last one seen and now, and no resync [FL-5]"""
    before = read(visitor, f"v:{DEVICE}", 20, until=lambda seen: len(named(seen, "v.frame")) >= 4)
    time.sleep(4)
    after = read(visitor, f"v:{DEVICE}", 10, last_id=before[-1][0], until=lambda seen: len(named(seen, "v.frame")) >= 6)
    assert not named(after, "resync")
    numbers = [frame["no"] for frame in named(before, "v.frame")[-2:] + named(after, "v.frame")]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("last_id", ["0123456789abcdef-7", "nonsense", "-"])
def test_an_unknown_place_is_answered_by_resync(visitor, last_id):
    events = read(visitor, last_id=last_id, until=lambda seen: len(seen) >= 2)
    assert [name for _, name, _ in events[:2]] == ["hello", "resync"]


def test_topics_change_without_a_new_connection(visitor):
    changed = []

    def change(seen):
        if seen and not changed:
            sid = seen[0][2]["sid"]
            other = Api(visitor.base.removesuffix("/api/v1"))
            other.http.cookies.update(visitor.http.cookies)
            other.csrf = visitor.csrf
            changed.append(other.call("POST", f"/stream/{sid}/topics", {"topics": [f"v:{DEVICE}"]}).status_code)
        return named(seen, "v.frame")

    assert named(read(visitor, "", 20, until=change), "v.frame")
    assert changed == [204]


def test_topics_of_somebody_elses_stream_cannot_be_changed(system, visitor):
    sid = read(visitor, until=lambda seen: seen)[0][2]["sid"]
    for name in (sid, "0" * 32, "x"):
        answer = system.api.call("POST", f"/stream/{name}/topics", {"topics": ["fleet"]})
        assert answer.status_code == 404
        assert answer.json()["code"] == "no_such_stream"


@pytest.mark.parametrize("body", [{}, {"topics": "fleet"}, {"topics": ["v:"]}, {"topics": ["v:a.b.c"]}, {"topics": ["fleet"] * 33}, {"topics": [1]}])
def test_wrong_topics_are_refused(visitor, body):
    assert visitor.call("POST", "/stream/0/topics", body).status_code == 400


def test_signing_out_ends_the_stream_and_says_so(visitor):
    done = []

    def sign_out(seen):
        if seen and not done:
            other = Api(visitor.base.removesuffix("/api/v1"))
            other.http.cookies.update(visitor.http.cookies)
            other.csrf = visitor.csrf
            done.append(other.call("DELETE", "/session").status_code)
        return False

    began = time.monotonic()
    events = read(visitor, "fleet", 30, until=sign_out)
    assert done == [204]
    assert events[-1][1] == "auth"
    assert time.monotonic() - began < 5


def test_a_session_has_a_limit_of_streams(visitor):
    """The seventeenth is refused; the others go on"""
    opened = []
    try:
        for _ in range(17):
            opened.append(visitor.http.get(visitor.base + "/stream", stream=True, timeout=5))
        assert [answer.status_code for answer in opened] == [200] * 16 + [429]
    finally:
        for answer in opened:
            answer.close()
