# SPDX-License-Identifier: Apache-2.0
"""A small tester that only moves bytes: for what the libraries' checks of an answer would not let through."""
import contextlib
import time
import zlib

import can
import isotp

TO_BOARD, FROM_BOARD = 0x18DA10F1, 0x18DAF110
CATALOGUE, CATALOGUE_AT = "1011", 0x80000000


def uds_key(seed):
    """uds_key() of proto/uds.h, written once more."""
    x = int.from_bytes(seed, "big") ^ 0x43574255
    x = (x << 7 | x >> 25) & 0xFFFFFFFF
    return ((x * 2246822519 + 0x27D4EB2F) & 0xFFFFFFFF).to_bytes(4, "big")


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class Cable:
    """Asks in hex or bytes and gives bytes."""

    def __init__(self, send, recv):
        self.send, self.recv = send, recv

    def ask(self, request, seconds=5):
        request = bytes.fromhex(request) if isinstance(request, str) else request
        self.send(request)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            answer = self.recv(left)
            if answer is None or (answer[0] == 0x7F and answer[2] == 0x78):
                continue
            return answer
        return b""

    def unlock(self, session):
        assert self.ask(f"10{session:02x}")[0] == 0x50
        seed = self.ask("2701")[2:]
        if any(seed):
            assert self.ask(b"\x27\x02" + uds_key(seed)) == b"\x67\x02"

    def progress(self):
        answer = self.ask("31010208")
        assert answer[:4] == bytes.fromhex("71010208")
        return tuple(int.from_bytes(answer[i:i + 4], "big") for i in (4, 8, 12))

    def announce(self, address, size):
        return self.ask(bytes.fromhex("340044") + address.to_bytes(4, "big") + size.to_bytes(4, "big"))

    def load(self, image, at, end):
        answer = self.announce(at, len(image) - at)
        assert answer[:2] == b"\x74\x20", answer.hex()
        most, counter = int.from_bytes(answer[2:], "big") - 2, 1
        while at < end:
            block = image[at:min(at + most, end)]
            assert self.ask(bytes([0x36, counter]) + block) == bytes([0x76, counter])
            at, counter = at + len(block), (counter + 1) & 0xFF

    def check(self, crc):
        return self.ask(bytes.fromhex("3101ff01") + crc.to_bytes(4, "big"))

    def catalogue(self):
        """The board's own tables as JSON text, and their hash as the DID gives it."""
        did = self.ask("22" + CATALOGUE)[3:]
        tables, packed, plain = (int.from_bytes(did[i:i + 4], "big") for i in (0, 4, 8))
        assert self.ask(bytes.fromhex("351044") + CATALOGUE_AT.to_bytes(4, "big") + packed.to_bytes(4, "big"))[0] == 0x75
        data, counter = b"", 1
        while len(data) < packed:
            block = self.ask(bytes([0x36, counter]))
            assert block[:2] == bytes([0x76, counter]), block[:8].hex()
            data += block[2:]
            counter = (counter + 1) & 0xFF
        assert self.ask("37") == b"\x77"
        text = zlib.decompress(data)
        assert len(text) == plain
        return text, tables


@contextlib.contextmanager
def cable_on_can(channel, **params):
    with can.Bus(interface="slcan", channel=channel, bitrate=500000, sleep_after_open=0.1) as bus:
        address = isotp.Address(isotp.AddressingMode.Normal_29bits, txid=TO_BOARD, rxid=FROM_BOARD)
        stack = isotp.CanStack(bus, address=address, params={"tx_padding": 0xCC, "blocking_send": False, **params})
        stack.start()
        try:
            yield Cable(stack.send, lambda seconds: stack.recv(block=True, timeout=seconds))
        finally:
            stack.stop()
