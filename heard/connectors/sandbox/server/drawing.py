"""A small picture out of nothing: what people attach."""

from __future__ import annotations

import random
import struct
import zlib
from math import isqrt

WIDTH = HEIGHT = 96


def draw_png(rng: random.Random) -> bytes:
    """A PNG of a few soft coloured discs, different each time, about half a kilobyte."""
    ground = _colour(rng)
    discs = [
        (rng.randrange(WIDTH), rng.randrange(HEIGHT), rng.randrange(10, 40), _colour(rng)) for _ in range(4)
    ]
    rows = bytearray()
    for y in range(HEIGHT):
        row = bytearray(ground * WIDTH)
        for centre_x, centre_y, radius, colour in discs:
            half = isqrt(max(0, radius**2 - (y - centre_y) ** 2))
            left, right = max(0, centre_x - half), min(WIDTH, centre_x + half)
            if half and left < right:
                row[left * 3 : right * 3] = colour * (right - left)
        rows += b"\x00" + row  # no filter in this line
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(bytes(rows), 6)),
            _chunk(b"IEND", b""),
        )
    )


def _colour(rng: random.Random) -> bytes:
    return bytes(rng.randrange(60, 240) for _ in range(3))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
