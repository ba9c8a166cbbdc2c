# SPDX-License-Identifier: Apache-2.0
"""The DTU's MQTT client over both streams against a real Mosquitto, without the rest of the system (cellwarden-mqtt-probe)."""
import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest
from harness import ROOT, Process, Proxy, free_port, program, wait_until

STREAMS = ["posix", "lwip"]
DEVICE = "test.probe"


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """Folders of one CA each: 'good' and 'other' have broker, server and device; 'old_broker' and 'old_device' are expired parts of 'good'."""
    top = tmp_path_factory.mktemp("pki")

    def make(folder, *arguments):
        subprocess.run([ROOT / "deploy/pki.sh", "--dir", top / folder, *arguments], check=True, capture_output=True, timeout=30)

    for folder in ("good", "other"):
        make(folder, "init")
        make(folder, "device", DEVICE, "test.else")
    for folder, what in (("old_broker", ["broker"]), ("old_device", ["device", DEVICE])):
        (top / folder).mkdir()
        for name in ("ca.key", "ca.crt"):
            shutil.copy(top / "good" / name, top / folder)
        make(folder, "--expired", *what)
    return top


class Broker(Process):
    def __init__(self, folder, pki, certificate):
        self.port = free_port()
        (folder / "ca.crt").write_bytes(b"".join((pki / "good" / name).read_bytes() for name in ("ca.crt", "service-ca.crt")))
        shutil.copy(ROOT / "deploy/mosquitto.acl", folder / "acl")
        (folder / "conf").write_text(f"""persistence false
log_dest stderr
allow_anonymous false
acl_file {folder}/acl
user {getpass.getuser()}
set_tcp_nodelay true
listener {self.port} 127.0.0.1
cafile {folder}/ca.crt
certfile {certificate}/broker.crt
keyfile {certificate}/broker.key
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
""")
        self.pki = pki
        super().__init__(folder, "broker", [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", folder / "conf"])

    def start(self):
        runs = (self.folder / "broker.log").read_text().count(" running") if (self.folder / "broker.log").exists() else 0
        super().start()
        wait_until(lambda: self.log().count(" running") > runs, 5, "the broker listens")
        return self

    def send(self, topic, payload):
        files = [str(self.pki / "good" / f"server.{end}") for end in ("crt", "key")]
        subprocess.run(["mosquitto_pub", "-V", "5", "-h", "localhost", "-p", str(self.port), "--cafile", str(self.pki / "good/ca.crt"), "--cert",
                        files[0], "--key", files[1], "-q", "1", "-t", topic, "-s"], input=payload, check=True, timeout=10)


@pytest.fixture
def broker(tmp_path, pki):
    with Broker(tmp_path, pki, pki / "good") as one:
        yield one


def probe(folder, stream, port, pki, *, ca="good", device="good", name="localhost", who=DEVICE, count=1, size=100, seconds=20, every_ms=0):
    own = ["-", "-"] if device is None else [pki / device / f"{who}.crt", pki / device / f"{who}.key"]
    return Process(folder, f"probe-{stream}", [program("cellwarden-mqtt-probe"), stream, f"localhost:{port}", name, pki / ca / "ca.crt", *own, who,
                                               count, size, seconds, every_ms])


def finish(one, seconds=40):
    one.child.wait(seconds)
    return one.child.returncode


def assert_memory(stream, one):
    """All of TLS and TCP fits in the fixed memory of the lwIP stream with room to spare."""
    if stream == "lwip":
        peak, arena = map(int, re.search(r"arena peak=(\d+) size=(\d+)", one.log()).groups())
        assert peak < arena * 3 / 4, one.log()


def assert_refused(tmp_path, stream, port, pki, reason, **how):
    with probe(tmp_path, stream, port, pki, **how) as one:
        one.says(reason)
        assert "state up" not in one.log()


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("count, size", [(5000, 300), (100, 30000)])
def test_messages_of_qos_1_are_all_acknowledged(broker, tmp_path, pki, stream, count, size):
    """Small ones gathered into records, and ones larger than any buffer on the way [FL-2]"""
    with probe(tmp_path, stream, broker.port, pki, count=count, size=size) as one:
        assert finish(one) == 0, one.log()
    assert f"acked {count}" in one.log()
    assert_memory(stream, one)


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_may_come_and_go_for_ever(broker, tmp_path, pki, stream, monkeypatch):
    """500 times, some given up half way: nothing is left behind that stops the next one"""
    monkeypatch.setenv("PROBE_CYCLES", "500")
    with probe(tmp_path, stream, broker.port, pki) as one:
        assert finish(one) == 0, one.log()[-2000:]
    assert int(re.search(r"opened=(\d+)", one.log()).group(1)) > 300
    assert_memory(stream, one)


@pytest.mark.parametrize("stream", STREAMS)
def test_a_client_without_a_certificate_is_refused(broker, tmp_path, pki, stream):
    """Mutual TLS [FL-2]"""
    assert_refused(tmp_path, stream, broker.port, pki, "refused by the server: handshake failure", device=None)


@pytest.mark.parametrize("stream", STREAMS)
def test_a_client_of_another_ca_is_refused(broker, tmp_path, pki, stream):
    """Mutual TLS [FL-2]"""
    assert_refused(tmp_path, stream, broker.port, pki, "refused by the server: our certificate is of an unknown CA", device="other")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_client_whose_certificate_has_expired_is_refused(broker, tmp_path, pki, stream):
    """Mutual TLS [FL-2]"""
    assert_refused(tmp_path, stream, broker.port, pki, "refused by the server: our certificate has expired", device="old_device")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_server_of_an_unknown_ca_is_refused(tmp_path, pki, stream):
    """The broker's CA is not the one that we trust [FL-2]"""
    with Broker(tmp_path, pki, pki / "other") as broker:
        assert_refused(tmp_path, stream, broker.port, pki, "server certificate: unknown CA")


@pytest.mark.parametrize("stream", STREAMS)
def test_an_expired_server_certificate_is_refused(tmp_path, pki, stream):
    """Right CA, right name, yesterday [FL-2]"""
    with Broker(tmp_path, pki, pki / "old_broker") as broker:
        assert_refused(tmp_path, stream, broker.port, pki, "server certificate has expired")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_wrong_server_name_is_refused(broker, tmp_path, pki, stream):
    """The certificate is good, for another name [FL-2]"""
    assert_refused(tmp_path, stream, broker.port, pki, "server name does not match", name="broker.example")


@pytest.mark.parametrize("stream", STREAMS)
def test_no_broker_is_told_and_tried_again(tmp_path, pki, stream):
    """Back-off, not surrender"""
    with probe(tmp_path, stream, free_port(), pki) as one:
        wait_until(lambda: one.log().count("cannot connect") >= 2, 15, "two attempts")


@pytest.mark.parametrize("stream", STREAMS)
def test_publishing_under_another_name_is_refused(broker, tmp_path, pki, stream, monkeypatch):
    """Device A as device B: the broker's answer reaches the caller [FL-2]"""
    monkeypatch.setenv("PROBE_PUBLISH_AS", "test.else")
    with probe(tmp_path, stream, broker.port, pki) as one:
        one.says("refused 0 not authorized")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_downlink_in_several_records_arrives_and_one_too_large_does_not_disturb(broker, tmp_path, pki, stream):
    """The receive buffer of 2,048 bytes is announced as Maximum Packet Size, so the broker drops what is larger"""
    with probe(tmp_path, stream, broker.port, pki, count=0, seconds=30) as one:
        one.says("state up")
        broker.send(f"cw/v1/{DEVICE}/down/cmd", b"\x01" * 1900)
        one.says("n=1900 sum=1900")
        broker.send(f"cw/v1/{DEVICE}/down/cmd", b"\x01" * 5000)
        broker.send(f"cw/v1/{DEVICE}/down/cmd", b"\x01" * 10)
        one.says("n=10 sum=10")
        assert one.log().count("state up") == 1


@pytest.mark.parametrize("stream", STREAMS)
def test_a_broker_that_is_killed_and_comes_back_gets_every_message(broker, tmp_path, pki, stream):
    """kill -9 twice under load; the messages in flight go out again"""
    with probe(tmp_path, stream, broker.port, pki, count=400, every_ms=10, seconds=30) as one:
        for times in (1, 2):
            wait_until(lambda: one.log().count("state up") == times, 15, f"up {times} times")
            broker.stop(signal.SIGKILL)
            broker.start()
        assert finish(one) == 0, one.log()


@pytest.mark.parametrize("every_ms, reason", [(100, "no PUBACK in time"), (1000000, "no answer to PINGREQ in time")])
def test_a_broker_that_only_keeps_the_connection_is_noticed(broker, tmp_path, pki, every_ms, reason):
    """A stopped broker: its kernel still acknowledges, so only answers count (keep-alive 8 s, answer within 3 s)"""
    with probe(tmp_path, "posix", broker.port, pki, count=10000, every_ms=every_ms, seconds=60) as one, \
            probe(tmp_path, "lwip", broker.port, pki, who="test.else", count=10000, every_ms=every_ms, seconds=60) as two:
        both = (one, two)
        for stream in both:
            stream.says("state up")
        os.kill(broker.child.pid, signal.SIGSTOP)
        try:
            for stream in both:
                stream.says(reason, 12)
        finally:
            os.kill(broker.child.pid, signal.SIGCONT)
        wait_until(lambda: all(stream.log().count("state up") == 2 for stream in both), 15, "both are back")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_second_handshake_is_short(broker, tmp_path, pki, stream):
    """The TLS session is kept: no certificates travel again"""
    with Proxy(("127.0.0.1", broker.port)) as wire, probe(tmp_path, stream, wire.address[1], pki, count=0, seconds=40) as one:
        one.says("state up")
        full = wire.forwarded
        wire.cut()
        wire.ended.wait(0.2)
        wire.mend()
        wait_until(lambda: one.log().count("state up") == 2, 15, "up again")
        assert wire.forwarded - full < full / 2, f"{full} bytes, then {wire.forwarded - full}"


class Damage:
    """Forwards to the broker; flips one bit of what the broker says once `armed` is set."""

    def __init__(self, port):
        self.target, self.armed, self.sockets = port, threading.Event(), []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                self.sockets += [client, server]
                threading.Thread(target=self.copy, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self.copy, args=(server, client, True), daemon=True).start()
        except OSError:
            return

    def copy(self, source, sink, answers):
        try:
            while data := source.recv(65536):
                if answers and self.armed.is_set():
                    self.armed.clear()
                    data = data[:-1] + bytes([data[-1] ^ 1])
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in [self.listener, *self.sockets]:
            one.close()


@pytest.mark.parametrize("stream", STREAMS)
def test_a_damaged_record_ends_the_session_and_loses_nothing(broker, tmp_path, pki, stream):
    """One bit of the broker's bytes is flipped"""
    with Damage(broker.port) as wire, probe(tmp_path, stream, wire.port, pki, count=200, every_ms=10, seconds=30) as one:
        one.says("state up")
        wire.armed.set()
        one.says("a TLS record was damaged on the way")
        assert finish(one) == 0, one.log()


def test_a_server_that_never_answers_the_handshake_is_given_up(tmp_path, pki):
    """Every wait has an end: 10 s for TLS"""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with probe(tmp_path, "posix", port, pki) as one, probe(tmp_path, "lwip", port, pki) as two:
            for stream in (one, two):
                stream.says("no TLS handshake in time", 15)
