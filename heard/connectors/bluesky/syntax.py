"""The identifiers of the AT Protocol: what is one, and what is in it.

Follows the syntax sections of the protocol's specification. Everything here answers with a value or
``None``, never raises, and looks at the length first, so that an enormous text costs nothing.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
TOP_LABEL = r"[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
HANDLE = rf"(?:{LABEL}\.)+{TOP_LABEL}"

_HANDLE = re.compile(HANDLE)
_DID = re.compile(r"did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]")
_NSID = re.compile(rf"{TOP_LABEL}(?:\.{LABEL})+\.[a-zA-Z][a-zA-Z0-9]{{0,62}}")
_RECORD_KEY = re.compile(r"[a-zA-Z0-9_~.:-]{1,512}")
_TID = re.compile(r"[234567a-j][234567a-z]{12}")
_DATETIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,20}))?(?:(Z)|([+-])(\d\d):(\d\d))",
    re.ASCII,
)

_TID_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
# 50 bits of microseconds end in 2005, before the network existed: a key of ours can never meet one
# that another app took from its clock, and never lies in the future.
_KEY_BITS = 60


def is_handle(text: str) -> bool:
    """Whether this is a handle (a host name with at least two labels, at most 253 characters)."""
    return len(text) <= 253 and _HANDLE.fullmatch(text) is not None


def is_did(text: str) -> bool:
    """Whether this is a decentralised identifier, at most 2,048 characters."""
    return len(text) <= 2048 and _DID.fullmatch(text) is not None


def is_nsid(text: str) -> bool:
    """Whether this names a kind of record, as ``app.bsky.feed.post`` does."""
    return len(text) <= 317 and _NSID.fullmatch(text) is not None


def is_record_key(text: str) -> bool:
    """Whether this can name one record in a collection."""
    return text not in {".", ".."} and len(text) <= 512 and _RECORD_KEY.fullmatch(text) is not None


def is_tid(text: str) -> bool:
    """Whether this is a record key made from a time."""
    return _TID.fullmatch(text) is not None


def record_key_for(key: str) -> str:
    """The record key under which an order's record stands: the same for the same ``key``, for ever."""
    number = int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    number >>= 64 - _KEY_BITS
    return "".join(_TID_ALPHABET[(number >> shift) & 31] for shift in range(60, -1, -5))


@dataclass(frozen=True, slots=True)
class AtUri:
    """``at://authority/collection/rkey``; the last two are empty where they are absent."""

    authority: str
    collection: str = ""
    rkey: str = ""

    def __str__(self) -> str:
        return "at://" + "/".join(part for part in (self.authority, self.collection, self.rkey) if part)


def at_uri(text: object) -> AtUri | None:
    """The parts of an AT-URI, or ``None`` if it is not one. Fragments and queries are not accepted."""
    if not isinstance(text, str) or len(text) > 8192 or not text.startswith("at://"):
        return None
    parts = text[5:].split("/")
    if len(parts) > 3 or not (is_did(parts[0]) or is_handle(parts[0])):
        return None
    if len(parts) > 1 and not is_nsid(parts[1]):
        return None
    if len(parts) > 2 and not is_record_key(parts[2]):
        return None
    return AtUri(*parts)


def record_uri(text: object) -> AtUri | None:
    """As ``at_uri``, but of one record, under an identifier that does not change with the handle."""
    uri = at_uri(text)
    return uri if uri and uri.rkey and is_did(uri.authority) else None


def parse_datetime(text: object) -> datetime | None:
    """An instant in UTC, to the microsecond; ``None`` where the text is none or lies outside 1 to 9999."""
    found = _DATETIME.fullmatch(text) if isinstance(text, str) and len(text) <= 64 else None
    if found is None or (found[9] == "-" and found[10] == found[11] == "00"):
        return None
    year, month, day, hour, minute, second = (int(found[group]) for group in range(1, 7))
    microsecond = int((found[7] or "0")[:6].ljust(6, "0"))
    ahead = timedelta()
    if not found[8]:
        ahead = timedelta(hours=int(found[10]), minutes=int(found[11])) * (-1 if found[9] == "-" else 1)
    try:
        local = datetime(year, month, day, hour, minute, second, microsecond, timezone(ahead))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def format_datetime(at: datetime) -> str:
    """As the specification prefers it: UTC, milliseconds, ``Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
