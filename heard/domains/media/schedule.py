"""The work of media: what was erased goes from the store too, even where that did not answer at first."""

from __future__ import annotations

from heard.domains.media import actions
from heard.foundation.work import Slice, job


@job("media.forget_bytes", sweep_seconds=60.0, limit=50)
def forget_bytes(turn: Slice) -> int:
    """Delete bytes of erased files that are still in the store."""
    return actions.forget_bytes(turn.limit)
