"""Whether events can be stored: what every delivery, however spoilt, must come to."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from heard.connectorkit import vocabulary
from heard.connectorkit.plain import from_plain, to_plain
from heard.connectorkit.vocabulary import MessageGone, MessageSeen

#: A NUL as JSON writes it; behind another backslash the same letters are just letters.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def check_events(events: Sequence[Any]) -> None:
    """Fail unless these events can be stored: the right types, no NUL, aware instants, JSON-ready."""
    for event in events:
        assert isinstance(event, vocabulary.Event), f"{event!r} is no event"
        if isinstance(event, MessageSeen | MessageGone | vocabulary.Receipt):
            assert event.native_id, "an event without an id"
        plain = to_plain(event)
        written = json.dumps(plain, allow_nan=False, ensure_ascii=False)
        written.encode("utf-8")  # half a surrogate pair cannot be stored
        assert "\\u0000" not in written or not _NUL.search(written), "a NUL byte"
        _check_types(event, plain)


def _check_types(value: Any, plain: Any) -> None:
    assert to_plain(from_plain(type(value), plain)) == plain
    for field in dataclasses.fields(value):
        content = getattr(value, field.name)
        if isinstance(content, datetime):
            assert content.tzinfo is not None, f"{field.name} has no time zone"
            assert content.utcoffset() == timedelta(0), f"{field.name} is not UTC"


def comparable(events: Sequence[Any], expected: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Plain events without what the expectation leaves open: ``raw`` and the bytes of attachments."""
    plain = [to_plain(event) for event in events]
    for got, wanted in zip(plain, expected, strict=False):
        if "raw" not in wanted:
            got.pop("raw", None)
        files = wanted.get("attachments", [])
        for number, attachment in enumerate(got.get("attachments", [])):
            if number >= len(files) or "data" not in files[number]:
                attachment.pop("data", None)
    return plain
