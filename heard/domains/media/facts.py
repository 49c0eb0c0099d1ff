"""What this room announces."""

from __future__ import annotations

from dataclasses import dataclass

from heard.domains.journal.facts import Fact


@dataclass(frozen=True, slots=True)
class FileStored(Fact):
    """A file that was not here before."""

    file_id: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class FilesErased(Fact):
    """The contents and names of files are gone; their rows stay."""

    file_ids: tuple[int, ...]
