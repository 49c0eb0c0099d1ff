"""A mail taken apart into its parts, to a depth and a number that a hostile one cannot exceed.

The standard library's parser descends without end and makes an object of every part, so a mail of a
few kilobytes could stop a worker; this one cuts at the boundaries and leaves the rest as it is.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field

from .headers import Headers, Parameters, lenient_base64, media_type, parameters, split_head

DEEPEST = 20
MOST_PARTS = 300
_LONGEST_BOUNDARY = 250
#: Lines that look like a delimiter are looked at this often.
_MOST_DELIMITERS = 20_000


@dataclass(slots=True)
class Part:
    """One part: with ``children`` where it has any, else with its ``body`` as it was sent.

    ``section`` numbers it as IMAP does (``2.1``; ``""`` for the whole). ``unopened`` says that it was
    left in one piece because there were too many, or too deep.
    """

    headers: Headers
    section: str
    content_type: str
    parameters: Parameters
    body: bytes = b""
    children: list[Part] = field(default_factory=list)
    unopened: bool = False

    @property
    def is_multipart(self) -> bool:
        """Whether it holds parts rather than content."""
        return bool(self.children)

    @property
    def disposition(self) -> Parameters:
        """``attachment``, ``inline`` or nothing, with the file name."""
        return parameters(self.headers.first("content-disposition"))

    def data(self) -> bytes:
        """The content, its transfer encoding undone as far as it can be."""
        encoding = self.headers.first("content-transfer-encoding").partition(";")[0].strip().lower()
        if encoding == "base64":
            return lenient_base64(self.body)
        if encoding == "quoted-printable":
            return binascii.a2b_qp(self.body)
        return self.body

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in their order."""
        yield self
        for child in self.children:
            yield from child.walk()


def take_apart(raw: bytes) -> Part:
    """The mail as a tree of parts. Never raises; a mail that cannot be taken apart is one part."""
    return _part(raw, "", 0, "text/plain", _Allowance(MOST_PARTS))


@dataclass(slots=True)
class _Allowance:
    parts: int


def _part(raw: bytes, section: str, depth: int, default: str, allowance: _Allowance) -> Part:
    allowance.parts -= 1
    headers, body = split_head(raw)
    read = parameters(headers.first("content-type"))
    part = Part(headers, section, media_type(read.value, default), read, body)
    if not part.content_type.startswith("multipart/"):
        return part
    boundary = read.get("boundary").encode("utf-8", "replace")
    if not 0 < len(boundary) <= _LONGEST_BOUNDARY:
        part.content_type = "text/plain"
        return part
    if depth >= DEEPEST or allowance.parts <= 0:
        part.unopened = True
        return part
    inner = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
    prefix = f"{section}." if section else ""
    for number, piece in enumerate(_pieces(body, b"--" + boundary), start=1):
        if allowance.parts <= 0:
            # The whole, so that nothing is lost: these parts can be looked at in another program.
            part.children.append(_unopened(body, f"{prefix}{number}"))
            break
        part.children.append(_part(piece, f"{prefix}{number}", depth + 1, inner, allowance))
    if part.children:
        part.body = b""
    else:
        # A boundary that never comes: what there is, is text.
        part.content_type = "text/plain"
    return part


def _unopened(raw: bytes, section: str) -> Part:
    empty = parameters("")
    return Part(Headers(), section, "application/octet-stream", empty, raw, unopened=True)


def _pieces(body: bytes, delimiter: bytes) -> Iterator[bytes]:
    """What stands between the delimiter lines; a missing last one is taken as read."""
    start = -1
    for begin, end, last in _delimiters(body, delimiter):
        if start >= 0:
            yield _without_line_end(body[start:begin])
        start = end
        if last:
            return
    if start >= 0:
        yield body[start:]


def _delimiters(body: bytes, delimiter: bytes) -> Iterator[tuple[int, int, bool]]:
    """Where each delimiter line begins and ends, and whether it is the closing one."""
    on_new_line = b"\n" + delimiter
    position = 0 if body.startswith(delimiter) else body.find(on_new_line) + 1 or -1
    for _ in range(_MOST_DELIMITERS):
        if position < 0:
            return
        after = position + len(delimiter)
        line_end = body.find(b"\n", after)
        line_end = len(body) if line_end < 0 else line_end
        # Bounded, for a line may be as long as the body; a delimiter has nothing but blanks behind it.
        rest = body[after : min(line_end, after + 200)].strip()
        if rest in (b"", b"--"):
            yield position, min(line_end + 1, len(body)), rest == b"--"
        position = body.find(on_new_line, line_end) + 1 or -1


def _without_line_end(piece: bytes) -> bytes:
    if piece.endswith(b"\r\n"):
        return piece[:-2]
    return piece[:-1] if piece.endswith(b"\n") else piece
