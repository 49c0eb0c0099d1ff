"""Server-sent events, read in bounded memory.

Definition: WHATWG HTML, "Server-sent events", event stream interpretation. Our own because a stream
may come from a server that somebody else chose: an event without end must not fill the memory.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass


class EventTooLarge(Exception):
    """One event grew beyond the limit."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event; ``event`` is ``"message"`` where the server gave no name, ``id`` the last one seen."""

    event: str
    data: str
    id: str


class EventParser:
    """Feed it bytes as they come, get whole events back. ``maximum_bytes`` bounds one event."""

    def __init__(self, maximum_bytes: int) -> None:
        self._maximum = maximum_bytes
        # errors="replace" and the stripped byte-order mark are the standard's own.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._at_start = True
        self._after_cr = False
        self._line: list[str] = []
        self._name = ""
        self._data: list[str] = []
        self._id = ""
        self._size = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that ``chunk`` completes; raises ``EventTooLarge``."""
        text = self._decoder.decode(chunk)
        if self._at_start and text:
            text = text.removeprefix("\ufeff")
            self._at_start = False
        if self._after_cr and text:
            text = text.removeprefix("\n")
            self._after_cr = False
        self._after_cr = self._after_cr or text.endswith("\r")
        *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        events: list[Event] = []
        for line in lines:
            event = self._end_of_line(line)
            if event is not None:
                events.append(event)
        self._grow(rest)
        self._line.append(rest)
        return events

    def _grow(self, text: str) -> None:
        self._size += len(text)
        if self._size > self._maximum:
            raise EventTooLarge

    def _end_of_line(self, last_part: str) -> Event | None:
        self._grow(last_part)
        line = "".join([*self._line, last_part])
        self._line = []
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not name:
            self._size -= len(line)  # a comment is a sign of life; years of them are not an event
        elif name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        elif name == "id" and "\0" not in value:
            self._id = value
        return None

    def _dispatch(self) -> Event | None:
        name, data = self._name or "message", self._data
        self._name, self._data, self._size = "", [], 0
        return Event(name, "\n".join(data), self._id) if data else None
