"""What an answer of a Bluesky server means for us: its JSON, or one of our errors.

    Refused        a Rejected that remembers the server's own word for it
    SessionOver    a CredentialsRefused that a fresh session cures

Server texts reach people only in part: they may hold a piece of the message.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from heard.connectorkit.errors import (
    ConnectorError,
    CredentialsRefused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unreachable,
)
from heard.connectorkit.http import wait_seconds
from heard.connectorkit.net import Response

_ACCOUNT_TROUBLE = {
    "AuthenticationRequired": "Bluesky does not accept the handle or the app password.",
    "AuthMissing": "Bluesky does not accept the handle or the app password.",
    "AccountTakedown": "Bluesky has taken this account down.",
    "AccountSuspended": "Bluesky has suspended this account.",
    "AccountDeactivated": "This Bluesky account is deactivated.",
    "AuthFactorTokenRequired": "This is the account's own password. Make an app password and use that.",
}
_SESSION_OVER = {"ExpiredToken", "InvalidToken"}
_LENGTH = re.compile(r"(grapheme|string|bytes?) too (?:big|long)", re.IGNORECASE)
_KNOWN_REFUSALS = {
    "BlobTooLarge": "A picture is larger than Bluesky allows (2,000,000 bytes).",
    "InvalidMimeType": "Bluesky does not take a file of this type.",
    "RecipientDisabled": "This person does not accept direct messages from this account.",
    "MessagesDisabled": "This person does not accept direct messages.",
    "NotFollowedBySender": "This person accepts direct messages only from accounts they follow.",
    "BlockedActor": "There is a block between this account and the person.",
    "BlockedSubject": "There is a block between this account and the person.",
}


class Refused(Rejected):
    """The server said no with ``error``, its own word (``RecordNotFound``, ``InvalidSwap`` …)."""

    def __init__(self, message: str, error: str) -> None:
        super().__init__(message)
        self.error = error


class SessionOver(CredentialsRefused):
    """The access or refresh token has expired or was revoked."""


@contextlib.contextmanager
def told_plainly() -> Iterator[None]:
    """At the connector's edge: our two own errors leave as what they are to everybody else."""
    try:
        yield
    except Refused as error:
        raise Rejected(error.message) from error
    except SessionOver as error:
        raise CredentialsRefused(error.message) from error


def read_answer(response: Response, *, writes: bool) -> dict[str, Any]:
    """The JSON object of a successful answer, else the error that says what to do next."""
    body = _json_object(response)
    status = response.status_code
    if 200 <= status < 300:
        if body is not None:
            return body
        if writes and response.content:
            raise OutcomeUnknown("The Bluesky server answered with something that is not its protocol.")
        if not writes:
            raise Unreachable("What answers at this address does not speak Bluesky's protocol.")
        return {}
    if status == 429:
        raise RateLimited("Bluesky asks us to wait.", retry_after_seconds=wait_seconds(response))
    _raise_for_account(status, body or {})
    raise _failure(status, body, writes=writes)


def _raise_for_account(status: int, body: Mapping[str, Any]) -> None:
    error = _word(body.get("error"))
    if error in _SESSION_OVER:
        scope = "scope" in str(body.get("message", ""))
        raise SessionOver(
            "The app password does not allow this. Direct messages need one made with access to them."
            if scope
            else "The Bluesky session has ended."
        )
    if error in _ACCOUNT_TROUBLE:
        raise CredentialsRefused(_ACCOUNT_TROUBLE[error])
    if status == 401:
        raise CredentialsRefused("Bluesky does not accept our credentials.")


def _failure(status: int, body: Mapping[str, Any] | None, *, writes: bool) -> ConnectorError:
    if status == 501 or (status == 404 and body is None):
        # Not carried out, whatever it was: nothing here knows the request.
        kind = Rejected if writes else Unreachable
        return kind("What answers at this address does not offer what Bluesky's servers do.")
    if status >= 500 or status == 408:
        # 503 is what stands in front of a server that was not even asked.
        if writes and status != 503:
            return OutcomeUnknown(f"The Bluesky server failed ({status}) and may have taken it nevertheless.")
        return Unreachable(f"The Bluesky server failed ({status}).")
    if status < 400 or (body is None and not writes):
        return Unreachable(f"Something on the way answered for the Bluesky server ({status}).")
    error = _word((body or {}).get("error"))
    return Refused(_reason(status, error, str((body or {}).get("message", ""))), error)


def _reason(status: int, error: str, message: str) -> str:
    if _LENGTH.search(message):
        return (
            "The text is too long for Bluesky (300 characters and 3,000 bytes; in private 1,000 and 10,000)."
        )
    if error in _KNOWN_REFUSALS:
        return _KNOWN_REFUSALS[error]
    return f"Bluesky refused it ({status} {error})." if error else f"Bluesky refused it ({status})."


def _word(value: object) -> str:
    """An error's name: a short identifier, never free text."""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,63}", value) else ""


def _json_object(response: Response) -> dict[str, Any] | None:
    try:
        value = response.json()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
