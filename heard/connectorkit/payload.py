"""Reading what a network hands us: tolerant where it may be, ``Unreadable`` where it must be.

A mapping that takes everything through these functions sees no NUL bytes, no lone surrogates and no
surprising types, so that whatever arrives becomes events or ``Unreadable``, and nothing else.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import from_json

from .errors import Unreadable

#: Databases take neither NUL nor half a surrogate pair; U+FFFD says that something was there.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: How JSON may write them; a pair of halves is one fine character, which only a closer look can tell.
_UNSTORABLE_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_DEEPEST = 200


def clean(text: str) -> str:
    """``text`` with NUL and lone surrogates replaced by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def parse_json(body: bytes) -> Any:
    """The JSON in ``body`` with every string (and key) cleaned; raises ``Unreadable``."""
    if not _UNSTORABLE_ESCAPE.search(body) and not _may_overflow(body):
        try:
            # It takes UTF-8 without control characters or halves, and nothing nested too deeply.
            return from_json(body, allow_inf_nan=False, cache_strings="keys")
        except ValueError:
            pass  # the tolerant way reads it, or refuses it
    try:
        text = body.decode(json.detect_encoding(body), "surrogatepass")
        return _clean_all(json.loads(text, parse_constant=_no_constant, parse_float=_finite), 0)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise Unreadable("The delivery is not readable JSON.") from error


_SHAPE = bytes.maketrans(b"E123456789", b"e000000000")


def _may_overflow(body: bytes) -> bool:
    """True when some number may be beyond what a double holds (or some text looks like one)."""
    shape = body.translate(_SHAPE, b"+")
    return b"e000" in shape or b"0" * 300 in shape


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError("a number is too large")  # 1e999 parses as infinity, which is not JSON
    return value


def _clean_all(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean_all(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {clean(key): _clean_all(item, depth + 1) for key, item in value.items()}
    return value


def need_mapping(value: Any, what: str) -> Mapping[str, Any]:
    """``value`` if it is an object; raises ``Unreadable`` naming ``what``."""
    if type(value) is not dict and not isinstance(value, Mapping):
        raise Unreadable(f"{what} is missing or not an object.")
    return value


def need_text(mapping: Mapping[str, Any], key: str, what: str) -> str:
    """A non-empty string (a number is taken as its digits); raises ``Unreadable`` naming ``what``."""
    value = mapping.get(key)
    if isinstance(value, str) and value and not value.isspace():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return _digits(value, f"{what}: {key}")
    raise Unreadable(f"{what}: {key} is missing or not a text.")


def _digits(value: int, what: str) -> str:
    try:
        return str(value)
    except ValueError as error:  # Python refuses to print integers of thousands of digits
        raise Unreadable(f"{what} is a number without end.") from error


def want_text(mapping: Mapping[str, Any], key: str, default: str = "") -> str:
    """A string, or ``default`` where it is missing or something else."""
    value = mapping.get(key)
    return value if isinstance(value, str) else default


def want_mapping(mapping: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An object, or an empty one where it is missing or something else."""
    value = mapping.get(key)
    # What JSON gives is told without asking the abstract class, which takes ten times as long.
    return value if type(value) is dict or isinstance(value, Mapping) else {}


def want_list(mapping: Mapping[str, Any], key: str) -> Sequence[Any]:
    """A list, or an empty one where it is missing or something else."""
    value = mapping.get(key)
    return value if isinstance(value, list) else []


def want_int(mapping: Mapping[str, Any], key: str) -> int | None:
    """A whole number that fits 63 bits, or ``None``."""
    value = mapping.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        return None
    return value


def want_bool(mapping: Mapping[str, Any], key: str, *, default: bool = False) -> bool:
    """True or false, or ``default`` where it is missing or something else."""
    value = mapping.get(key)
    return value if isinstance(value, bool) else default


def need_instant(value: Any, what: str) -> datetime:
    """An aware UTC instant from ISO 8601 text or Unix seconds; raises ``Unreadable`` naming ``what``."""
    read = want_instant(value)
    if read is None:
        raise Unreadable(f"{what} is missing or not a point in time.")
    return read


def want_instant(value: Any) -> datetime | None:
    """Like ``need_instant``, but ``None`` where it cannot be read. Text without a zone is UTC."""
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value.strip())
            if read.tzinfo is UTC:
                return read
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
    except (ValueError, OverflowError):
        return None
    return None
