"""Foreign keys point down, as imports do: a lower room's table knows nothing of a higher one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One relation between tables: ``room.Model.field`` and the room that it points at."""

    room: str
    model: str
    field: str
    to: str


def keys_upward(keys: Iterable[Key], floors: Mapping[str, int]) -> list[str]:
    """Keys that point at a room above or beside their own. Tables outside the rooms are below all."""
    return [
        f"{key.room}.{key.model}.{key.field} points at {key.to}, which is not below {key.room}"
        for key in keys
        if key.room in floors
        and key.to in floors
        and key.to != key.room
        and floors[key.to] >= floors[key.room]
    ]


def keys_of_this_house() -> Iterator[Key]:
    """Every relation that Django knows of."""
    from django.apps import apps

    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.get_fields():
            related = getattr(field, "remote_field", None)
            if related is None or field.auto_created:
                continue
            # A generic foreign key points at everything; it has no model here and is refused elsewhere.
            target = getattr(related, "model", None)
            if target is not None:
                meta = model._meta
                yield Key(meta.app_label, meta.object_name or "", field.name, target._meta.app_label)
