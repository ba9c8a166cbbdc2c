# SPDX-License-Identifier: Apache-2.0
"""Whom a DTU trusts: both ways of talking must refuse the same servers, with a reason, and go on trying."""
import getpass
import re
import socket
import subprocess

import pytest
from harness import free_port, wait_until

STREAMS = ["posix", "lwip"]


@pytest.fixture
def other_broker(system, tmp_path):
    """Starts a broker like the instance's own, with another certificate; returns its address."""
    started = []

    def start(pki):
        port = free_port()
        lines = (system.var / "mosquitto.conf").read_text().splitlines()
        text = "\n".join(lines).replace(f"listener {system.broker[1]} ", f"listener {port} ")
        text = text.replace(f"listener {system.service[1]} ", f"listener {free_port()} ")
        own = system.fact("broker_dir")
        text = text.replace(f"certfile {own}/", f"certfile {pki}/").replace(f"keyfile {own}/", f"keyfile {pki}/")
        text = re.sub(r"^user .*$", f"user {getpass.getuser()}", text, flags=re.M)  # the test's files are the tester's
        (tmp_path / "broker.conf").write_text(text)
        log = open(tmp_path / "broker.log", "wb")
        started.append(subprocess.Popen(["/usr/sbin/mosquitto", "-c", tmp_path / "broker.conf"], stderr=log, stdout=log))
        wait_until(lambda: answers(port), 10, "the other broker listens")
        return "127.0.0.1", port

    yield start
    for broker in started:
        broker.terminate()
        broker.wait(5)


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def certificates(system, tmp_path, *pki_arguments, own_ca=True):
    """A folder with a broker certificate made under other circumstances, by our CA or by another one."""
    folder = tmp_path / "pki"
    folder.mkdir()
    if own_ca:
        for name in ("ca.key", "ca.crt"):
            (folder / name).write_bytes((system.var / "pki" / name).read_bytes())
    else:
        system.pki("init", folder=folder)
    system.pki(*pki_arguments, "broker", folder=folder)
    return folder


def assert_never_online(system, device, dtu, reason):
    dtu.says(reason, 20)
    assert dtu.running(), "a refusal must not end the DTU"
    assert not system.api.vehicles().get(device, {}).get("online")


@pytest.mark.parametrize("stream", STREAMS)
def test_the_right_server_is_trusted(system, vehicle, stream):
    """The control: the same arrangement with nothing wrong [FL-2]"""
    device, _, _ = vehicle(f"test.ok-{stream}", stream=stream)
    wait_until(lambda: system.api.vehicles().get(device, {}).get("online"), 30, f"{device} is online")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_wrong_server_name_is_refused(system, vehicle, stream):
    """The certificate is good, the name in it is another [FL-2]"""
    device, _, dtu = vehicle(f"test.name-{stream}", stream=stream, server_name="wrong.example")
    assert_never_online(system, device, dtu, "server name does not match")


@pytest.mark.parametrize("stream", STREAMS)
def test_an_expired_server_certificate_is_refused(system, vehicle, other_broker, tmp_path, stream):
    """The broker's certificate ended yesterday [FL-2]"""
    address = other_broker(certificates(system, tmp_path, "--expired"))
    device, _, dtu = vehicle(f"test.old-{stream}", stream=stream, broker=address)
    assert_never_online(system, device, dtu, "expired")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_server_of_another_ca_is_refused(system, vehicle, other_broker, tmp_path, stream):
    """Somebody else's CA, the right name [FL-2]"""
    address = other_broker(certificates(system, tmp_path, own_ca=False))
    device, _, dtu = vehicle(f"test.ca-{stream}", stream=stream, broker=address)
    assert_never_online(system, device, dtu, "unknown CA")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_certificate_that_is_not_for_servers_is_refused(system, vehicle, other_broker, tmp_path, stream):
    """A device that poses as the broker with its own certificate [FL-2]"""
    folder = tmp_path / "posing"
    folder.mkdir()
    _, certificate, key = system.device_files("test.posing")
    (folder / "broker.crt").write_bytes(certificate.read_bytes())
    (folder / "broker.key").write_bytes(key.read_bytes())
    device, _, dtu = vehicle(f"test.pose-{stream}", stream=stream, broker=other_broker(folder))
    assert_never_online(system, device, dtu, "server")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_dtu_whose_own_certificate_has_expired_says_so(system, vehicle, stream):
    """The broker refuses it, and the log names the reason [FL-2]"""
    device = f"test.ended-{stream}"
    system.pki("--expired", "device", device)
    _, _, dtu = vehicle(device, stream=stream)
    assert_never_online(system, device, dtu, "certificate")
