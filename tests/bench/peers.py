# SPDX-License-Identifier: Apache-2.0
"""./cellwarden bench peers: what others would put between MQTT and PostgreSQL, on the same messages, broker, database and machine.

Three pipelines take the server's place one after the other: Node (mqtt, protobufjs, pg-copy-streams: decodes each record and makes the summary
columns as the server does, COPY of up to 4,096 records or 50 ms, acknowledgements after COMMIT), Node-RED (the same decoding in a function, an insert for
each message, acknowledgement after it), and `mosquitto_sub | psql` (stores the bytes, decodes and acknowledges nothing). The rate is that of what
was acknowledged, or for the last one stored. `times_slower` compares with the server in the same run. Their packages are pinned in tests/bench/peers.
"""
import argparse
import csv
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from harness import Instance, wait_until
from harness.instance import ROOT, program

HERE = pathlib.Path(__file__).resolve().parent / "peers"
TENANT = "bench"
SHAPE = (60, 48, 12)  # frames a record, cells, temperatures
DEVICES = 100
WINDOW = 15_000  # records without an Ack: enough that no pipeline waits for the generator, below what the broker queues


def scalars():
    """The names of a body's scalar columns, in their order."""
    rows = re.findall(r"^SIGNAL\s*\((.*)\)\s*$", (ROOT / "proto/signals.def").read_text(encoding="utf-8"), re.MULTILINE)
    fields = [next(csv.reader([row], skipinitialspace=True)) for row in rows]
    return [field[1].strip() for field in fields if field[8].strip() == "1"]


def install():
    """npm ci, when the lock file changed."""
    lock, mark = HERE / "package-lock.json", HERE / "node_modules/.made-from"
    if mark.exists() and mark.read_text(encoding="utf-8") == lock.read_text(encoding="utf-8"):
        return
    subprocess.run(["npm", "--prefix", str(HERE), "ci", "--no-audit", "--no-fund", "--omit=dev"], check=True, stdout=sys.stderr, timeout=600)
    mark.write_text(lock.read_text(encoding="utf-8"), encoding="utf-8")


def load(instance, frames, seed, seconds):
    """(frames acknowledged, seconds) of the load generator, which ends when all are acknowledged or the time is over."""
    batch, cells, temps = SHAPE
    ca, certificate, key = instance.device_files(f"{TENANT}.load")
    command = [program("cellwarden-load"), "--uri", f"ssl://localhost:{instance.broker[1]}", "--ca", ca, "--cert", certificate, "--key", key,
               "--tenant", TENANT, "--devices", DEVICES, "--records", max(1, int(frames / batch / DEVICES)), "--batch", batch, "--cells", cells,
               "--temps", temps, "--window", WINDOW, "--seed", seed, "--truth-devices", 0, "--timeout-s", int(seconds)]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=120 + 2 * seconds)
    said = json.loads(done.stdout)
    return said["acked"] * batch, said["seconds"]


def stop_server(instance):
    """For good: its supervisor first."""
    supervisor = int((instance.var / "run/server.pid").read_text(encoding="utf-8").split()[0])
    child = instance.pid("server")
    os.kill(supervisor, signal.SIGTERM)
    wait_until(lambda: not os.path.exists(f"/proc/{child}"), 20, "the server has ended")


def environment(instance, folder):
    words = dict(part.split("=", 1) for part in instance.fact("conninfo").split())
    pki = instance.var / "pki"
    database = {"host": words["host"], "port": int(words.get("port", 5432)), "user": words.get("user"), "database": words.get("dbname")}
    return {**os.environ, "URI": f"mqtts://localhost:{instance.service[1]}", "CA": str(pki / "ca.crt"), "CERT": str(pki / "server.crt"),
            "KEY": str(pki / "server.key"), "DATABASE": json.dumps(database), "SCALARS": ",".join(scalars()), "RED_DIR": str(folder),
            "NODE_EXTRA_CA_CERTS": str(pki / "ca.crt")}


