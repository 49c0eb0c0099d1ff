"""Ways in which a delivery goes wrong: the conformance suite feeds them all to every connector."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Iterator
from typing import Any

COMBINING = "e" + "\u0301" * 32_768
RIGHT_TO_LEFT = "\u202edrawkcab\u202c \u2067\u05d0\u05d1"
LONG_ID = "9" * 5_000

#: What a leaf is replaced with, one at a time.
STRANGE_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    "",
    " ",
    "\x00nul\x00",
    "\ud800 half a pair",
    "not what was expected",
    COMBINING,
    RIGHT_TO_LEFT,
    LONG_ID,
    "1601-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    -11_644_473_600,
    253_402_300_799,
    10**18,
    [],
    {},
    [[]],
    [None, 1, "x", {}],
    {"unexpected": ["shape"]},
    "javascript:alert(1)",
    "https://[broken",
    "<" * 3_000,
)


def mutated_json(payload: Any, *, at_most: int = 2_500) -> Iterator[Any]:
    """Copies of ``payload`` with one thing wrong: a key gone, or a value replaced.

    Every place with every replacement; where that is more than ``at_most``, an even sample of it.
    """
    places = list(_places(payload, ()))
    changes: list[tuple[tuple[str | int, ...], int | None]] = [(place, None) for place in places if place]
    changes += [(place, number) for place in places for number in range(len(STRANGE_VALUES))]
    if len(changes) > at_most:
        changes = random.Random(7).sample(changes, at_most)  # noqa: S311 - the same sample every run
    for place, number in changes:
        yield _changed(payload, place, number)


def _places(value: Any, place: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    yield place
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, (*place, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _places(item, (*place, number))


def _changed(payload: Any, place: tuple[str | int, ...], number: int | None) -> Any:
    if not place:
        return copy.deepcopy(STRANGE_VALUES[number or 0])
    changed = copy.deepcopy(payload)
    parent = changed
    for step in place[:-1]:
        parent = parent[step]
    if number is None:
        del parent[place[-1]]
    else:
        parent[place[-1]] = copy.deepcopy(STRANGE_VALUES[number])
    return changed


def mutated_mail(body: bytes) -> Iterator[bytes]:
    """Copies of an e-mail with one thing wrong: headers gone or strange, charsets that lie, cuts."""
    head, separator, rest = body.replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = head.split(b"\n")
    for number, line in enumerate(lines):
        yield b"\n".join(lines[:number] + lines[number + 1 :]) + separator + rest
        name = line.partition(b":")[0]
        for strange in _STRANGE_HEADERS:
            changed = [*lines[:number], name + b": " + strange, *lines[number + 1 :]]
            yield b"\n".join(changed) + separator + rest
    for cut in range(0, len(body), max(1, len(body) // 60)):
        yield body[:cut]
        yield body[:cut] + b"\x00\xff\xfe" + body[cut:]
    for charset in _CHARSETS:
        yield re.sub(rb"charset=\"?[\w-]+\"?", b"charset=" + charset, body)
    yield head + separator + COMBINING.encode() + RIGHT_TO_LEFT.encode() + b"\x00"


_CHARSETS = (b"utf-7", b"x-unknown", b"utf-16", b'"', b"\xff", b"idna", b"rot13", b"a" * 500)
_STRANGE_HEADERS: tuple[bytes, ...] = (
    b"",
    b"\x00",
    b"\xff\xfe\xfd",
    b"=?utf-8?b?////?=",
    b"=?x-unknown?q?=00=D8?=",
    b"<" + b"9" * 5_000 + b"@long.example>",
    RIGHT_TO_LEFT.encode(),
    COMBINING.encode()[:8_000],
    b"Mon, 01 Jan 1601 00:00:00 +0000",
    b"Fri, 31 Dec 9999 23:59:59 -1400",
    b"Thu, 99 Foo 99999 99:99:99 +9999",
    b"multipart/mixed",
    b'multipart/mixed; boundary=""',
    b"message/rfc822",
    b"text/html; charset=x-unknown",
    b"a@b, c@d, <<>>, (((",
)
