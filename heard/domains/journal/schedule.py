"""The journal's work: sealing what is visible, and letting reactions follow."""

from __future__ import annotations

from heard.domains.journal import actions, queries
from heard.domains.journal.facts import reactions
from heard.foundation.logging import logger
from heard.foundation.redaction import redact
from heard.foundation.work import Slice, job

log = logger(__name__)


@job("journal.seal", sweep_seconds=5.0)
def seal(turn: Slice) -> int:
    """Seal every organization that has something to seal."""
    total = 0
    for organization_id in queries.organizations_with_unsealed():
        if turn.is_over:
            break
        total += actions.seal(organization_id)
    return total


@job("journal.react", sweep_seconds=5.0)
def react(turn: Slice) -> int:
    """Let every reaction that is behind take its next facts."""
    known = reactions()
    moved = 0
    for organization_id, name in queries.behind(list(known)):
        if turn.is_over:
            break
        kinds, reaction = known[name]
        try:
            moved += actions.consume(organization_id, name, kinds, reaction, limit=turn.limit)
        except Exception as error:
            log.exception("reaction_failed", reaction=name, organization=organization_id)
            # A database's words repeat the values that it refuses: they are neither kept nor shown.
            actions.note_failure(organization_id, name, str(redact(error)))
    return moved
