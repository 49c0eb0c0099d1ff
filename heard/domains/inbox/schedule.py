"""The work of the inbox: what was put off comes back."""

from __future__ import annotations

from heard.domains.inbox import actions
from heard.foundation.work import Slice, job


@job("inbox.wake", sweep_seconds=15.0, limit=200)
def wake(turn: Slice) -> int:
    """Open the snoozed cases whose moment has come."""
    return actions.wake_due(turn.now, turn.limit)
