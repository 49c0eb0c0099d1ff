"""Decisions about channels, pure."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from heard.connectorkit import errors
from heard.connectorkit.manifest import Field, FieldKind, Manifest

MOST_ATTEMPTS_TO_UNDERSTAND = 5


def plain_error(error: errors.ConnectorError) -> str:
    """A connector's error as a sentence on the channel's page, with what happens next."""
    after = {
        errors.RateLimited: "Heard waits and goes on by itself.",
        errors.Unreachable: "Heard tries again by itself.",
        errors.CredentialsRefused: "Connect the account again.",
        errors.Unreadable: "What came is kept and can be replayed after an update.",
    }.get(type(error), "")
    return f"{error.message} {after}".strip()[:300]


def pause_after_error(error: errors.ConnectorError, attempts: int, ordinary: float) -> float:
    """Seconds until the next look after an error: what the network asks, else growing."""
    if isinstance(error, errors.RateLimited):
        return min(error.retry_after_seconds, 6 * 3600.0)
    return min(900.0, max(ordinary, 5.0) * 2.0 ** min(attempts, 8))


def next_look(now: datetime, *, is_streaming: bool, poll_seconds: int, more: bool) -> datetime:
    """When to poll again. A stream is still looked behind now and then: streams lose things."""
    if more:
        return now
    return now + timedelta(seconds=poll_seconds * (5 if is_streaming else 1))


def split_fields(manifest: Manifest, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """(settings, secrets) of a filled-in connection form."""
    settings: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    for field in manifest.fields:
        value = values.get(field.name, field.default)
        if field.kind is FieldKind.SECRET:
            if value:
                secrets[field.name] = str(value)
        else:
            settings[field.name] = value
    return settings, secrets


def advanced_fields(manifest: Manifest) -> list[Field]:
    """Fields most people never need."""
    return [field for field in manifest.fields if field.advanced]


def terms_as_data(manifest: Manifest) -> dict[str, Any]:
    """The network's terms, kept with the channel as they were when it was connected."""
    return asdict(manifest.terms)
