"""Who may see a thing of a lower room is sometimes known only above it: on whose account a file came, say.

A room above registers a keeper for a kind of thing (in its ``permissions.py``); the room that shows the
thing asks here. It fails closed: what nobody keeps, nobody sees.
"""

from __future__ import annotations

from collections.abc import Callable

from heard.foundation.tenancy import Actor

Keeper = Callable[[Actor, int], bool]
FILE, PERSON, IDENTITY = "media.file", "contacts.person", "contacts.identity"
_keepers: dict[str, list[Keeper]] = {}


def keeper(kind: str) -> Callable[[Keeper], Keeper]:
    """Register who decides on things of this kind: ``@keeper(FILE)``, called with (actor, id)."""

    def register(keeps: Keeper) -> Keeper:
        _keepers.setdefault(kind, []).append(keeps)
        return keeps

    return register


def may_see(kind: str, actor: Actor, thing_id: int) -> bool:
    """Whether all keepers of this kind let the actor see this thing of their own organization."""
    keepers = _keepers.get(kind, ())
    return bool(keepers) and all(keeps(actor, thing_id) for keeps in keepers)
