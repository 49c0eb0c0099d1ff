"""The key that signs sessions: given by the operator, else made once and kept in the data folder."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from heard.config import options


def secret_key(data: Path) -> str:
    """The signing key."""
    if options.SECRET_KEY.value:
        return options.SECRET_KEY.value
    return kept_secret(data / "secret-key")


def kept_secret(path: Path) -> str:
    """A random secret kept in a file of mode 0600: read, or made at first use and never overwritten.

    Processes that start together agree: who finds the file empty waits for its lock, and reads again.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists() and (kept := path.read_text().strip()):
        return kept
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        kept = file.read().strip()
        if not kept:
            kept = secrets.token_urlsafe(48)
            file.write(kept)
            file.flush()
        return kept
