# SPDX-License-Identifier: Apache-2.0
"""What lets more processes and more machines share the work: a pooler in between, jobs that one process does. Statements for a cluster: test_citus.py."""
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest
from harness import ROOT, Api, Instance, free_port, wait_until
from harness.instance import program

DEVICE = "pool.load-0000"


@pytest.fixture(name="instance", scope="module")
def running():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"JOBS_PERIOD_S": 86400, "ROLLUP_PERIOD_S": 3600, "REFILL_PERIOD_S": 0}.items():
            patch.setenv(f"CELLWARDEN_{name}", str(value))
        with Instance("scale-out") as instance:
            yield instance


class Server:
    """One more cellwarden-server beside the instance's own."""

    def __init__(self, instance, folder, database, **options):
        pki = instance.var / "pki"
        self.log = folder / f"server-{free_port()}.log"
        words = {"database": database, "broker": f"localhost:{instance.service[1]}", "ca": pki / "ca.crt", "cert": pki / "server.crt",
                 "key": pki / "server.key", "migrations": ROOT / "deploy/sql", "admin_password_file": instance.var / "admin.password", **options}
        arguments = [program("cellwarden-server")] + [str(x) for k, v in words.items() for x in (f"--{k.replace('_', '-')}", v)]
        self.process = subprocess.Popen([str(a) for a in arguments], stderr=self.log.open("w"))

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(15)


@pytest.fixture(name="pooled")
def pooler(instance, tmp_path):
    """The connection string of a PgBouncer in transaction mode, with fewer connections behind it than a server opens."""
    socket = re.search(r"host=(\S+)", instance.fact("conninfo")).group(1)
    port, owner = free_port(), "postgres" if os.getuid() == 0 else None
    folder = pathlib.Path("/var/tmp") / f"cellwarden-pool-{port}"
    folder.mkdir(mode=0o755)
    if owner:
        shutil.chown(folder, owner)
    (folder / "users.txt").write_text('"cellwarden" ""\n')
    (folder / "ini").write_text(f"[databases]\ncellwarden = host={socket} dbname=cellwarden user=cellwarden\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
                                f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\nauth_file = {folder}/users.txt\npool_mode = transaction\n"
                                "default_pool_size = 5\nserver_reset_query_always = 0\nignore_startup_parameters = options,extra_float_digits\n")
    command = ["pgbouncer", str(folder / "ini")]
    if owner:
        command = ["setpriv", f"--reuid={owner}", f"--regid={owner}", "--init-groups", "--", *command]
    process = subprocess.Popen(command, stderr=(tmp_path / "pgbouncer.log").open("w"), cwd="/")
    yield f"host=127.0.0.1 port={port} dbname=cellwarden user=cellwarden"
    process.terminate()
    process.wait(10)
    shutil.rmtree(folder)


def send(instance, seed, records):
    ca, certificate, key = instance.device_files(DEVICE)
    command = [program("cellwarden-load"), "--uri", f"ssl://localhost:{instance.broker[1]}", "--ca", ca, "--cert", certificate, "--key", key, "--tenant", "pool",
               "--devices", 1, "--records", records, "--batch", 10, "--cells", 48, "--temps", 12, "--alarms", 50, "--seed", seed, "--timeout-s", 100]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def stop_own_server(instance):
    """Its supervisor takes it down for good."""
    note = instance.var / "run" / "server.pid"
    os.kill(int(note.read_text().split()[0]), signal.SIGTERM)
    wait_until(lambda: not note.exists(), 30, "the instance's own server is down")


def holder(instance):
    return [row[0] for row in instance.psql("select pid from pg_locks where locktype = 'advisory' and classid = 0 and objid = 20260103 and granted")]


def test_jobs_go_on_in_another_process_when_the_one_that_does_them_is_killed(instance, tmp_path):
    """[FL-3]"""
    slow = "create function wait() returns trigger language plpgsql as 'begin perform pg_sleep(40); return null; end'"
    instance.psql(f"{slow}; create trigger wait before delete on poison for each statement execute function wait()")
    one = Server(instance, tmp_path, instance.fact("conninfo"), roles="jobs", jobs_period_s=1)
    try:
        wait_until(lambda: len(holder(instance)) == 1, 20, "the first one is at it")
        first = holder(instance)
        two = Server(instance, tmp_path, instance.fact("conninfo"), roles="jobs", jobs_period_s=1)
        try:
            instance.psql("select pg_sleep(3)")
            assert holder(instance) == first, "the second one leaves it to the first"
            one.end(signal.SIGKILL)
            wait_until(lambda: holder(instance) and holder(instance) != first, 20, "the second one goes on")
            instance.psql("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'delete from poison%' and pid <> pg_backend_pid(); "
                          "drop trigger wait on poison; drop function wait()")
            instance.psql("create table record_19990101 (x integer)")
            wait_until(lambda: instance.psql("select to_regclass('record_19990101') is null") == [["t"]], 30, "and does them")
        finally:
            two.end()
    finally:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


def test_behind_a_pooler_in_transaction_mode_everything_is_stored_and_read(instance, pooled, tmp_path):
    """[FL-3] [FL-5]"""
    stop_own_server(instance)
    ports = [free_port(), free_port()]
    servers = [Server(instance, tmp_path, pooled, listen=f"127.0.0.1:{port}", jobs_period_s=1, rollup_period_s=1, client_id=f"pooled-{port}") for port in ports]
    try:
        api = Api(f"http://127.0.0.1:{ports[0]}")
        wait_until(lambda: all(ready(port) for port in ports), 60, "both servers are ready")
        send(instance, 1, 1500)
        send(instance, 2, 1500)
        assert instance.psql("select boot, count(*), sum(count) from record where tenant = 'pool' group by boot order by boot") == \
            [["1", "1500", "15000"], ["2", "1500", "15000"]]
        assert int(instance.psql("select count(*) from alarm_span where tenant = 'pool'")[0][0]) == 2 * 150, "alarms are joined to spans over records"
        api.sign_in("admin", instance.password)
        first, last = instance.psql("select (extract(epoch from min(first_at)) * 1000)::bigint, (extract(epoch from max(last_at)) * 1000)::bigint "
                                    "from record where tenant = 'pool'")[0]
        wait_until(lambda: api.http.get(f"http://127.0.0.1:{ports[0]}/readyz", timeout=5).status_code == 200, 10, "it still answers")
        seen = api.get(f"/vehicles/{DEVICE}/history?series=cell_7_mV&from={first}&to={int(last) + 1}&px=100")
        assert sum(seen["series"]["cell_7_mV"]["count"]) == 30000
        gaps = api.get(f"/vehicles/{DEVICE}/gaps?from={first}&to={int(last) + 1}")
        assert gaps["missing"] == []
        left = {subprocess.run(["psql", "-XAtq", pooled, "-c", "show lock_timeout"], capture_output=True, text=True, check=True).stdout for _ in range(10)}
        assert left == {"0\n"}, "the jobs leave no setting behind for the next one"
        for server in servers:
            said = server.log.read_text()
            assert "does not exist" not in said and "already exists" not in said, said
    finally:
        for server in servers:
            server.end()


def ready(port):
    return subprocess.run(["curl", "-sf", "-m", "2", "-o", "/dev/null", f"http://127.0.0.1:{port}/readyz"], check=False).returncode == 0
