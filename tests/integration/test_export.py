# SPDX-License-Identifier: Apache-2.0
"""The samples of a span as CSV and as JSON lines: what a spreadsheet reads is what was measured."""
import csv
import io
import json
import struct
import subprocess
import time

import pytest
from harness import Instance, wait_until
from harness.instance import program

DEVICE = "out.load-0000"
RECORDS, CELLS, TEMPS = 200, 12, 4


@pytest.fixture(name="measured", scope="module")
def sent():
    """A running server with one vehicle's samples, and what was measured: no -> (utc_ms, cells, temperatures)."""
    with Instance("export") as instance:
        acl = instance.var / "mosquitto.acl"
        acl.write_text(f"{acl.read_text()}\nuser out.load\ntopic write cw/v1/+/up/#\ntopic read cw/v1/+/down/#\n")
        instance.kill_and_wait("broker")
        wait_until(lambda: instance.api.http.get(instance.console + "/readyz", timeout=5).status_code == 200, 30, "the server is back")
        ca, certificate, key = instance.device_files("out.load")
        command = [program("cellwarden-load"), "--uri", f"ssl://localhost:{instance.broker[1]}", "--ca", ca, "--cert", certificate, "--key", key, "--tenant", "out",
                   "--devices", 1, "--records", RECORDS, "--batch", 60, "--cells", CELLS, "--temps", TEMPS, "--truth", instance.var, "--truth-devices", 1,
                   "--timeout-s", 60]
        subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=90)
        wait_until(lambda: instance.api.call("GET", f"/vehicles/{DEVICE}").status_code == 200, 20, "the vehicle is there")
        yield instance, read_truth((instance.var / f"{DEVICE}.truth").read_bytes())


def read_truth(data):
    entry = struct.Struct(f"<IIQHH{2 * CELLS}H{TEMPS}h")
    rows = {}
    for at in range(len(data) % entry.size, len(data), entry.size):
        _, no, utc, _, _, *values = entry.unpack_from(data, at)
        rows[no] = (utc, values[:CELLS], values[2 * CELLS:])
    return rows


def export(instance, query, **kwargs):
    return instance.api.call("GET", f"/vehicles/{DEVICE}/export?{query}", **kwargs)


def span(truth):
    times = [utc for utc, *_ in truth.values()]
    return f"from={min(times)}&to={max(times) + 1}"


def names():
    return [f"cell_{i + 1}_mV" for i in range(CELLS)], [f"temp_{i + 1}_ddegC" for i in range(TEMPS)]


def test_a_spreadsheet_reads_what_was_measured(measured):
    """[FL-5]"""
    instance, truth = measured
    answer = export(instance, span(truth))
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/csv")
    assert DEVICE in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    cells, temps = names()
    read = {int(row["no"]): (int(row["utc_ms"]), [int(row[c]) for c in cells], [int(row[t]) for t in temps]) for row in rows}
    assert len(rows) == RECORDS * 60 and read == truth
    assert rows[0]["soh_permyriad"] == "", "a value that is not there is empty"
    assert [int(row["utc_ms"]) for row in rows] == sorted(int(row["utc_ms"]) for row in rows)


def test_json_lines_say_the_same(measured):
    """[FL-5]"""
    instance, truth = measured
    lines = [json.loads(line) for line in export(instance, span(truth) + "&format=ndjson&series=cell_3_mV,soh_permyriad").text.splitlines()]
    assert {line["no"]: line["cell_3_mV"] for line in lines} == {no: cells[2] for no, (_, cells, _) in truth.items()}
    assert all(line["soh_permyriad"] is None for line in lines)


def test_a_span_is_cut_to_the_millisecond(measured):
    """[FL-5]"""
    instance, truth = measured
    first = truth[1000][0]
    text = export(instance, f"from={first}&to={truth[1100][0]}&series=cell_1_mV").text
    assert [int(row["no"]) for row in csv.DictReader(io.StringIO(text))] == list(range(1000, 1100))
    assert len(export(instance, f"from=0&to={truth[1][0]}").text.splitlines()) == 1, "the head alone"


def test_a_step_keeps_what_was_seen(measured):
    """[FL-5]"""
    instance, truth = measured
    rows = list(csv.DictReader(io.StringIO(export(instance, span(truth) + "&step_ms=60000&series=cell_1_mV").text)))
    want = {}
    for utc, cells, _ in truth.values():
        want.setdefault(utc // 60000 * 60000, []).append(cells[0])
    assert {int(r["utc_ms"]): (int(r["samples"]), int(r["cell_1_mV_min"]), int(r["cell_1_mV_max"])) for r in rows} == {
        at: (len(values), min(values), max(values)) for at, values in want.items()}


def test_the_first_byte_does_not_wait_for_the_last(measured):
    """[FL-5] A reader that goes away, and one that is slow, hold nothing up."""
    instance, truth = measured
    for _ in range(12):  # more than may run at once
        with export(instance, span(truth), stream=True) as answer:
            assert answer.status_code == 200 and next(answer.iter_content(64))
    wait_until(lambda: export(instance, span(truth) + "&series=cell_1_mV").status_code == 200, 30, "exports whose readers left make room")


def test_too_many_at_once_are_told_so(measured):
    """[FL-5]"""
    instance, truth = measured
    wait_until(lambda: export(instance, span(truth) + "&series=cell_1_mV").status_code == 200, 30, "room")
    time.sleep(0.5)
    answers = [export(instance, span(truth), stream=True) for _ in range(9)]
    try:
        assert [a.status_code for a in answers].count(503) >= 1 and answers[0].status_code == 200
    finally:
        for answer in answers:
            answer.close()


@pytest.mark.parametrize("query", ["", "from=1", "from=5&to=5", "from=9&to=1", "from=0&to=1&format=xml", "from=0&to=1&series=nothing", "from=0&to=1&step_ms=-1",
                                   "from=0&to=1&step_ms=86400001"])
def test_a_wrong_query_is_refused(measured, query):
    """[FL-5]"""
    answer = export(measured[0], query)
    assert answer.status_code == 400 and answer.json()["field"]
