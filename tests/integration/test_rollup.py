# SPDX-License-Identifier: Apache-2.0
"""Hours that are over are rolled up, late records make theirs anew, and a long history drawn from roll-ups says what the samples say."""
import subprocess

import pytest
from harness import Instance, wait_until
from harness.instance import program

DEVICE = "roll.load-0000"
RECORDS = 300  # of 60 samples, one a second: five hours that end now
SERIES = "cell_min_mV,cell_max_mV,pack_current_mA,soc_permyriad,temp_max_ddegC"
MINUTE, HOUR = 60_000, 3_600_000


@pytest.fixture(name="instance", scope="module")
def running():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLWARDEN_ROLLUP_PERIOD_S", "1")
        with Instance("rollup") as instance:
            instance.let_speak_for_all("roll.load")
            send(instance, seed=1)
            yield instance


def send(instance, seed):
    ca, certificate, key = instance.device_files("roll.load")
    command = [program("cellwarden-load"), "--uri", f"ssl://localhost:{instance.broker[1]}", "--ca", ca, "--cert", certificate, "--key", key, "--tenant", "roll",
               "--devices", 1, "--records", RECORDS, "--batch", 60, "--cells", 12, "--temps", 4, "--seed", seed, "--timeout-s", 60]
    subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=90)


def closed_hours(instance):
    """First and end, in ms, of the hours that every sample of the first run was in and that are over."""
    first, last = map(int, instance.psql("select (extract(epoch from min(first_at)) * 1000)::bigint, (extract(epoch from max(last_at)) * 1000)::bigint "
                                         "from record where tenant = 'roll'")[0])
    begin = -(-first // HOUR) * HOUR
    return begin, last // HOUR * HOUR


def wait_for_rollups(instance, samples):
    begin, end = closed_hours(instance)
    query = f"select count(*), coalesce(min(samples), 0) from rollup where tenant = 'roll' and hour >= to_timestamp({begin / 1000}) and hour < to_timestamp({end / 1000})"
    wait_until(lambda: instance.psql(query) == [[str((end - begin) // HOUR), str(samples)]], 200, "the hours are rolled up")
    wait_until(lambda: instance.psql("select count(*) from rollup_due") == [["0"]], 20, "nothing late is left")
    return begin, end


def history(instance, begin, end, px):
    answer = instance.api.call("GET", f"/vehicles/{DEVICE}/history?series={SERIES}&from={begin}&to={end}&px={px}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def gathered(fine, begin, end, width):
    """Buckets of this width from narrower ones: name -> [(count, min, max)]."""
    out = {}
    for name, one in fine["series"].items():
        buckets = [(0, None, None)] * ((end - begin) // width)
        for at, count, low, high in zip(fine["t"], one["count"], one["min"], one["max"]):
            if count and begin <= at < end:
                had, least, most = buckets[(at - begin) // width]
                buckets[(at - begin) // width] = (had + count, low if least is None else min(low, least), high if most is None else max(high, most))
        out[name] = buckets
    return out


def as_buckets(coarse):
    return {name: list(zip(one["count"], one["min"], one["max"])) for name, one in coarse["series"].items()}


@pytest.mark.parametrize("width", [MINUTE, 5 * MINUTE, HOUR])
def test_minutes_and_hours_say_what_the_samples_say(instance, width):
    """[FL-5] The fine answer decodes every record; the coarse one reads roll-ups."""
    begin, end = wait_for_rollups(instance, 3600)
    assert end - begin >= 3 * HOUR
    fine = {"t": [], "series": {}}
    for hour in range(begin, end, HOUR):
        part = history(instance, hour, hour + HOUR, 720)
        assert part["step_ms"] == 5000
        fine["t"] += part["t"]
        for name, one in part["series"].items():
            kept = fine["series"].setdefault(name, {"count": [], "min": [], "max": []})
            for member, values in kept.items():
                values += one[member]
    coarse = history(instance, begin, end, (end - begin) // width)
    assert coarse["step_ms"] == width
    assert as_buckets(coarse) == gathered(fine, begin, end, width)


def test_what_is_not_rolled_up_yet_joins_without_a_seam(instance):
    """[FL-5] From the first closed hour to now: the sum of the counts is the number of samples."""
    begin, _ = wait_for_rollups(instance, 3600)
    stored, last = map(int, instance.psql(
        "select sum(count), (extract(epoch from max(last_at)) * 1000)::bigint from record where tenant = 'roll'")[0])
    whole = history(instance, begin - 2 * HOUR, last + 1, 300)
    assert whole["step_ms"] % MINUTE == 0
    assert sum(whole["series"]["pack_current_mA"]["count"]) == stored == RECORDS * 60


def test_late_records_make_their_hours_anew(instance):
    """[FL-5] A second boot's samples of the same hours come now."""
    wait_for_rollups(instance, 3600)
    send(instance, seed=2)
    begin, end = closed_hours(instance)
    query = f"select min(samples) from rollup where tenant = 'roll' and hour >= to_timestamp({begin / 1000 + 3600}) and hour < to_timestamp({end / 1000})"
    wait_until(lambda: int(instance.psql(query)[0][0]) >= 7190, 30, "the hours have the late samples too")


def test_an_hour_whose_records_are_gone_keeps_its_roll_up(instance):
    """[FL-5]"""
    instance.psql("insert into rollup (tenant, device, hour, made_at, samples, whole, minutes) values ('roll', 'old', date_trunc('hour', now() - interval '9 h'), "
                  "now(), 10, '', ''); insert into rollup_due values ('roll', 'old', date_trunc('hour', now() - interval '9 h'), now())")
    wait_until(lambda: instance.psql("select count(*) from rollup_due") == [["0"]], 20, "worked off")
    assert instance.psql("select samples from rollup where device = 'old'") == [["10"]]
