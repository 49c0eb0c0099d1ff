"""The file of a backup: a gzipped tar whose last entry, ``manifest.json``, vouches for all others.

The manifest comes last because files are hashed while they are packed: a backup that was cut off has
none, and is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

MANIFEST = "manifest.json"
FORMAT = 1
LARGEST_MANIFEST_BYTES = 200_000_000
Progress = Callable[[str, int, int], None]


class BackupProblem(Exception):
    """What cannot be backed up or restored, and why; ``message`` is a sentence for the operator."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(slots=True)
class Manifest:
    """What a backup holds. ``sha256`` is by path; ``rows`` counts are by database and table.

    ``migrations`` are the applied ones, so that an older Heard can refuse what it does not know.
    """

    version: str
    made_at: str
    engine: str
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    migrations: list[str] = field(default_factory=list)
    sha256: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @classmethod
    def read(cls, text: bytes) -> Manifest:
        """Raises ``BackupProblem`` when it is none of ours, or of a later format."""
        try:
            found: Mapping[str, Any] = json.loads(text)
            manifest = cls(**found)
        except (ValueError, TypeError) as error:
            raise BackupProblem(
                "The backup's manifest cannot be read: this is no backup of Heard."
            ) from error
        if manifest.format != FORMAT:
            raise BackupProblem("The backup was made by a newer Heard. Install that version to restore it.")
        return manifest


class _Hashing:
    """A file that is hashed as it is read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        part = self._source.read(size)
        self.digest.update(part)
        return part


class Writer:
    """Packs files into an open tar, noting their hashes."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self._tar = tar
        self._manifest = manifest

    def add(self, path: Path, name: str) -> None:
        """Pack one file under ``name``. Raises ``OSError`` when it shrinks meanwhile."""
        entry = tarfile.TarInfo(name)
        found = path.stat()
        entry.size, entry.mtime, entry.mode = found.st_size, int(found.st_mtime), 0o600
        with path.open("rb") as source:
            hashing = _Hashing(source)
            self._tar.addfile(entry, hashing)
        self._manifest.sha256[name] = hashing.digest.hexdigest()

    def close(self) -> None:
        """Pack the manifest."""
        text = json.dumps(asdict(self._manifest), indent=1, sort_keys=True).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size, entry.mtime, entry.mode = len(text), int(time.time()), 0o600
        self._tar.addfile(entry, io.BytesIO(text))


def unpack(backup: Path, into: Path, progress: Progress) -> Manifest:
    """Unpack a backup into an empty folder and compare every file with its hash.

    Raises ``BackupProblem`` for anything that is not exactly as it was packed.
    """
    hashes: dict[str, str] = {}
    manifest: Manifest | None = None
    size = backup.stat().st_size
    try:
        with backup.open("rb") as raw, tarfile.open(fileobj=raw, mode="r|gz") as tar:
            for entry in tar:
                progress("Unpacking", raw.tell(), size)
                content = tar.extractfile(entry) if entry.isreg() else None
                if content is None or not _is_safe(entry.name):
                    raise BackupProblem(f"The backup holds something that is no plain file: {entry.name!r}.")
                if entry.name == MANIFEST:
                    manifest = Manifest.read(content.read(LARGEST_MANIFEST_BYTES))
                else:
                    hashes[entry.name] = _write(content, into / entry.name)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BackupProblem(f"The backup is damaged or cut off ({type(error).__name__}).") from error
    if manifest is None:
        raise BackupProblem("The backup has no manifest: it was cut off, or is no backup of Heard.")
    _compare(manifest.sha256, hashes)
    return manifest


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and bool(path.parts)


def _write(content: IO[bytes], target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    with target.open("xb") as out:
        target.chmod(0o600)
        while part := content.read(1 << 20):
            digest.update(part)
            out.write(part)
    return digest.hexdigest()


def _compare(wanted: Mapping[str, str], found: Mapping[str, str]) -> None:
    for name in sorted({*wanted, *found}):
        if wanted.get(name) != found.get(name):
            what = "is missing" if name not in found else "was changed" if name in wanted else "was added"
            raise BackupProblem(f"The backup does not hold what it should: {name} {what}.")
