"""What a member is writing: kept on the server while they write, gone when it is sent."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from heard.domains.channels import queries as channels
from heard.domains.inbox import queries, sql
from heard.domains.organizations.queries import Permission, may
from heard.foundation import clock
from heard.foundation.errors import Conflict, Invalid, NotAllowed
from heard.foundation.tenancy import Actor

MOST_CHARACTERS = 100_000
MODES = frozenset({"reply", "direct", "note"})


def keep_draft(
    actor: Actor,
    case_id: int,
    *,
    mode: str,
    text: str,
    subject: str = "",
    target_id: int | None = None,
    key: str = "",
    sequence: int = 0,
) -> datetime:
    """Keep what this member has written so far; nothing but white space throws the draft away.

    ``key`` is the submission it is written for, ``sequence`` counts what was sent of it. Returns when it was
    kept. Raises ``NotFound`` for a case they may not see, ``NotAllowed`` where they may not write,
    ``Invalid`` for a text that no network takes, ``Conflict`` when that submission was sent or newer words
    of it are here.
    """
    queries.require_visible(actor, case_id)
    if actor.member_id is None or not (may(actor, Permission.NOTE) or channels.may_reply_anywhere(actor)):
        raise NotAllowed("You may read here, not write.")
    if mode not in MODES:
        raise Invalid("Choose how to answer.")
    if len(text) > MOST_CHARACTERS:
        raise Invalid("This draft is too long to be kept: shorten it.")
    if target_id is not None and not queries.is_said_in(actor, case_id, target_id):
        target_id = None
    words = text if text.strip() else ""
    place = (actor.organization_id, actor.member_id, case_id)
    said = (mode, words, subject[:998] if words else "", target_id)
    now = clock.now()
    with transaction.atomic():
        if not sql.keep_draft((*place, *said, _storable(key), sequence), now):
            raise Conflict("This was sent already, or newer words are kept.")
    return now


def end_draft(actor: Actor, case_id: int, *, key: str, continued: datetime | None = None) -> None:
    """This submission took its words: they are gone, whatever of them is still on its way.

    ``continued`` is when the words were kept with which its page began, perhaps on another device.
    """
    queries.require_visible(actor, case_id)
    if actor.member_id is None:
        return
    with transaction.atomic():
        place = (actor.organization_id, actor.member_id, case_id)
        sql.end_draft(*place, _storable(key), continued, clock.now())


def _storable(key: str) -> str:
    return key.replace("\0", "")[:64]
