# SPDX-License-Identifier: Apache-2.0
"""One instance for all integration tests: database, broker, server, and one vehicle for each way in which a DTU can talk."""
import time

import pytest
from harness import Dtu, Instance, Pack, free_port, wait_until

SLCAN_PORT = free_port()
PACKS = f"""\
test.posix  20  nmc  drive   posix  --slcan-tcp 127.0.0.1:{SLCAN_PORT}
test.lwip   16  lfp  charge  lwip
"""


@pytest.fixture(scope="session")
def system():
    with Instance("integration", PACKS) as instance:
        yield instance


@pytest.fixture(scope="session")
def slcan_port():
    return SLCAN_PORT


@pytest.fixture
def vehicle(system, tmp_path):
    """Starts a board and its DTU under a fresh name; both end with the test. Returns (device, pack, dtu)."""
    started = []

    def start(device, *, pack=None, **dtu):
        board = Pack(tmp_path / device, device, **(pack or {})).start()
        started.append(board)
        link = Dtu(tmp_path / device, device, board.hub, system, **dtu).start()
        started.append(link)
        return device, board, link

    yield start
    for process in reversed(started):
        process.stop()


class OpenWire:
    """A vehicle of 20 cells whose sense wire breaks, with half a minute stored; its pack and DTU have ended. Some of its values are not valid, and it has alarms."""
    tenant, vehicle, cell = "wire", "open", 5
    device = f"{tenant}.{vehicle}"

    def __init__(self, system, folder):
        self.from_ms = int(time.time() * 1000) - 600_000
        with Pack(folder, self.device, cells=20, fault=f"open-wire:{self.cell}@6-600", speed=8, lossless=True) as pack, Dtu(folder, self.device, pack.hub, system):
            wait_until(lambda: int(system.psql(f"select coalesce(sum(count), 0) from record where tenant = '{self.tenant}'")[0][0]) >= 30, 90,
                       "half a minute is stored")
        self.to_ms = int(time.time() * 1000) + 600_000


@pytest.fixture(scope="session")
def open_wire(system, tmp_path_factory):
    return OpenWire(system, tmp_path_factory.mktemp("open-wire"))
