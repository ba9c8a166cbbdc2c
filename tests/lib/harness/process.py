# SPDX-License-Identifier: Apache-2.0
"""Boards and DTUs that a test starts itself, with options of its own; each is a context and ends with it."""
import os
import pathlib
import signal
import subprocess

from .instance import program, wait_until


class Process:
    def __init__(self, folder, name, arguments):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.arguments = [str(a) for a in arguments]
        self.child = None

    def start(self):
        with open(self.folder / f"{self.name}.log", "ab") as log:
            self.child = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def stop(self, number=signal.SIGTERM, seconds=15):
        """Signals, waits, and gives the exit status (None when it never ran)."""
        if self.child is None:
            return None
        if self.child.poll() is None:
            os.kill(self.child.pid, number)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError(f"{self.name} did not stop within {seconds} s") from None

    def running(self):
        return self.child is not None and self.child.poll() is None

    def log(self):
        return (self.folder / f"{self.name}.log").read_text(errors="replace")

    def says(self, text, seconds=15):
        """Waits until the log holds this text; the whole log is in the failure."""
        try:
            wait_until(lambda: text in self.log(), seconds, f"{self.name} says '{text}'")
        except AssertionError as late:
            raise AssertionError(f"{late}; it said:\n{self.log()[-3000:]}") from None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Pack(Process):
    """cellwarden-pack. Extra options as keywords: samples=100 gives --samples 100, lossless=True gives --lossless."""

    def __init__(self, folder, device, cells=16, chemistry="nmc", scenario="drive", **options):
        self.hub = pathlib.Path(folder) / "hub"
        self.truth = pathlib.Path(folder) / "truth"
        arguments = [program("cellwarden-pack"), "--name", device, "--cells", cells, "--chemistry", chemistry, "--scenario", scenario,
                     "--hub", self.hub, "--nvm", pathlib.Path(folder) / "nvm"]
        super().__init__(folder, "pack", arguments + flags(options))

    def start(self):
        super().start()
        wait_until(lambda: self.hub.exists() or not self.running(), 15, "the pack opens its CAN")
        return self


class Dtu(Process):
    """cellwarden-dtu against an instance's broker, or another address."""

    def __init__(self, folder, device, hub, instance, *, broker=None, files=None, server_name="localhost", stream="posix", **options):
        ca, certificate, key = files or instance.device_files(device)
        host, port = broker or instance.broker
        arguments = [program("cellwarden-dtu"), "--name", device, "--hub", hub, "--journal", pathlib.Path(folder) / "journal",
                     "--broker", f"{host}:{port}", "--server-name", server_name, "--ca", ca, "--cert", certificate, "--key", key,
                     "--stream", stream]
        super().__init__(folder, "dtu", arguments + flags(options))


def flags(options):
    words = []
    for name, value in options.items():
        words.append("--" + name.replace("_", "-"))
        if value is not True:
            words.append(str(value))
    return words
