"""Decisions about files, pure."""

from __future__ import annotations

import re
import secrets

LARGEST_BYTES = 50_000_000
SHOWN_INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_TYPE = re.compile(r"^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$")


def safe_name(name: str) -> str:
    """A file name without folders, control characters or tricks of direction; never empty.

    At most 200 characters, its ending kept.
    """
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(letter for letter in name if letter.isprintable()).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if dot and len(ending) <= 10:
        return f"{stem[: 199 - len(ending)]}.{ending}"
    return (name or "file")[:200]


def true_type(data: bytes, said: str) -> str:
    """The type the bytes show, else the one that was said, else a plain download."""
    for magic, content_type in _MAGIC:
        if data.startswith(magic):
            return content_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    said = said.partition(";")[0].strip().lower()
    if said in SHOWN_INLINE or not _TYPE.match(said):
        return "application/octet-stream"  # it says image and is none
    return said[:120]


def said(error: OSError) -> str:
    """Why the store failed, as a sentence for people."""
    known = getattr(error, "message", "") or error.strerror or type(error).__name__
    return f"{known.rstrip('.')}."


def key_of(organization_id: int, digest: str) -> str:
    """Where the store keeps it: not guessable from the content."""
    return f"{organization_id}/{digest[:2]}/{digest[2:16]}-{secrets.token_hex(8)}"
