"""Header lines of a mail: split, unfolded, their encoded words read. Linear, bounded, never raising."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message

from .charsets import decode, one_line

#: A mail's whole head beyond this is not read, nor one header, nor more of them.
LONGEST_HEAD = 1_000_000
LONGEST_VALUE = 65_536
MOST_HEADERS = 2_000
#: Python's reader of parameters takes quadratic time where quotes are not closed.
_LONGEST_PARAMETERS = 4_096
LONGEST_FILE_NAME = 200

_NAME = re.compile(r"[!-9;-~]{1,120}")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?=")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,80}")


@dataclass(frozen=True, slots=True)
class Headers:
    """Headers in their order: names in lower case, values unfolded but not decoded."""

    pairs: Sequence[tuple[str, str]] = ()

    def first(self, name: str) -> str:
        """The first value of a header, ``""`` where there is none."""
        return next((value for key, value in self.pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.pairs if key == name]

    def words(self, name: str, maximum: int) -> str:
        """The first value, its encoded words read, as one line of at most ``maximum`` characters."""
        return one_line(decode_words(self.first(name)), maximum)


def split_head(raw: bytes) -> tuple[Headers, bytes]:
    """The headers on top of ``raw``, and the body below the first empty line."""
    if raw[:1] == b"\n" or raw[:2] == b"\r\n":
        return Headers(), raw.partition(b"\n")[2]
    end = _END_OF_HEAD.search(raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    return read_headers(head[:LONGEST_HEAD]), body


def read_headers(head: bytes) -> Headers:
    """The headers in ``head``; lines that are none are left out."""
    found: list[tuple[str, list[str]]] = []
    length = 0
    # The head is decoded as a whole, so that a guess at its charset is made once and on all there is.
    for line in decode(head).split("\n"):
        if line[:1] in (" ", "\t"):
            length += len(line)
            if found and length < LONGEST_VALUE:
                found[-1][1].append(line)
            continue
        name, colon, value = line.partition(":")
        if colon and _NAME.fullmatch(name.rstrip()):
            found.append((name.rstrip().lower(), [value]))
            length = len(value)
            if len(found) >= MOST_HEADERS:
                break
    return Headers(tuple((name, "".join(parts).strip()[:LONGEST_VALUE]) for name, parts in found))


def decode_words(value: str) -> str:
    """``value`` with its encoded words (RFC 2047) read, also where mailers put them wrongly."""
    return "".join(_decoded(value))


def _decoded(value: str) -> Iterator[str]:
    position = 0
    waiting: list[bytes] = []
    charset = ""
    for match in _WORD.finditer(value):
        between = value[position : match.start()]
        position = match.end()
        name = match[1].partition("*")[0].lower()
        # White space between two encoded words is not part of the text, and a character may be cut in
        # two by the gap, so words of one charset are joined as bytes.
        if waiting and (between.strip() or name != charset):
            yield decode(b"".join(waiting), charset)
            yield between if between.strip() else ""
            waiting = []
        elif not waiting:
            yield between
        charset = name
        waiting.append(_word_bytes(match[2], match[3]))
    yield decode(b"".join(waiting), charset)
    yield value[position:]


def _word_bytes(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if encoding in "bB":
        return lenient_base64(data)
    return binascii.a2b_qp(data.replace(b"_", b" "), header=False)


def lenient_base64(data: bytes) -> bytes:
    """What base64 holds, whatever else is strewn into it and however it ends."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        letters = _NOT_BASE64.sub(b"", data)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return base64.b64decode(letters + b"=" * (-len(letters) % 4))


@dataclass(frozen=True, slots=True)
class Parameters:
    """``text/plain; charset=…; name=…`` taken apart: ``value`` is lower case, ``""`` if unusable."""

    value: str
    message: Message

    def get(self, name: str) -> str:
        """A parameter (also one in pieces or with a charset, RFC 2231), ``""`` where there is none."""
        try:
            found = self.message.get_param(name, header="x")
        except (ValueError, LookupError, TypeError, AttributeError):
            return ""
        if isinstance(found, tuple):
            charset, _, encoded = found
            return decode(encoded.encode("latin-1", "replace"), charset or "")
        return found if isinstance(found, str) else ""


def parameters(value: str) -> Parameters:
    """The parameters of a ``Content-Type`` or ``Content-Disposition`` value."""
    message = Message()
    message["x"] = one_line(value[:_LONGEST_PARAMETERS], _LONGEST_PARAMETERS)
    return Parameters(message["x"].partition(";")[0].strip().lower(), message)


def media_type(value: str, default: str) -> str:
    """``value`` if it is a media type (``image/png``), else ``default``."""
    return value if _MEDIA_TYPE.fullmatch(value) else default


def file_name(*candidates: str) -> str:
    """The first name that is one: decoded, on one line, without folders, at most 200 characters."""
    for candidate in candidates:
        whole = one_line(decode_words(candidate), LONGEST_VALUE)
        name = re.split(r"[/\\]", whole)[-1].strip().lstrip(".")
        if name:
            stem, dot, ending = name.rpartition(".")
            if len(name) > LONGEST_FILE_NAME and dot and len(ending) <= 10:
                return f"{stem[: LONGEST_FILE_NAME - len(ending) - 2]}….{ending}"
            return name[:LONGEST_FILE_NAME]
    return ""
