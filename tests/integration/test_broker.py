# SPDX-License-Identifier: Apache-2.0
"""Whom the broker lets in, and what they may say under which name."""
import socket
import ssl
import subprocess
import threading

import paho.mqtt.client as mqtt
import pytest
from harness import wait_until
from paho.mqtt.properties import Properties

CONNECT = bytes.fromhex("101300044d5154540502003c0000066e6f626f6479")  # MQTT 5, clean start, client id "nobody"
NOT_AUTHORISED = 0x87
ACCEPTED = (0, 0x10)  # 0x10: accepted, and nobody listens


def mqtt_answer(address, context):
    """The first bytes that the broker answers to a CONNECT, b'' when it closes; errors of TLS come through."""
    with socket.create_connection(address, timeout=5) as raw:
        stream = context.wrap_socket(raw, server_hostname="localhost") if context else raw
        stream.sendall(CONNECT)
        return stream.recv(64)


def tls(ca, certificate=None, key=None):
    context = ssl.create_default_context(cafile=ca)
    if certificate:
        context.load_cert_chain(certificate, key)
    return context


def assert_refused(address, context):
    try:
        assert mqtt_answer(address, context) == b""
    except (ssl.SSLError, ConnectionError):
        pass


class Client:
    """A paho client with somebody's certificate."""

    def __init__(self, address, files, client_id):
        ca, certificate, key = files
        self.got = []
        self.reasons = {}
        self.disconnects = []
        self.connected = threading.Event()
        self.subscribed = threading.Event()
        self.mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
        self.mqtt.tls_set(ca, certificate, key)
        self.mqtt.on_connect = lambda *_: self.connected.set()
        self.mqtt.on_disconnect = lambda _c, _u, _f, reason, _p: self.disconnects.append(str(reason))
        self.mqtt.on_subscribe = lambda *_: self.subscribed.set()
        self.mqtt.on_message = lambda _c, _u, m: self.got.append((m.topic, m.payload))
        self.mqtt.on_publish = lambda _c, _u, mid, reason, _p: self.reasons.__setitem__(mid, reason.value)
        host, port = address
        self.mqtt.connect("localhost" if host == "127.0.0.1" else host, port, keepalive=30)
        self.mqtt.loop_start()

    def __enter__(self):
        assert self.connected.wait(5), "no CONNACK"
        return self

    def __exit__(self, *_):
        self.mqtt.disconnect()
        self.mqtt.loop_stop()

    def subscribe(self, topic):
        self.subscribed.clear()
        self.mqtt.subscribe(topic, qos=1)
        assert self.subscribed.wait(5), "no SUBACK"

    def publish(self, topic, payload, retain=False):
        """The reason code of the PUBACK."""
        sent = self.mqtt.publish(topic, payload, qos=1, retain=retain, properties=Properties(mqtt.PacketTypes.PUBLISH))
        return wait_until(lambda: (self.reasons.get(sent.mid, -1) + 1), 5, "a PUBACK") - 1


def server_files(system):
    pki = system.var / "pki"
    return pki / "ca.crt", pki / "server.crt", pki / "server.key"


def test_a_client_with_its_certificate_is_let_in(system):
    assert mqtt_answer(system.broker, tls(*system.device_files("test.good")))[:1] == b"\x20"


def test_a_client_without_a_certificate_is_refused(system):
    """The same handshake, only without a certificate [FL-2]"""
    assert_refused(system.broker, tls(system.var / "pki" / "ca.crt"))


def test_a_certificate_of_another_ca_is_refused(system, tmp_path):
    """A CA that is not ours signed the very same name [FL-2]"""
    other = tmp_path / "other"
    system.pki("init", folder=other)
    _, certificate, key = system.device_files("test.posix", folder=other)
    assert_refused(system.broker, tls(system.var / "pki" / "ca.crt", certificate, key))


