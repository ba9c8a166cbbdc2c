# SPDX-License-Identifier: Apache-2.0
"""One instance for all integration tests: database, broker, server, and one vehicle for each way in which a DTU can talk."""
import pytest
from harness import Dtu, Instance, Pack, free_port

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
