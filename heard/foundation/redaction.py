"""What must not be written down: which names hold secrets or people's words, and how values are hidden.

One set of rules for logs, recorded fixtures and reported paths.
"""

from __future__ import annotations

import re
import sqlite3
import traceback
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import PurePath
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

HIDDEN = "[hidden]"

_SECRET_WORDS = frozenset(
    """
    auth authorization cookie cookies credential credentials dpop jwt otp passphrase passwd password pwd
    secret secrets session sessionid sig signature token tokens totp
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_SECRET_PARTS = ("password", "secret", "token", "credential")
_TOLD_PARTS = (
    *_SECRET_PARTS,
    "passwd",
    "passphrase",
    "apikey",
    "api_key",
    "api-key",
    "authorization",
    "cookie",
)
_SECRET_ENDS = ("apikey", "privatekey", "secretkey", "accesskey", "signingkey", "accessjwt", "refreshjwt")
_SECRET_QUERY = frozenset(("key", "code", "state", "sig", "hmac", "challenge", "hash"))
# What people say and who they are: never in a log.
_PERSON_WORDS = frozenset(
    """
    alt bio body caption comment content draft email emails handle handles headers html mail note payload
    phone preview prompt raw recipient recipients snippet subject text texts title transcript username
    """.split()  # noqa: SIM905
)
# "body_bytes", "content_type", "text_length" say something about a text without repeating it.
_ABOUT = frozenset(
    ("bytes", "count", "counts", "digest", "id", "ids", "kind", "length", "seconds", "size", "type")
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_DEEPEST = 6
_LONGEST = 2_000
_MOST = 100

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
# Each starts at a border (the look-behinds), so that a long word is read once and not once per letter.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=://)[^\s/@]+@"), f"{HIDDEN}@"),
    (re.compile(r"\?[^\s\"'<>()=?]*=[^\s\"'<>()]*"), f"?{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic|digest|dpop|oauth)\s+[^\s,;\"']+"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?<![^\s@<>\"'(),;:])[^\s@<>\"'(),;:]*@[^\s@<>\"'(),;:/]+"), "[address]"),
    (re.compile(rf"(?<![\w-])(?!{_UUID}(?![\w-]))(?=[\w-]*[0-9])(?=[\w-]*[A-Za-z])[\w-]{{24,}}"), HIDDEN),
)
_ASSIGNED = re.compile(r"(?<![\w-])([\w-]+)([\"']?\s{0,3}[=:]\s{0,3})(?:\"[^\"]*\"?|'[^']*'?|[^\s,;&\"']+)")


def is_secret_name(name: str) -> bool:
    """Whether a header, field, key or setting of this name holds a secret (``X-Api-Key``, ``accessJwt``)."""
    words = _words(name)
    joined = "".join(words)
    return (
        not _SECRET_WORDS.isdisjoint(words)
        or joined.endswith(_SECRET_ENDS)
        or any(part in joined for part in _SECRET_PARTS)
    )


def is_secret_query(name: str) -> bool:
    """Like ``is_secret_name``, and stricter: what OAuth and signed links put into a query."""
    return is_secret_name(name) or name.lower() in _SECRET_QUERY


def is_person_name(name: str) -> bool:
    """Whether a value of this name is what somebody said, or who somebody is."""
    words = _words(name)
    return bool(words) and words[-1] not in _ABOUT and not _PERSON_WORDS.isdisjoint(words)


def hide(text: str, secrets: Iterable[str]) -> str:
    """``text`` without any of ``secrets``, plain or percent-encoded; the longest are taken out first."""
    for secret in sorted((secret for secret in secrets if secret), key=len, reverse=True):
        for spelling in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}:
            text = text.replace(spelling, HIDDEN)
    return text


def redact(value: Any, name: str = "", depth: int = 0) -> Any:
    """``value`` in JSON-ready form, fit for a log: what ``name`` or its looks give away is hidden.

    Objects that we do not know are named by their type only: a ``repr`` repeats what it holds.
    """
    if value is None or isinstance(value, bool):
        return value
    if is_secret_name(name):
        return HIDDEN
    if isinstance(value, int | float):
        return value
    if is_person_name(name):
        return HIDDEN
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _redact_many(value, name, depth)
    return _redact_one(value)


def redact_text(text: str) -> str:
    """``text`` without tokens, credentials, queries of URLs and addresses; at most 2,000 characters."""
    shown = text[:_LONGEST]
    for pattern, instead in _PATTERNS:
        shown = pattern.sub(instead, shown)
    shown = _ASSIGNED.sub(_without_value, shown)
    return shown if len(text) <= _LONGEST else shown + "…"


def _without_value(found: re.Match[str]) -> str:
    # Unlike a key of ours, a word in a sentence is not always a name: "session: closed" may stay.
    name = found[1].lower()
    return f"{found[1]}{found[2]}{HIDDEN}" if any(part in name for part in _TOLD_PARTS) else found[0]


def describe_error(error: BaseException) -> str:
    """An exception with its causes and their frames, without what foreign messages may repeat.

    Only our own errors promise a sentence without secrets or texts; of others the kind is told, and the
    code where the database or the operating system gives one.
    """
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < 5:
        frames = "".join(traceback.format_list(traceback.extract_tb(seen.__traceback__)[-20:]))
        parts.append(f"{frames}{type(seen).__qualname__}{_safe_message(seen)}")
        if isinstance(seen, BaseExceptionGroup):
            parts.extend(f"  of {type(one).__qualname__}{_safe_message(one)}" for one in seen.exceptions[:5])
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\ncaused by\n".join(parts)


def _safe_message(error: BaseException) -> str:
    message = getattr(error, "message", None)
    if type(error).__module__.startswith("heard.") and isinstance(message, str):
        return f": {redact_text(message)}"
    if isinstance(error, AttributeError | ImportError | NameError | RecursionError):
        return f": {redact_text(str(error))}"  # about the program, not about what it worked on
    if isinstance(error, OSError) and error.strerror:
        return f": {redact_text(error.strerror)}"
    if isinstance(error, sqlite3.Error):
        return f": {getattr(error, 'sqlite_errorname', '')}"
    state = getattr(error, "sqlstate", None)
    return f": {state}" if isinstance(state, str) else ""


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def _redact_many(value: Any, name: str, depth: int) -> Any:
    if depth >= _DEEPEST:
        return "[…]"
    if isinstance(value, Mapping):
        pairs = islice(value.items(), _MOST)
        return {redact_text(str(key)): redact(item, str(key), depth + 1) for key, item in pairs}
    # A list of pairs is how headers and form fields often come.
    if len(value) == 2 and isinstance(value, tuple) and isinstance(value[0], str):
        return [redact_text(value[0]), redact(value[1], value[0], depth + 1)]
    return [redact(item, name, depth + 1) for item in islice(value, _MOST)]


def _redact_one(value: Any) -> Any:
    if isinstance(value, Enum):
        return redact(value.value)
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, BaseException):
        return f"{type(value).__qualname__}{_safe_message(value)}"
    if isinstance(value, UUID | Decimal | date | timedelta | PurePath):
        return redact_text(str(value))
    kind = value if isinstance(value, type) else type(value)
    return f"<{kind.__qualname__}>"