class Pipeline:
    """One peer while it runs."""

    def __init__(self, command, env, log):
        self.log = log.open("w", encoding="utf-8")
        self.process = subprocess.Popen(command, env=env, cwd=HERE, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)

    def __enter__(self):
        time.sleep(6)  # Node-RED takes that long to be there
        assert self.process.poll() is None, f"a pipeline ended at once; see {self.log.name}"
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
        self.log.close()


def clear(instance):
    instance.psql("truncate record, latest, alarm_span, poison")
    instance.psql("checkpoint")


def acknowledged(instance, command, env, folder, seconds, seed, guess):
    clear(instance)
    with Pipeline(command, env, folder / "peer.log"):
        frames, took = load(instance, guess * seconds, seed, 4 * seconds)
    stored = int(instance.psql("select coalesce(sum(count), 0) from record")[0][0])
    if frames == 0 or stored < frames:
        sys.exit(f"{command[:2]} stored {stored} of {frames} acknowledged frames: {(folder / 'peer.log').read_text(encoding='utf-8')[-600:]}")
    return frames / took


def bare(instance, env, folder, seconds, seed):
    """mosquitto_sub prints topic and bytes in hex, psql copies them: rows within the time, for which nobody acknowledges."""
    clear(instance)
    instance.psql("create table if not exists bare (topic text, record text); truncate bare")
    shell = ('mosquitto_sub -h localhost -p "$PORT" --cafile "$CA" --cert "$CERT" --key "$KEY" -V 5 -q 1 -i peer-bare -W "$SECONDS_MAX" -t "cw/v1/+/up/rec" -F "%t\t%x" | '
             'psql -XAtq "$CONNINFO" -c "copy bare from stdin"')
    env = {**env, "PORT": str(instance.service[1]), "CONNINFO": instance.fact("conninfo"), "SECONDS_MAX": str(seconds + 10)}
    with Pipeline(["sh", "-c", shell], env, folder / "peer.log") as pipe:
        began = time.monotonic()
        load(instance, 200_000 * seconds, seed, seconds)
        took = time.monotonic() - began
        pipe.process.wait(60)  # its end commits the one COPY
    distinct = int(instance.psql("select count(distinct (topic, record)) from bare")[0][0])
    instance.psql("drop table bare")
    return distinct * SHAPE[0] / took


def measure_all(instance, ours, seconds, seed=900):
    """The peers on an instance that may lose its server for it; `ours` is the server's rate on the same messages."""
    install()
    stop_server(instance)
    result = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        env = environment(instance, folder)
        result["node"] = acknowledged(instance, ["node", "node.mjs"], env, folder, seconds, seed, 60_000)
        red = [str(HERE / "node_modules/.bin/node-red"), "--settings", str(HERE / "node-red.cjs")]
        result["node_red"] = acknowledged(instance, red, env, folder, seconds, seed + 1, 30_000)
        result["mosquitto_psql"] = bare(instance, env, folder, seconds, seed + 2)
    return {peer: {"frames_per_s": round(rate), "times_slower": round(ours / rate, 1)} for peer, rate in result.items()}


def main():
    parser = argparse.ArgumentParser(prog="./cellwarden bench peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--seconds", type=int, default=8, help="about so long for each (default 8)")
    args = parser.parse_args()
    if not 2 <= args.seconds <= 300:
        parser.error("seconds 2 to 300")
    with Instance("bench-peers") as instance:
        instance.let_speak_for_all(f"{TENANT}.load")
        clear(instance)
        frames, took = load(instance, 400_000 * args.seconds, 1, 10 * args.seconds)
        ours = frames / took
        result = {"frames_per_s": round(ours), "peers": measure_all(instance, ours, args.seconds)}
    if args.json:
        print(json.dumps(result))
    else:
        print(f"{'cellwarden':>16}: {result['frames_per_s']:>8} frames/s")
        for peer, one in result["peers"].items():
            print(f"{peer:>16}: {one['frames_per_s']:>8} frames/s, {one['times_slower']} times slower")
    return 0


if __name__ == "__main__":
    sys.exit(main())
