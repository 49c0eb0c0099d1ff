"""Second factors as they are kept: whose secrets open, and under which keys they are. For the operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator

from heard.foundation.crypto import KeyProblem, Place
from heard.foundation.equipment import keyring

# The library encrypts before there is a row, so the secret is bound to the table only.
PLACE = Place(0, "mfa_authenticator", "")
SEALED = "v1:"
# Passkeys keep public keys only.
SECRET_TYPES = [Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES]


def locked_factors() -> tuple[int, str]:
    """(how many second factors do not open, why the first of them does not), all organizations."""
    count, why = 0, ""
    for row in Authenticator.objects.filter(type__in=SECRET_TYPES).order_by("pk"):
        try:
            for token in _sealed(row.data):
                keyring().decrypt(token, PLACE)
        except KeyProblem as problem:
            count, why = count + 1, why or problem.message
    return count, why


def factor_key_ids() -> set[str]:
    """The keys that second factors are encrypted under."""
    rows = Authenticator.objects.filter(type__in=SECRET_TYPES)
    return {token.split(":")[1] for row in rows for token in _sealed(row.data)}


def _sealed(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for part in value.values():
            yield from _sealed(part)
    elif isinstance(value, list):
        for part in value:
            yield from _sealed(part)
    elif isinstance(value, str) and value.startswith(SEALED):
        yield value
