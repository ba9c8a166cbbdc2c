# SPDX-License-Identifier: Apache-2.0
"""A whole vehicle leaves one instance in a file and is the same in another, bit for bit; a bad file changes nothing."""
import json
import subprocess

import pytest
from harness import Instance, wait_until
from harness.instance import program

DEVICE = "move.load-0000"
OF_DEVICE = "tenant = 'move' and device = 'load-0000'"
TABLES = ["record", "latest", "alarm_span", "op", "param_reported", "param_state", "audit", "rollup", "gap_lost", "poison"]


@pytest.fixture(name="instances", scope="module")
def running():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLWARDEN_ROLLUP_PERIOD_S", "1")
        patch.setenv("CELLWARDEN_REFILL_PERIOD_S", "0")
        with Instance("vehicle-from") as source, Instance("vehicle-to") as target:
            fill(source)
            yield source, target


def fill(instance):
    """Records, alarms, hours by the server; the rest as the server would write it."""
    ca, certificate, key = instance.device_files(DEVICE)
    command = [program("cellwarden-load"), "--uri", f"ssl://localhost:{instance.broker[1]}", "--ca", ca, "--cert", certificate, "--key", key, "--tenant", "move",
               "--devices", 1, "--records", 130, "--batch", 60, "--cells", 48, "--temps", 12, "--alarms", 50, "--timeout-s", 60]
    subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=90)
    wait_until(lambda: int(instance.psql(f"select count(*) from rollup where {OF_DEVICE}")[0][0]) >= 1, 60, "an hour is rolled up")
    instance.psql(
        "insert into op (tenant, device, id, kind, values, by, state, created_at, changed_at, expires_at) select 'move', 'load-0000', id, 'read', '[{\"x\": 1.50}]', 'me', "
        "state, now(), now(), now() + interval '1 hour' from (values ('a', 'done'), ('b', 'failed'), ('c', 'queued')) v(id, state); "
        "insert into param_reported values ('move', 'load-0000', 104, 4200, null, -1, now()); insert into param_state values ('move', 'load-0000', 1, 4294967295, 3, now()); "
        "insert into audit (tenant, device, by, action) values ('move', 'load-0000', 'mö', 'read'); "
        "insert into gap_lost values ('move', 'load-0000', -5, 1, 9, 'gone', now()); "
        "insert into poison (tenant, device, digest, reason, topic, size, bytes, received_at) values ('move', 'load-0000', '\\x00ff', 'body', 't', 1, '\\x00', now())")


def content(instance):
    """Every row of the vehicle that goes along, each as the text of all its columns, but when an hour was made."""
    wanted = {name: f"select (to_jsonb(t) - 'made_at')::text from {name} t where {OF_DEVICE} order by 1" for name in TABLES}
    wanted["op"] = wanted["op"].replace("order", "and state not in ('queued', 'sent') order")
    return {name: instance.psql(sql) for name, sql in wanted.items()}


def settled_export(instance, file):
    """What was there before an export and still was when it had ended, and what the export said: the jobs may work in between."""
    for _ in range(20):
        before = content(instance)
        done = vehicle(instance, "export", "--device", DEVICE, file)
        if content(instance) == before:
            return before, *done
    pytest.fail("the vehicle never stood still")


def vehicle(instance, *words):
    done = subprocess.run([str(word) for word in (program("cellwarden-vehicle"), *words, "--database", instance.fact("conninfo"))], capture_output=True, text=True, timeout=120)
    return done.returncode, json.loads(done.stdout) if done.returncode == 0 else done.stderr


def test_a_vehicle_is_the_same_in_another_instance_and_comes_in_once(instances, tmp_path):
    """[FL-3] [FL-5]"""
    source, target = instances
    before, code, out = settled_export(source, tmp_path / "file")
    assert code == 0 and out["device"] == DEVICE and out["rows"]["record"] == 130 and out["rows"]["op"] == len(before["op"]) >= 2, out
    assert all(out["rows"][name] > 0 for name in TABLES), out
    code, taken = vehicle(target, "import", tmp_path / "file")
    assert code == 0 and taken["rows"] == taken["new"] == out["rows"], taken
    assert not any('"id": "c"' in row[0] for row in before["op"]), "what waits for its result stays"
    assert content(target) == before
    code, again = vehicle(target, "import", tmp_path / "file")
    assert code == 0 and again["rows"] == out["rows"] and set(again["new"].values()) == {0}, again
    assert content(target) == before
    code, back = vehicle(target, "export", "--device", DEVICE, tmp_path / "back")
    assert code == 0 and back["rows"] == out["rows"] and (tmp_path / "back").stat().st_size == (tmp_path / "file").stat().st_size


