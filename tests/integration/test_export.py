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
        instance.let_speak_for_all("out.load")
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


def test_missing_records_and_silences_are_named(measured):
    """[FL-5] Two records taken out of the middle of the table, and one whose refusal is known."""
    instance, truth = measured
    query = f"/vehicles/{DEVICE}/gaps?{span(truth)}"
    assert instance.api.get(query)["missing"] == [] and instance.api.get(query)["silences"] == []
    epoch = instance.psql("select epoch from record where tenant = 'out' limit 1")[0][0]
    instance.psql("delete from record where tenant = 'out' and seq in (50, 51, 120); insert into poison (tenant, device, digest, reason, topic, epoch, seq, size, "
                  f"bytes, received_at) values ('out', 'load-0000', 'x', 'corrupt', 't', {epoch}, 120, 1, 'x', now())")
    gaps = instance.api.get(query)
    assert [(g["first_seq"], g["last_seq"], g["records"], g["refused"]) for g in gaps["missing"]] == [(50, 51, 2, 0), (120, 120, 1, 1)]
    assert gaps["missing"][0]["epoch"] == f"{int(epoch) % 2**64:016x}" and gaps["records_missing"] == 3
    assert (gaps["missing"][0]["after"], gaps["missing"][0]["before"]) == (truth[49 * 60][0], truth[51 * 60 + 1][0])
    assert instance.api.get(query + "&silence_s=121")["silences"] == [{"after": truth[49 * 60][0], "before": truth[51 * 60 + 1][0]}]
    assert len(instance.api.get(query + "&silence_s=61")["silences"]) == 2
    assert instance.api.get(query + "&silence_s=122")["silences"] == []


@pytest.mark.parametrize("query", ["", "from=1", "from=5&to=5", "from=0&to=99999999999999", "from=0&to=1&silence_s=0", "from=0&to=1&silence_s=86401"])
def test_a_wrong_question_for_gaps_is_refused(measured, query):
    """[FL-5]"""
    assert measured[0].api.call("GET", f"/vehicles/{DEVICE}/gaps?{query}").status_code == 400
