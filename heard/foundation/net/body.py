"""Reading an answer's body within limits, also when a few kilobytes inflate to gigabytes."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable, Mapping

import httpx

ENCODINGS = "gzip, deflate"


class TooLarge(Exception):
    """The body is larger than allowed."""


class Garbled(Exception):
    """The body is not what its Content-Encoding says, or an encoding we did not ask for."""


def read_body(chunks: Iterable[bytes], headers: Mapping[str, str], maximum_bytes: int) -> bytes:
    """The decoded body, at most ``maximum_bytes``; raises ``TooLarge`` or ``Garbled``."""
    announced = headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:18]) > maximum_bytes:
        raise TooLarge
    encoding = headers.get("content-encoding", "identity").strip().lower() or "identity"
    if encoding == "identity":
        return _plain(chunks, maximum_bytes)
    if encoding in ("gzip", "x-gzip"):
        return _inflate(chunks, zlib.MAX_WBITS | 16, maximum_bytes)
    if encoding == "deflate":
        return _inflate(chunks, None, maximum_bytes)
    raise Garbled


def _plain(chunks: Iterable[bytes], maximum_bytes: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > maximum_bytes:
            raise TooLarge
    return bytes(body)


def _inflate(chunks: Iterable[bytes], window_bits: int | None, maximum_bytes: int) -> bytes:
    body = bytearray()
    inflater = zlib.decompressobj(window_bits) if window_bits is not None else None
    try:
        for chunk in chunks:
            if inflater is None:
                inflater = _deflater(chunk)
            # max_length keeps one small chunk from becoming a thousand times its size in one step.
            body += inflater.decompress(chunk, maximum_bytes + 1 - len(body))
            if len(body) > maximum_bytes or inflater.unconsumed_tail:
                raise TooLarge
            if inflater.eof:
                break  # what follows is no part of it, and may follow without end
    except zlib.error as error:
        raise Garbled from error
    if inflater is not None and not inflater.eof:
        raise Garbled  # cut off in the middle
    return bytes(body)


def _deflater(first: bytes) -> zlib._Decompress:
    # "deflate" means zlib's format (RFC 9110, 8.4.1.2), but some servers send the raw stream.
    zlib_format = len(first) > 1 and first[0] & 0x0F == 8 and (first[0] << 8 | first[1]) % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if zlib_format else -zlib.MAX_WBITS)


def response_of(status: int, headers: httpx.Headers, body: bytes, request: httpx.Request) -> httpx.Response:
    """A closed ``httpx.Response`` around a body that has been read and decoded."""
    kept = [
        (name, value)
        for name, value in headers.multi_items()
        if name not in ("content-encoding", "content-length", "transfer-encoding")
    ]
    response = httpx.Response(status, headers=kept, content=body, request=request)
    if not _is_text(response.charset_encoding):
        response.encoding = "utf-8"  # "charset=zlib" is a codec to Python, and would inflate on .text
    return response


def _is_text(charset: str | None) -> bool:
    try:
        return charset is None or codecs.lookup(charset)._is_text_encoding
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return False
