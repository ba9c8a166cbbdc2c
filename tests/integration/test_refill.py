# SPDX-License-Identifier: Apache-2.0
"""What the database lost comes back from the device's journal by itself; what the journal does not have is lost, and says why."""
import subprocess

import pytest
from harness import Dtu, Instance, Pack, wait_until

DEVICE = "demo.refill"
OF_DEVICE = "tenant = 'demo' and device = 'refill'"


@pytest.fixture(name="system", scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refill")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLWARDEN_REFILL_PERIOD_S", "2")
        patch.setenv("CELLWARDEN_REFILL_SETTLE_S", "1")
        patch.setenv("CELLWARDEN_OP_EXPIRY_S", "20")
        with Instance("refill") as instance, Pack(folder, DEVICE, sample_ms=100) as pack:
            with Dtu(folder, DEVICE, pack.hub, instance, batch=2) as dtu:
                wait_until(lambda: stored(instance) >= 60, 60, "records are stored")
                yield instance, dtu, folder


def stored(instance):
    return int(instance.psql(f"select count(*) from record where {OF_DEVICE}")[0][0])


def newest(instance):
    """Epoch and number of the newest record."""
    epoch, seq = instance.psql(f"select epoch, seq from record where {OF_DEVICE} order by first_at desc, seq desc limit 1")[0]
    return epoch, int(seq)


def take_out(instance, epoch, first, last):
    """The database loses records; returns their bytes by number."""
    where = f"{OF_DEVICE} and epoch = {epoch} and seq between {first} and {last}"
    rows = dict(instance.psql(f"select seq, encode(record, 'hex') from record where {where}"))
    assert len(rows) == last - first + 1
    instance.psql(f"delete from record where {where}")
    return rows


def gaps(instance):
    now = int(instance.psql("select (extract(epoch from now()) * 1000)::bigint")[0][0])
    return instance.api.get(f"/vehicles/{DEVICE}/gaps?from={now - 86_400_000}&to={now + 60_000}")


def holes(instance):
    return {(h["first_seq"], h["last_seq"]): h["lost"] for h in gaps(instance)["missing"]}


def test_a_gap_is_filled_again_from_the_journal_bit_for_bit(system):
    """[FL-3] [FL-5]"""
    instance, _, _ = system
    epoch, last = newest(instance)
    lost = {**take_out(instance, epoch, 5, 24), **take_out(instance, epoch, 30, 30), **take_out(instance, epoch, last - 9, last - 4)}
    wait_until(lambda: gaps(instance)["records_missing"] == 0 and not gaps(instance)["missing"], 60, "the gap map is empty")
    assert gaps(instance)["records_lost"] == 0
    back = dict(instance.psql(f"select seq, encode(record, 'hex') from record where {OF_DEVICE} and epoch = {epoch}"))
    assert {seq: back[seq] for seq in lost} == lost
    assert instance.psql("select distinct state from op where kind = 'refill'") == [["done"]]


def test_what_the_journal_cannot_read_any_more_is_lost_and_says_why(system):
    """A rotten record is gone; one that the server refused stays refused [FL-5]"""
    instance, dtu, folder = system
    epoch, _ = newest(instance)
    wanted = {**take_out(instance, epoch, 10, 11), **take_out(instance, epoch, 14, 14)}
    dtu.stop()
    journal = bytearray((folder / "journal").read_bytes())
    for record in (bytes(255 - b for b in bytes.fromhex(wanted[seq])) for seq in ("11", "14")):  # the file holds flash inverted, so that blank is sparse
        at = journal.find(record)
        assert at > 0
        journal[at + 40] ^= 1
    (folder / "journal").write_bytes(journal)
    instance.psql(f"insert into poison (tenant, device, digest, reason, topic, epoch, seq, size, bytes, received_at) "
                  f"values ('demo', 'refill', 'x', 'body', 't', {epoch}, 14, 0, '', now())")
    dtu.start()
    wait_until(lambda: holes(instance) == {(11, 11): "gone", (14, 14): "refused"}, 60, "the rest is lost, with the reason")
    assert gaps(instance)["records_missing"] == 0 and gaps(instance)["records_lost"] == 2
    operations = instance.psql("select count(*) from op where kind = 'refill'")
    wait_until(lambda: newest(instance)[1] > 0 and "asked for" in instance.log("server"), 10, "the pass goes on")
    instance.psql("select pg_sleep(5)")
    assert instance.psql("select count(*) from op where kind = 'refill'") == operations, "nobody asks for what is lost"


def test_another_journal_has_nothing_of_the_old_one(system):
    """[FL-5]"""
    instance, dtu, folder = system
    epoch, _ = newest(instance)
    dtu.stop()
    (folder / "journal").unlink()
    dtu.start()
    wait_until(lambda: newest(instance)[0] != epoch, 60, "records of another epoch come")
    take_out(instance, epoch, 40, 44)
    wait_until(lambda: holes(instance).get((40, 44)) == "formatted", 60, "the journal that had it is gone")


@pytest.fixture
def jobs_rest(system):
    """Holds the jobs' lock: nobody asks but by hand."""
    instance, _, _ = system
    lock = subprocess.Popen(["psql", "-XAtq", instance.fact("conninfo")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lock.stdin.write("select 'held' from (select pg_advisory_lock(20260103)) l;\n")
    lock.stdin.flush()
    assert lock.stdout.readline() == "held\n"
    yield
    lock.communicate("\\q\n", timeout=10)


def by_hand(instance):
    now = int(instance.psql("select (extract(epoch from now()) * 1000)::bigint")[0][0])
    return instance.api.call("POST", f"/vehicles/{DEVICE}/refill", {"from": now - 86_400_000, "to": now})


def test_a_refill_by_hand_asks_for_the_oldest_hole_and_only_where_there_is_one(system, jobs_rest):
    """[FL-5]"""
    instance, _, _ = system
    wait_until(lambda: newest(instance)[1] > 30, 60, "records are stored")
    wait_until(lambda: instance.psql("select count(*) from op where kind = 'refill' and state in ('queued', 'sent')") == [["0"]], 30, "nothing is asked for")
    epoch, _ = newest(instance)
    lost = {**take_out(instance, epoch, 5, 7), **take_out(instance, epoch, 12, 12)}
    for first, last in ((5, 7), (12, 12)):
        answer = by_hand(instance)
        assert answer.status_code == 202, answer.text
        op = answer.json()["op"]
        assert answer.headers["Location"] == f"/api/v1/ops/{op}"
        assert instance.psql(f"select by, kind, values->0->>'first', values->0->>'last' from op where id = '{op}'") == [["admin", "refill", str(first), str(last)]]
        wait_until(lambda: instance.api.get(f"/ops/{op}")["state"] == "done", 30, "the journal gave what was asked for")
    back = dict(instance.psql(f"select seq, encode(record, 'hex') from record where {OF_DEVICE} and epoch = {epoch}"))
    assert {seq: back[seq] for seq in lost} == lost
    operations = instance.psql("select count(*) from op where kind = 'refill'")
    answer = by_hand(instance)
    assert (answer.status_code, answer.json()) == (200, {"op": None}), "what is lost for good is not asked for"
    assert instance.psql("select count(*) from op where kind = 'refill'") == operations


def test_a_refill_of_no_span_is_refused(system):
    """[FL-5]"""
    instance, _, _ = system
    refused = instance.api.call("POST", f"/vehicles/{DEVICE}/refill", {"from": 5, "to": 5})
    assert refused.status_code == 400 and refused.json()["field"] == "to"
    assert instance.api.call("POST", f"/vehicles/{DEVICE}/ops", {"kind": "refill"}).status_code == 400
