# SPDX-License-Identifier: Apache-2.0
"""One instance of database, broker, server and packs, started and stopped with ./cellwarden like a user's."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from .api import Api

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("CELLWARDEN_BUILD", ROOT / "build"))
PRESET = os.environ.get("CELLWARDEN_PRESET", "host")


def program(name):
    """The path of one of our programs in the build that is tested."""
    return str(BUILD / PRESET / "bin" / name)


def wait_until(question, seconds, what, every=0.05):
    """The first true answer of question(); AssertionError naming `what` when there was none in time."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(every)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Instance:
    """Use as a context: up() on entering, down(purge) on leaving unless the test failed in it (its logs then stay)."""

    def __init__(self, name, packs="none"):
        """packs: 'none', or the lines of a pack list (name cells chemistry scenario stream options..)."""
        self.var = BUILD / "test" / name
        self.packs = packs
        self._api = None

    def cellwarden(self, *args, check=True, timeout=240):
        done = subprocess.run([ROOT / "cellwarden", *map(str, args), "--var", str(self.var)], capture_output=True, text=True,
                              timeout=timeout, stdin=subprocess.DEVNULL)
        assert not check or done.returncode == 0, f"cellwarden {args} gave {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def up(self):
        packs = self.packs
        if packs != "none":
            self.var.mkdir(parents=True, exist_ok=True)
            packs = self.var / "packs.list"
            packs.write_text(self.packs)
        self.cellwarden("up", "--no-build", "--preset", PRESET, "--packs", packs, "--console-port", "auto", "--broker-port", "auto",
                        "--service-port", "auto")
        return self

    def down(self, purge=False):
        self.cellwarden("down", *(["--purge"] if purge else []))

    def __enter__(self):
        self.cellwarden("down", "--purge")
        shutil.rmtree(self.var, ignore_errors=True)
        try:
            return self.up()
        except BaseException:
            self.down()  # what did start must not stay; the logs do
            raise

    def __exit__(self, kind, *_):
        self.down(purge=kind is None)
        if kind is None:
            shutil.rmtree(self.var, ignore_errors=True)

    def fact(self, key):
        for line in (self.var / "instance").read_text().splitlines():
            if line.startswith(key + "="):
                return line[len(key) + 1:]
        raise KeyError(key)

    @property
    def console(self):
        return f"http://{self.fact('reach')}:{self.fact('console_port')}"

    @property
    def broker(self):
        return self.fact("reach"), int(self.fact("broker_port"))

    @property
    def service(self):
        """Where servers connect to the broker."""
        return self.fact("reach"), int(self.fact("service_port"))

    @property
    def password(self):
        return (self.var / "admin.password").read_text().strip()

    @property
    def api(self):
        """A signed-in client, made once."""
        if self._api is None:
            api = Api(self.console)
            answer = api.sign_in("admin", self.password)
            assert answer.status_code == 200, answer.text
            self._api = api
        return self._api

    def pki(self, *args, folder=None):
        """Runs deploy/pki.sh in this instance's folder, or in another one: another CA."""
        folder = folder or self.var / "pki"
        subprocess.run([ROOT / "deploy/pki.sh", "--dir", folder, *args], check=True, capture_output=True)
        return pathlib.Path(folder)

    def device_files(self, name, folder=None):
        """(ca, certificate, key) of a device; made when they are missing."""
        folder = self.pki("device", name, folder=folder)
        return folder / "ca.crt", folder / f"{name}.crt", folder / f"{name}.key"

    def let_speak_for_all(self, name):
        """The certificate of `name` may send for every device of this private broker, as a load generator does. Both are at work again afterwards."""
        acl = self.var / "mosquitto.acl"
        acl.write_text(f"{acl.read_text()}\nuser {name}\ntopic write cw/v1/+/up/#\ntopic read cw/v1/+/down/#\n")
        self.kill_and_wait("broker")
        wait_until(lambda: self.api.http.get(self.console + "/readyz", timeout=5).status_code == 200, 30, "the server is back at the broker")

    def psql(self, sql, timeout=60):
        """Rows as lists of text."""
        done = subprocess.run(["psql", "-XAtq", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", self.fact("conninfo"), "-c", sql],
                              capture_output=True, text=True, timeout=timeout)
        assert done.returncode == 0, done.stderr
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def pid(self, name):
        """The process that does the work, not its supervisor."""
        return int((self.var / "run" / f"{name}.child").read_text().split()[0])

    def signal(self, name, number=signal.SIGKILL):
        """To one process by its number; its supervisor starts it again."""
        pid = self.pid(name)
        os.kill(pid, number)
        return pid

    def kill_and_wait(self, name, seconds=30):
        """kill -9, and wait until another process stands in its place."""
        old = self.signal(name)

        def is_back():
            try:
                return self.pid(name) != old and os.path.exists(f"/proc/{self.pid(name)}")
            except (OSError, IndexError, ValueError):
                return False

        wait_until(is_back, seconds, f"{name} is started again")

    def log(self, name):
        return (self.var / "log" / f"{name}.log").read_text(errors="replace")
