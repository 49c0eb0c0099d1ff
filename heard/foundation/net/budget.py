"""What a network still lets us ask: a token bucket that learns from the network's own headers.

Pure rules. Whoever calls keeps one ``Budget`` per key (app, account, endpoint…), asks ``take`` before
a request and hands the answer's headers to ``learn`` afterwards.

Two things are known of a budget, and the stricter one counts. Our own bucket refills evenly, so that
a burst never exceeds ``amount``. A window that the network told us of (``remaining`` until ``resets_at``)
does not refill before its end, whatever we would have reckoned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: No header makes us wait longer: a wrong clock over there must not silence a channel for a year.
LONGEST_WAIT = timedelta(days=1)
#: Numbers from here on are an instant in Unix seconds, below it a span in seconds.
_EPOCH_FROM = 1_000_000_000
_NUMBER = re.compile(r"\s*([0-9]{1,15}(?:\.[0-9]{1,9})?)")


@dataclass(frozen=True, slots=True)
class Budget:
    """An allowance and what is left of it.

    ``amount`` units per ``per_seconds`` refill evenly; ``left`` is what stood there at ``counted_at``.
    ``window_left`` and ``resets_at`` are the network's own word, and ``closed_until`` is when it lets
    us in again after "too many requests". All instants are aware.
    """

    amount: float
    per_seconds: float
    left: float
    counted_at: datetime
    window_left: float | None = None
    resets_at: datetime | None = None
    closed_until: datetime | None = None

    def __post_init__(self) -> None:
        if self.amount <= 0 or self.per_seconds <= 0:
            raise ValueError("a budget allows something in some time")


def full(amount: float, per_seconds: float, now: datetime) -> Budget:
    """A budget from which nothing was taken yet."""
    return Budget(amount=amount, per_seconds=per_seconds, left=amount, counted_at=now)


def at(budget: Budget, now: datetime) -> Budget:
    """``budget`` brought forward to ``now``. A clock that went backwards refills nothing."""
    elapsed = max(0.0, (now - budget.counted_at).total_seconds())
    refilled = min(budget.amount, budget.left + elapsed * budget.amount / budget.per_seconds)
    current = replace(budget, left=refilled, counted_at=max(now, budget.counted_at))
    if current.resets_at is not None and now >= current.resets_at:
        current = replace(current, window_left=None, resets_at=None)
    if current.closed_until is not None and now >= current.closed_until:
        current = replace(current, closed_until=None)
    return current


def take(budget: Budget, now: datetime, cost: float = 1.0, reserve: float = 0.0) -> tuple[Budget, bool]:
    """Take ``cost`` units if they are there: the new budget, and whether they were.

    ``reserve`` units stay for what matters more (a person's reply before a poll).
    """
    current = at(budget, now)
    if wait_seconds(current, now, cost, reserve) > 0:
        return current, False
    window = current.window_left
    spent = replace(
        current,
        left=current.left - cost,
        window_left=None if window is None else max(0.0, window - cost),
    )
    return spent, True


def wait_seconds(budget: Budget, now: datetime, cost: float = 1.0, reserve: float = 0.0) -> float:
    """How long until ``take`` with the same arguments succeeds, if nobody else takes; 0 is now.

    What never fits (``cost`` and ``reserve`` above ``amount``) is let through as soon as the bucket is
    full, because waiting for ever would be worse than one refusal by the network.
    """
    current = at(budget, now)
    needed = min(cost + reserve, current.amount)
    waits = [0.0]
    # A billionth of tolerance: floats that were refilled must not miss their mark by a rounding.
    missing = needed - current.left
    if missing > needed * 1e-9:
        waits.append(missing * current.per_seconds / current.amount)
    if current.resets_at is not None and current.window_left is not None and current.window_left < needed:
        waits.append((current.resets_at - now).total_seconds())
    if current.closed_until is not None:
        waits.append((current.closed_until - now).total_seconds())
    return max(waits)


def learn(budget: Budget, headers: Mapping[str, str], now: datetime) -> Budget:
    """What the answer's headers say of the budget; unreadable or absent headers change nothing.

    Understands ``X-RateLimit-*``, ``X-Rate-Limit-*`` and ``RateLimit-*`` with ``Limit``, ``Remaining`` and
    ``Reset`` (Unix time, span or ISO 8601), and ``Retry-After``. The network's word on its limit and
    window replaces ours; within one window the smaller ``Remaining`` stands, because answers overtake
    each other.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    current = at(budget, now)
    limit = _number(_named(lower, "limit"))
    if limit is not None and limit > 0 and limit != current.amount:
        # A larger allowance is larger by what was not spent: else a reserve of it would be waited for.
        more = max(0.0, limit - current.amount)
        current = replace(current, amount=limit, left=min(current.left + more, limit))
    remaining = _number(_named(lower, "remaining"))
    resets_at = _instant(_named(lower, "reset"), now)
    if remaining is not None and resets_at is not None and resets_at > now:
        current = _learn_window(current, remaining, resets_at)
    again_at = _instant(lower.get("retry-after", ""), now)
    if again_at is not None and again_at > now:
        current = close(current, again_at)
    return current


def close(budget: Budget, until: datetime) -> Budget:
    """Nothing more before ``until`` (a 429 that said so); the later of two closings stands."""
    known = budget.closed_until
    return replace(budget, closed_until=until if known is None else max(known, until))


def _learn_window(budget: Budget, remaining: float, resets_at: datetime) -> Budget:
    # Spans are rounded to seconds, so the same window is told with ends a little apart.
    same = budget.resets_at is not None and abs(resets_at - budget.resets_at) < timedelta(seconds=2)
    if same and budget.window_left is not None:
        return replace(budget, window_left=min(remaining, budget.window_left))
    return replace(budget, window_left=remaining, resets_at=resets_at)


def _named(headers: Mapping[str, str], word: str) -> str:
    for start in ("x-ratelimit-", "x-rate-limit-", "ratelimit-"):
        if start + word in headers:
            return headers[start + word]
    return ""


def _number(text: str) -> float | None:
    found = _NUMBER.match(text)
    return float(found[1]) if found else None


def _instant(text: str, now: datetime) -> datetime | None:
    found = _NUMBER.fullmatch(text.strip())
    if found:
        number = float(found[1])
        span = number if number < _EPOCH_FROM else number - now.timestamp()
        return now + timedelta(seconds=min(span, LONGEST_WAIT.total_seconds()))
    read = _dated(text.strip())
    return None if read is None else min(read, now + LONGEST_WAIT)


def _dated(text: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        try:
            read = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