def test_an_expired_certificate_is_refused(system):
    """Our own CA signed it, and it ended yesterday [FL-2]"""
    system.pki("--expired", "device", "test.expired")
    assert_refused(system.broker, tls(*system.device_files("test.expired")))


def test_nobody_speaks_in_the_clear(system):
    assert_refused(system.broker, None)


def test_old_tls_is_refused(system):
    """TLS 1.1 with the weakest security level that OpenSSL has: only the broker can be the one that refuses [FL-2]"""
    ca, certificate, key = system.device_files("test.good")
    host, port = system.broker
    command = ["openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", ca, "-cert", certificate, "-key", key, "-cipher", "ALL:@SECLEVEL=0"]
    new = subprocess.run([*command, "-tls1_2"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
    old = subprocess.run([*command, "-tls1_1"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
    assert new.returncode == 0
    assert old.returncode != 0


def test_a_device_publishes_under_its_own_name_only(system):
    """Device A says what B would say: not authorised, and nothing arrives anywhere [FL-2]"""
    with Client(system.service, server_files(system), "watcher") as watcher, Client(system.broker, system.device_files("test.a"), "test.a") as a:
        watcher.subscribe("cw/v1/+/up/#")
        watcher.subscribe("cw/v1/+/state")
        assert a.publish("cw/v1/test.b/up/rec", b"forged") == NOT_AUTHORISED
        assert a.publish("cw/v1/test.b/state", b"forged", retain=True) == NOT_AUTHORISED
        assert a.publish("cw/v1/test.a/down/cmd", b"forged") == NOT_AUTHORISED
        assert a.publish("cw/v1/test.b/down/ack", b"forged") == NOT_AUTHORISED
        assert a.publish("elsewhere", b"forged") == NOT_AUTHORISED
        assert a.publish("cw/v1/test.a/up/zzz", b"mine") == 0
        wait_until(lambda: any(topic == "cw/v1/test.a/up/zzz" for topic, _ in watcher.got), 5, "A's own message arrives")
        assert not [topic for topic, payload in watcher.got if payload == b"forged"]


def test_a_device_reads_its_own_downlink_only(system):
    """What the server sends to B does not reach A, whatever A subscribes to [FL-4]"""
    with Client(system.service, server_files(system), "sender") as server, Client(system.broker, system.device_files("test.a"), "test.a") as a:
        a.subscribe("#")
        a.subscribe("cw/v1/test.b/down/#")
        a.subscribe("cw/v1/test.a/down/#")
        assert server.publish("cw/v1/test.b/down/zzz", b"for b") in ACCEPTED
        assert server.publish("cw/v1/test.a/down/zzz", b"for a") == 0
        wait_until(lambda: a.got, 5, "A's own message arrives")
        assert {payload for _, payload in a.got} == {b"for a"}


def test_a_device_cannot_take_the_session_of_another(system):
    """A client id is only a word: A connects under B's and B stays connected [FL-2]"""
    with Client(system.broker, system.device_files("test.b"), "test.b") as b:
        with Client(system.broker, system.device_files("test.a"), "test.b") as a:
            assert a.publish("cw/v1/test.a/up/zzz", b"1") in ACCEPTED
            assert b.publish("cw/v1/test.b/up/zzz", b"2") in ACCEPTED
        assert b.disconnects == []


def test_a_device_does_not_reach_the_servers_port(system):
    """Its certificate is good, for the other port; the server's is good for its own only [FL-2]"""
    assert_refused(system.service, tls(*system.device_files("test.a")))
    assert mqtt_answer(system.service, tls(*server_files(system)))[:1] == b"\x20"
    assert_refused(system.broker, tls(*server_files(system)))


@pytest.mark.parametrize("name", ["cellwarden-server", "nodot", "two.dots.here", "a/b.c", "a.#", ".x", "x."])
def test_no_certificate_is_made_for_a_name_that_is_no_device(system, name):
    with pytest.raises(subprocess.CalledProcessError):
        system.pki("device", name)
