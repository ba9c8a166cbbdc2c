# SPDX-License-Identifier: Apache-2.0
"""Sealed records made by hand from proto/record-body.md, so that a test can make good ones and any kind of bad one."""


def _crc32c_table():
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ 0x82F63B78 if i & 1 else i >> 1
        yield i


_TABLE = tuple(_crc32c_table())
# Layout 2, no scalar columns; with no cells and no probes a body of one sample is one bit: the same alarms as before, none.
EMPTY_BODY = bytes([2, 0, 0x01])
# The same with up to 16 cells of 0 mV, none of them balancing.
ZERO_CELLS_BODY = bytes([2, 0, 0x07])


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def blob(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def seal(envelope):
    return envelope + b"\x7d" + crc32c(envelope).to_bytes(4, "little")


def record(device, epoch, seq, utc_ms, *, schema=1, boot=1, no=None, cells=0, body=EMPTY_BODY, more=b""):
    """One sample, without cells unless the body has some: the smallest record that is whole."""
    return seal(number(1, schema) + blob(2, device.encode()) + varint(3 << 3 | 1) + epoch.to_bytes(8, "little") + number(4, seq) +
                number(5, boot) + number(6, no or seq) + number(7, 1) + number(8, utc_ms) + number(9, utc_ms) + number(10, cells) +
                number(11, 0) + blob(12, body) + more)
