"""What must not be written down: which names hold secrets or people's words, and how values are hidden.

One list for logs, recorded fixtures and reported paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"

_SECRET_WORDS = frozenset(
    """
    auth authorization cookie cookies credential credentials dpop jwt otp passphrase passwd password pwd
    secret secrets session sessionid sig signature token tokens totp
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_SECRET_ENDS = ("apikey", "privatekey", "secretkey", "accesskey", "signingkey", "accessjwt", "refreshjwt")
_SECRET_QUERY = frozenset(("key", "code", "state", "sig", "hmac", "challenge", "hash"))
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def is_secret_name(name: str) -> bool:
    """Whether a header, field, key or setting of this name holds a secret (``X-Api-Key``, ``accessJwt``)."""
    words = [word.lower() for word in _WORDS.findall(name)]
    joined = "".join(words)
    return (
        any(word in _SECRET_WORDS for word in words)
        or joined.endswith(_SECRET_ENDS)
        or any(word in joined for word in ("password", "secret", "token", "credential"))
    )


def is_secret_query(name: str) -> bool:
    """Like ``is_secret_name``, and stricter: what OAuth and signed links put into a query."""
    return is_secret_name(name) or name.lower() in _SECRET_QUERY


def hide(text: str, secrets: Iterable[str]) -> str:
    """``text`` without any of ``secrets``, plain or percent-encoded; the longest are taken out first."""
    for secret in sorted((secret for secret in secrets if secret), key=len, reverse=True):
        for spelling in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}:
            text = text.replace(spelling, HIDDEN)
    return text
