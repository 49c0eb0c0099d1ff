"""Second factors at rest: encrypted under the installation's key, and under the new one after rotation."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from heard.foundation.crypto import Place
from heard.foundation.equipment import keyring

# The library encrypts before there is a row, so the secret is bound to the table only.
_PLACE = Place(0, "mfa_authenticator", "")
_SEALED = "v1:"
# Passkeys keep public keys only.
_SECRET_TYPES = [Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES]


def seal_factor(text: str) -> str:
    """What is stored of a second factor's secret."""
    return keyring().encrypt(text, _PLACE)


def open_factor(token: str) -> str:
    """The secret again. Raises ``KeyMissing`` or ``Tampered``."""
    return keyring().decrypt(token, _PLACE)


def rotate_factors() -> int:
    """Encrypt every secret that is under an older key again; returns how many rows changed.

    To be run, like the rotation of channels' credentials, before the old key is retired.
    """
    changed = 0
    with transaction.atomic():
        for row in Authenticator.objects.select_for_update().filter(type__in=_SECRET_TYPES).order_by("pk"):
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
    if isinstance(value, str) and value.startswith(_SEALED) and keyring().needs_rotation(value):
        return seal_factor(open_factor(value))
    return value