@pytest.mark.parametrize("change, wins", [("no = no - 1", "file"), ("no = no + 1", "instance"), ("boot = boot + 1, measured_at = measured_at - interval '1 ms'", "file"),
                                          ("boot = boot + 1, measured_at = measured_at + interval '1 ms'", "instance")])
def test_the_newest_state_wins_whoever_has_it(instances, tmp_path, change, wins):
    """Of one start of the board by the sample's number, of two by time [FL-3]"""
    source, target = instances
    assert vehicle(source, "export", "--device", DEVICE, tmp_path / "file")[0] == 0
    target.psql(f"delete from latest where {OF_DEVICE}")
    assert vehicle(target, "import", tmp_path / "file")[0] == 0
    theirs = content(target)["latest"]
    target.psql(f"update latest set {change}, received_at = now(), record = '\\x00' where {OF_DEVICE}")
    ours = content(target)["latest"]
    code, taken = vehicle(target, "import", tmp_path / "file")
    assert code == 0 and taken["new"]["latest"] == (wins == "file"), taken
    assert content(target)["latest"] == (theirs if wins == "file" else ours)


def test_the_newest_reading_of_the_parameters_wins(instances, tmp_path):
    """[FL-3]"""
    source, target = instances
    assert vehicle(source, "export", "--device", DEVICE, tmp_path / "file")[0] == 0
    for table, change in (("param_reported", "running = 1"), ("param_state", "running_hash = 1")):
        theirs = content(source)[table]
        for by, expected in (("- interval '1 ms'", theirs), ("+ interval '1 ms'", None)):
            target.psql(f"update {table} set {change}, read_at = read_at {by} where {OF_DEVICE}")
            ours = content(target)[table]
            assert vehicle(target, "import", tmp_path / "file")[0] == 0
            assert content(target)[table] == (expected or ours), (table, by)
        target.psql(f"delete from {table} where {OF_DEVICE}")
    assert vehicle(target, "import", tmp_path / "file")[0] == 0


def test_a_bad_file_is_refused_with_the_reason_and_changes_nothing(instances, tmp_path):
    """[FL-3]"""
    source, target = instances
    assert vehicle(source, "export", "--device", DEVICE, tmp_path / "file")[0] == 0
    target.psql("; ".join(f"delete from {name} where {OF_DEVICE}" for name in TABLES))
    whole = (tmp_path / "file").read_bytes()
    flipped = [bytes(whole[:at]) + bytes([whole[at] ^ 4]) + bytes(whole[at + 1:]) for at in (30, len(whole) // 2, len(whole) - 2)]
    for bad, why in [(whole[:-1], "cut short"), (whole[:len(whole) // 2], "cut short"), (whole + b"\0", "damaged"), (b"", "not a vehicle file"),
                     (b"x" + whole[1:], "not a vehicle file"), (whole[:8] + b"\2" + whole[9:], "version"), *((one, "damaged") for one in flipped)]:
        (tmp_path / "bad").write_bytes(bad)
        code, said = vehicle(target, "import", tmp_path / "bad")
        assert code == 1 and why in said and "nothing was imported" in said, said
        assert not any(content(target).values())
    code, said = vehicle(target, "import", tmp_path / "none")
    assert code == 1 and "cannot be read" in said


def test_rows_that_no_vehicle_sends_are_refused_whole(instances, tmp_path):
    """A file that is whole, with a record that is not [FL-3]"""
    source, target = instances
    first = source.psql(f"select min(seq) from record where {OF_DEVICE}")[0][0]
    source.psql(f"update record set record = set_byte(record, 60, 255 - get_byte(record, 60)) where {OF_DEVICE} and seq = {first}")
    assert vehicle(source, "export", "--device", DEVICE, tmp_path / "file")[0] == 0
    code, said = vehicle(target, "import", tmp_path / "file")
    assert code == 1 and "not what a vehicle sends" in said
    assert not any(content(target).values())


def test_words_that_make_no_sense_are_refused(instances, tmp_path):
    """[FL-3]"""
    source, _ = instances
    assert vehicle(source, "export", tmp_path / "file")[0] == 2
    assert vehicle(source, "import", "--device", DEVICE, tmp_path / "file")[0] == 2
    assert vehicle(source, "burn", tmp_path / "file")[0] == 2
    code, said = vehicle(source, "export", "--device", "move.nobody", tmp_path / "file")
    assert code == 1 and "knows nothing" in said and not (tmp_path / "file").exists()
    code, said = vehicle(source, "export", "--device", "x'; drop table op; --", tmp_path / "file")
    assert code == 1 and "not the name" in said
