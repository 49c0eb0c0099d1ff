"""Second factors at rest: encrypted under the installation's key, and under the new one after rotation."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from heard.domains.organizations.queries.factors import PLACE, SEALED, SECRET_TYPES
from heard.foundation.equipment import keyring


def seal_factor(text: str) -> str:
    """What is stored of a second factor's secret."""
    return keyring().encrypt(text, PLACE)


def open_factor(token: str) -> str:
    """The secret again. Raises ``KeyMissing`` or ``Tampered``."""
    return keyring().decrypt(token, PLACE)


def rotate_factors() -> int:
    """Encrypt every secret that is under an older key again; returns how many rows changed.

    To be run, like the rotation of channels' credentials, before the old key is retired.
    """
    changed = 0
    with transaction.atomic():
        for row in Authenticator.objects.select_for_update().filter(type__in=SECRET_TYPES).order_by("pk"):
            fresh = _rotated(row.data)
            if fresh != row.data:
                row.data = fresh
                row.save(update_fields=["data"])
                changed += 1
    return changed


def _rotated(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rotated(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rotated(part) for part in value]
    if isinstance(value, str) and value.startswith(SEALED) and keyring().needs_rotation(value):
        return seal_factor(open_factor(value))
    return value
