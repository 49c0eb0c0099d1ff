"""The few exceptions that rooms raise. One place turns them into pages, fragments and JSON.

    HeardError
    ├── NotFound      there is no such thing for this actor (also: not yours)
    ├── NotAllowed    this actor may not do that
    ├── Invalid       what was given does not hold; names the field where there is one
    ├── Conflict      it changed meanwhile; look again
    ├── Held          a hold stops everything that leaves
    └── Unavailable   something that Heard stands on does not answer: later

Each carries a sentence for people: what was wrong, where, and what to do.
"""

from __future__ import annotations


class HeardError(Exception):
    """Base of what rooms raise on purpose. ``status`` is the HTTP status it becomes."""

    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(HeardError):
    """There is no such thing for this actor. A stranger cannot tell it from "not yours"."""

    status = 404


class NotAllowed(HeardError):
    """The actor is known and may not do this."""

    status = 403


class Invalid(HeardError):
    """Bad input. ``field`` names where; empty for the whole."""

    status = 422

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Conflict(HeardError):
    """Somebody else was faster: the state is no longer the one this was decided on."""

    status = 409


class Held(HeardError):
    """Everything that leaves is stopped by a hold; the message gives its reason."""

    status = 423


class Unavailable(HeardError):
    """Something that Heard stands on (the file store) does not do its part; nothing was done."""

    status = 503
