"""The key that signs sessions: given by the operator, else made once and kept in the data folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from heard.config import options


def secret_key(data: Path) -> str:
    """The signing key. The file is created with mode 0600 and never overwritten."""
    if options.SECRET_KEY.value:
        return options.SECRET_KEY.value
    return kept_secret(data / "secret-key")


def kept_secret(path: Path) -> str:
    """A random secret kept in a file: read, or made at first use; a race has one winner."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        made = secrets.token_urlsafe(48)
        file.write(made)
        return made
