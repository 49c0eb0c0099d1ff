"""What follows a compressed body is left alone, however much it is."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

import pytest

from heard.foundation.net.body import TooLarge, read_body


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_bytes_without_end_behind_a_body_are_not_gathered(encoding, pack) -> None:
    read = []

    def endless() -> Iterator[bytes]:
        yield pack(b"hello")
        for number in range(10_000):
            read.append(number)
            yield b"x" * 65_536

    assert read_body(endless(), {"content-encoding": encoding}, 1_000_000) == b"hello"
    assert read == []


@pytest.mark.parametrize("pieces", [1, 7, 4096])
def test_a_body_in_pieces_is_read_to_its_end(pieces) -> None:
    packed = gzip.compress(bytes(range(256)) * 40)
    chunks = [packed[start : start + pieces] for start in range(0, len(packed), pieces)]
    assert read_body(chunks, {"content-encoding": "gzip"}, 20_000) == bytes(range(256)) * 40
    with pytest.raises(TooLarge):
        read_body(chunks, {"content-encoding": "gzip"}, 10_000)
