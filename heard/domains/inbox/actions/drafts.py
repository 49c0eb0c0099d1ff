"""What a member is writing: kept on the server while they write, gone when it is sent."""

from __future__ import annotations

from django.db import transaction

from heard.domains.inbox import queries, sql
from heard.domains.organizations.queries import Permission, may
from heard.foundation import clock
from heard.foundation.errors import Invalid, NotAllowed
from heard.foundation.tenancy import Actor

MOST_CHARACTERS = 100_000
MODES = frozenset({"reply", "direct", "note"})


def keep_draft(actor: Actor, case_id: int, *, mode: str, text: str, subject: str = "", key: str = "") -> None:
    """Keep what this member has written so far; nothing but white space throws the draft away.

    ``key`` is the submission it is written for: what arrives after that was sent changes nothing. Raises
    ``NotFound`` for a case they may not see, ``NotAllowed`` where they may not write, ``Invalid`` for a text
    that no network takes.
    """
    queries.require_visible(actor, case_id)
    if actor.member_id is None or not (may(actor, Permission.REPLY) or may(actor, Permission.NOTE)):
        raise NotAllowed("You may read here, not write.")
    if mode not in MODES:
        raise Invalid("Choose how to answer.")
    if len(text) > MOST_CHARACTERS:
        raise Invalid("This draft is too long to be kept: shorten it.")
    words = text if text.strip() else ""
    with transaction.atomic():
        sql.keep_draft(
            (
                actor.organization_id,
                actor.member_id,
                case_id,
                mode,
                words,
                subject[:998] if words else "",
                _storable(key),
                clock.now(),
            )
        )


def end_draft(actor: Actor, case_id: int, *, key: str) -> None:
    """This submission took the words: the draft is empty, and stays so whatever is still on its way."""
    queries.require_visible(actor, case_id)
    if actor.member_id is None:
        return
    with transaction.atomic():
        sql.end_draft(actor.organization_id, actor.member_id, case_id, _storable(key), clock.now())


def _storable(key: str) -> str:
    return key.replace("\0", "")[:64]
