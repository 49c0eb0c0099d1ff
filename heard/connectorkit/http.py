"""What an HTTP answer means: a status becomes the error that says what the platform does next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from .errors import (
    ConnectorError,
    CredentialsRefused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unreachable,
)
from .net import Response

#: Used where the network says "too much" without saying for how long.
DEFAULT_WAIT_SECONDS = 60.0
#: No header makes us wait longer: a wrong clock over there must not silence a channel for a year.
LONGEST_WAIT_SECONDS = 86_400.0
#: As much of a server's own sentence as is shown to people.
SENTENCE_LENGTH = 200
#: Numbers below this are a span in seconds, above it an instant in Unix time.
_EPOCH_FROM = 1_000_000_000

_RESET_HEADERS = ("x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset")
_SENTENCE_KEYS = ("error_description", "message", "detail", "title", "error", "errors")


def raise_for_status(
    response: Response, *, what: str, writes: bool = False, forbidden_rejects: bool = False
) -> None:
    """Return on success, else raise the error that the status stands for.

    ``what`` names the request for people ("Posting the reply"). ``writes`` says that the request
    changes something over there, so that a failure inside the server leaves the outcome open.
    ``forbidden_rejects`` reads a 403 as a word on this message instead of on our credentials.
    """
    status = response.status_code
    if 200 <= status < 300:
        return
    error = _error(response, status, what, writes=writes, forbidden_rejects=forbidden_rejects)
    raise error


def _error(
    response: Response, status: int, what: str, *, writes: bool, forbidden_rejects: bool
) -> ConnectorError:
    said = own_sentence(response)
    because = f": {_ended(said)}" if said else f" (status {status})."
    if 300 <= status < 400:
        return Unreachable(f"{what} failed: the server answered with a redirect, and those are not followed.")
    if status == 401 or (status == 403 and not forbidden_rejects):
        return CredentialsRefused(f"{what} failed: the network does not accept our credentials{because}")
    if status == 429:
        return RateLimited(
            f"{what} has to wait: the network asks for a pause.", retry_after_seconds=wait_seconds(response)
        )
    if status in (408, 425):
        return Unreachable(f"{what} failed: the server gave up waiting{because}")
    if 400 <= status < 500:
        return Rejected(f"{what} was refused by the network{because}")
    if writes and status != 503:
        return OutcomeUnknown(f"{what} failed inside the server, which may have carried it out{because}")
    return Unreachable(f"{what} failed: the server has a fault{because}")


def json_body(response: Response, *, what: str, writes: bool = False) -> Any:
    """The JSON of a successful answer.

    Raises ``Unreachable`` when the body is something else (a captive portal, a proxy's page), or
    ``OutcomeUnknown`` for a write, which may have been carried out before the answer was spoilt.
    """
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        page = "a web page" if _looks_like_html(response) else "something unreadable"
        sentence = f"{what} failed: the server answered with {page} instead of data. Is the address right?"
        raise (OutcomeUnknown(sentence) if writes else Unreachable(sentence)) from error


def _looks_like_html(response: Response) -> bool:
    kind = response.headers.get("content-type", "")
    return "html" in kind.lower() or response.content.lstrip()[:1] == b"<"


def own_sentence(response: Response) -> str:
    """The server's own word on a failure, from the usual JSON fields; never a whole body."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return ""
    return _shorten(_find_sentence(body, 0))


def _find_sentence(body: Any, depth: int) -> str:
    if isinstance(body, str):
        return body if depth else ""
    if isinstance(body, list) and body and depth < 4:
        return _find_sentence(body[0], depth + 1)
    if isinstance(body, Mapping) and depth < 4:
        for key in _SENTENCE_KEYS:
            found = _find_sentence(body.get(key), depth + 1)
            if found:
                return found
    return ""


def _shorten(text: str) -> str:
    flat = re.sub(r"[\s\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+", " ", text).strip()
    return flat if len(flat) <= SENTENCE_LENGTH else flat[: SENTENCE_LENGTH - 1] + "…"


def _ended(sentence: str) -> str:
    return sentence if sentence[-1] in ".!?…" else sentence + "."


def wait_seconds(response: Response) -> float:
    """How long a 429 (or a 503) asks us to wait, at least 1 and at most a day.

    Read from ``Retry-After`` (seconds or HTTP date) or the reset headers (Unix time, ISO 8601, or a
    span in seconds), against the server's own ``Date`` where it sends one.
    """
    headers = response.headers
    now = _http_date(headers.get("date", "")) or datetime.now(UTC)
    values = [headers.get("retry-after", ""), *(headers.get(name, "") for name in _RESET_HEADERS)]
    for value in values:
        seconds = _span(value.strip(), now)
        if seconds is not None:
            return min(max(seconds, 1.0), LONGEST_WAIT_SECONDS)
    return DEFAULT_WAIT_SECONDS


def _span(value: str, now: datetime) -> float | None:
    if re.fullmatch(r"\d{1,15}(\.\d{1,9})?", value):
        number = float(value)
        return number if number < _EPOCH_FROM else number - now.timestamp()
    instant = _http_date(value) or _iso_date(value)
    return (instant - now).total_seconds() if instant else None


def _http_date(value: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _iso_date(value: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(value)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
