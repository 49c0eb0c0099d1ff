"""Decisions about people, pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from heard.connectorkit.vocabulary import Author

LONGEST_NATIVE_ID = 512
LONGEST_NOTE = 5000
"""Characters in the note about a person."""


class Known(NamedTuple):
    """Where an author stands with us."""

    identity_id: int
    contact_id: int


def author_key(author: Author) -> tuple[str, str]:
    """What names an author within a network: (scope, native id)."""
    return author.scope, author.native_id


def suppression_digest(salt: bytes, network: str, scope: str, native_id: str) -> bytes:
    """What is kept of somebody who asked not to be collected again."""
    return hashlib.sha256(salt + f"{network}\n{scope}\n{native_id}".encode()).digest()


def is_suppressed(network: str, author: Author, marks: Sequence[tuple[bytes, frozenset[bytes]]]) -> bool:
    """True when one of the (salt, digests) marks is this author's."""
    return any(
        suppression_digest(salt, network, author.scope, author.native_id) in digests
        for salt, digests in marks
    )


def display_name(author: Author) -> str:
    """What to call a person: their name, else their handle, never empty."""
    return (author.name.strip() or author.handle.strip() or "Somebody")[:200]
