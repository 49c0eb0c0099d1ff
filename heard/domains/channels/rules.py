"""Decisions about channels, pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from heard.connectorkit import errors
from heard.connectorkit.manifest import Budget as ManifestBudget
from heard.connectorkit.manifest import Field, FieldKind, Manifest
from heard.connectorkit.vocabulary import WhoAmI
from heard.foundation.net import budget
from heard.foundation.net.budget import Budget

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


_LONGEST = {"scope": 255, "native_id": 512, "handle": 320}


def unfit(who: WhoAmI) -> str:
    """Why an account cannot be kept, as a sentence; empty when it can. Cut ids could be equal, so none is."""
    for name, most in _LONGEST.items():
        value = str(getattr(who, name))
        if len(value) > most:
            return f"The server calls this account by {len(value)} characters; at most {most} are kept."
        if "\0" in value or not value.isprintable():
            return "The server calls this account by a name with characters that cannot be kept."
    return "" if who.native_id else "The server does not say which account this is."


def broken(error: Exception) -> errors.Unreachable:
    """A connector that failed as it never should, for the channel's page. Its own words may be anybody's."""
    return errors.Unreachable(f"The connector broke ({type(error).__name__}). The worker's log says where.")


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


UNSPOKEN = "Its connector is not installed. Whoever runs Heard can install it; then resume the channel."

POLL_RESERVE = 0.2
"""The share of a budget that polls leave alone: a person's reply must never wait for a look."""


def counted_budgets(manifest: Manifest) -> dict[str, ManifestBudget]:
    """The allowances we can count from outside: those in requests, and those that say what takes them."""
    return {budget.name: budget for budget in manifest.budgets if budget.is_counted}


def budget_from_plain(declared: ManifestBudget, kept: Mapping[str, Any], now: datetime) -> Budget:
    """A budget as the channel keeps it, brought to ``now``; full where nothing was counted yet."""
    if not kept:
        return budget.full(declared.amount, declared.per_seconds, now)
    found = Budget(
        amount=float(kept["amount"]),
        per_seconds=float(kept["per_seconds"]),
        left=float(kept["left"]),
        counted_at=datetime.fromisoformat(kept["counted_at"]),
        window_left=kept.get("window_left"),
        resets_at=_instant(kept.get("resets_at")),
        closed_until=_instant(kept.get("closed_until")),
    )
    return budget.at(found, now)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def budget_to_plain(found: Budget) -> dict[str, Any]:
    """A budget as JSON."""
    values = asdict(found)
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }


def spend(
    manifest: Manifest, kept: Mapping[str, Any], answers: Sequence[Mapping[str, str]], now: datetime
) -> dict[str, Any]:
    """A channel's budgets after these requests, each given by ``told``.

    An answer names its limit; where that is the amount of another declared allowance (uploads, writes)
    it speaks of that one and teaches the allowance of requests nothing. An allowance of something else
    learns only from what it was asked for, and where its own limit is named.
    """
    result = dict(kept)
    for name, declared in counted_budgets(manifest).items():
        others = {str(other.amount) for other in manifest.budgets if other.name != name}
        found = budget_from_plain(declared, kept.get(name, {}), now)
        for headers in answers:
            units = declared.units_of(headers.get(METHOD, ""), headers.get(PATH, ""))
            # Counted though the bucket may be empty: the request has left.
            found = replace(found, left=found.left - units)
            limit = _limit(headers)
            speaks_of_it = limit == str(declared.amount) if declared.costs else limit not in others
            if units and speaks_of_it:
                found = budget.learn(found, headers, now)
        result[name] = budget_to_plain(found)
    return result


METHOD, PATH = ":method", ":path"
"""Names that no header can have, for what was asked (HTTP/2 calls them so too)."""


def told(method: str, path: str, headers: Mapping[str, str]) -> dict[str, str]:
    """One request as ``spend`` reads it: the answer's headers, and what was asked."""
    return {**headers, METHOD: method, PATH: path}


def _limit(headers: Mapping[str, str]) -> str:
    for name in ("x-ratelimit-limit", "x-rate-limit-limit", "ratelimit-limit"):
        if name in headers:
            return headers[name].split(",")[0].split(";")[0].strip()
    return ""


def seconds_until_look(manifest: Manifest, kept: Mapping[str, Any], now: datetime) -> float:
    """How long a look must wait so that the reserve stays for replies; 0 is now."""
    waits = [0.0]
    for name, declared in counted_budgets(manifest).items():
        if declared.costs:
            continue  # no look takes of it
        found = budget_from_plain(declared, kept.get(name, {}), now)
        waits.append(budget.wait_seconds(found, now, reserve=found.amount * POLL_RESERVE))
    return max(waits)


def budget_left(declared: ManifestBudget, kept: Mapping[str, Any], now: datetime) -> int:
    """What is left of an allowance, for people: whole units, the stricter of our count and the network's."""
    found = budget_from_plain(declared, kept, now)
    if found.closed_until is not None:
        return 0
    known = [found.left] if found.window_left is None else [found.left, found.window_left]
    return max(0, int(min(known)))


def health_of(state: str, *, error: str, is_streaming: bool, was_looked_at: bool) -> str:
    """How a channel is doing in one word: closed, refused, paused, troubled, live, listening or starting."""
    if state != "active":
        return state
    if error:
        return "troubled"
    if is_streaming:
        return "live"
    return "listening" if was_looked_at else "starting"
