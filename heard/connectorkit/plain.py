"""Vocabulary to JSON-ready values and back: fixtures, stored events and tests read the same form.

Defaults are left out, instants end in ``Z``, bytes are base64, enums are written by value, and what
stands for one of several types carries a tag: ``{"event": "MessageSeen", ...}``.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import types
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from . import vocabulary
from .vocabulary import (
    CannotTell,
    MessageGone,
    MessageSeen,
    No,
    NotFound,
    Receipt,
    UnknownEvent,
    Yes,
)

#: Which key names the type, for the members of the vocabulary's unions.
TAGS: Mapping[type, str] = {
    MessageSeen: "event",
    MessageGone: "event",
    Receipt: "event",
    UnknownEvent: "event",
    Yes: "answer",
    No: "answer",
    NotFound: "looked",
    CannotTell: "looked",
}


class NotPlain(ValueError):
    """A plain value does not describe what it should; the message names the place."""


def to_plain(value: Any) -> Any:
    """JSON-ready form of anything made of the vocabulary; raises ``TypeError`` for other objects."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [to_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} is not part of the vocabulary")


def from_plain(kind: Any, value: Any) -> Any:
    """The value of type ``kind`` (a vocabulary class, ``Event``, …) that ``to_plain`` wrote.

    Raises ``NotPlain`` with the place that does not fit.
    """
    return _read(kind, value, "value")


def event_from_plain(value: Any) -> vocabulary.Event:
    """One event from its tagged form; raises ``NotPlain``."""
    event: vocabulary.Event = _read(vocabulary.Event, value, "event")
    return event


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise TypeError("an instant without a time zone is not part of the vocabulary")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _fields(value: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    if type(value) in TAGS:
        plain[TAGS[type(value)]] = type(value).__name__
    for item in dataclasses.fields(value):
        content = getattr(value, item.name)
        if not _is_default(item, content):
            plain[item.name] = to_plain(content)
    return plain


def _is_default(item: dataclasses.Field[Any], content: Any) -> bool:
    if item.default is not dataclasses.MISSING:
        default = item.default
    elif item.default_factory is not dataclasses.MISSING:
        default = item.default_factory()
    else:
        return False
    if isinstance(default, tuple) and isinstance(content, list | tuple):
        return tuple(content) == default
    return bool(content == default) and type(content) is type(default)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, value: Any, place: str) -> Any:
    if kind is Any:
        return value
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _read_union(get_args(kind), value, place)
    if origin is not None:
        return _read_container(origin, get_args(kind), value, place)
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, value, place)
    return _read_scalar(kind, value, place)


def _read_union(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    if value is None and types.NoneType in kinds:
        return None
    chosen = [kind for kind in kinds if kind is not types.NoneType]
    if len(chosen) == 1:
        return _read(chosen[0], value, place)
    if not isinstance(value, Mapping):
        raise NotPlain(f"{place}: one of several types, written as an object, was expected")
    for kind in chosen:
        if kind in TAGS and value.get(TAGS[kind]) == kind.__name__:
            return _read_dataclass(kind, value, place)
    untagged = [kind for kind in chosen if kind not in TAGS]
    if len(untagged) == 1 and not any(tag in value for tag in TAGS.values()):
        return _read(untagged[0], value, place)
    names = ", ".join(kind.__name__ for kind in chosen)
    raise NotPlain(f"{place}: says none of {names}")


def _read_container(origin: Any, inner: tuple[Any, ...], value: Any, place: str) -> Any:
    if issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise NotPlain(f"{place}: an object was expected")
        return {str(key): _read(inner[1], item, f"{place}.{key}") for key, item in value.items()}
    if not isinstance(value, list | tuple):
        raise NotPlain(f"{place}: a list was expected")
    return tuple(_read(inner[0], item, f"{place}[{number}]") for number, item in enumerate(value))


def _read_dataclass(kind: Any, value: Any, place: str) -> Any:
    if not isinstance(value, Mapping):
        raise NotPlain(f"{place}: an object was expected")
    given = {key: item for key, item in value.items() if TAGS.get(kind) != key}
    hints = _hints(kind)
    unknown = sorted(set(given) - set(hints))
    if unknown:
        raise NotPlain(f"{place}: {kind.__name__} has no {', '.join(unknown)}")
    read = {key: _read(hints[key], item, f"{place}.{key}") for key, item in given.items()}
    try:
        return kind(**read)
    except TypeError as error:
        raise NotPlain(f"{place}: {error}") from error


def _read_scalar(kind: Any, value: Any, place: str) -> Any:
    try:
        if kind is datetime:
            return datetime.fromisoformat(value).astimezone(UTC)
        if kind is bytes:
            return base64.b64decode(value, validate=True)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return kind(value)
    except (TypeError, ValueError, OverflowError, binascii.Error) as error:
        raise NotPlain(f"{place}: {error}") from error
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise NotPlain(f"{place}: {kind.__name__} was expected, not {type(value).__name__}")
    return value
