"""``heard backup``: databases of one moment, keys and files, while everything runs."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from heard import __version__
from heard.config import options
from heard.config.backup import embedded, postgres
from heard.config.backup.archive import BackupProblem, Manifest, Progress, Writer

SECRETS = ("keys", "secret-key")
FILES = "files"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was written. ``left_out`` says what the operator has to keep by other means."""

    path: Path
    size_bytes: int
    rows: int
    files: int
    left_out: tuple[str, ...]


def make(target: Path, progress: Progress) -> Made:
    """Write a backup to ``target``, readable by its owner only. Raises ``BackupProblem``."""
    data = options.data_folder()
    if target.exists():
        raise BackupProblem(f"{target} exists. A backup never overwrites: give another name.")
    if not target.parent.is_dir():
        raise BackupProblem(f"There is no folder {target.parent}.")
    _require_space(data, target.parent)
    part = target.with_name(f".{target.name}.part")
    try:
        with tempfile.TemporaryDirectory(prefix=".heard-backup-", dir=target.parent) as staging:
            manifest = _databases(data, Path(staging), progress)
            files = _pack(data, Path(staging), part, manifest, progress)
        part.replace(target)
    except OSError as error:
        raise BackupProblem(f"The backup could not be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)
    rows = sum(sum(tables.values()) for tables in manifest.rows.values())
    return Made(target, target.stat().st_size, rows, files, _left_out(data))


def _require_space(data: Path, folder: Path) -> None:
    if options.DATABASE_URL.value:
        return
    needed = sum((data / name).stat().st_size for name in embedded.DATABASES if (data / name).exists())
    if shutil.disk_usage(folder).free < 2 * needed:
        raise BackupProblem(f"{folder} has too little space: the databases take {needed / 1e6:.0f} MB.")


def _databases(data: Path, staging: Path, progress: Progress) -> Manifest:
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    url = options.DATABASE_URL.value
    if url:
        manifest = Manifest(__version__, made_at, "postgresql")
        progress("Dumping PostgreSQL", 0, 1)
        manifest.rows["default"], manifest.migrations = postgres.dump(url, staging / postgres.DUMP)
        progress("Dumping PostgreSQL", 1, 1)
        return manifest
    manifest = Manifest(__version__, made_at, "sqlite")
    for name in embedded.DATABASES:
        if not (data / name).exists():
            raise BackupProblem(f"There is no installation in {data}: {name} is missing.")
        embedded.snapshot(data / name, staging / name, progress)
        manifest.rows[name] = embedded.counts(staging / name)
    manifest.migrations = embedded.migrations(staging / embedded.DATABASES[-1])
    return manifest


def _pack(data: Path, staging: Path, part: Path, manifest: Manifest, progress: Progress) -> int:
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    kept = sorted(path for path in (data / FILES).rglob("*") if path.is_file())
    with (
        os.fdopen(handle, "wb") as raw,
        tarfile.open(fileobj=raw, mode="w:gz", compresslevel=5, format=tarfile.PAX_FORMAT) as tar,
    ):
        writer = Writer(tar, manifest)
        for path in sorted(staging.iterdir()):
            progress("Packing databases", 0, 1)
            writer.add(path, f"databases/{path.name}")
        for name in SECRETS:
            if (data / name).exists():
                writer.add(data / name, name)
        for number, path in enumerate(kept):
            progress("Packing files", number, len(kept))
            writer.add(path, path.relative_to(data).as_posix())
        writer.close()
        tar.close()
        raw.flush()
        os.fsync(raw.fileno())
    return len(kept)


def _left_out(data: Path) -> tuple[str, ...]:
    found = []
    if options.S3.value:
        found.append("Files are in the S3 store (HEARD_S3): back up its bucket.")
    if options.KEYS.value:
        found.append(
            "Keys are in HEARD_KEYS: without them no channel's secrets can be opened. Keep them apart."
        )
    if options.SECRET_KEY.value:
        found.append("HEARD_SECRET_KEY is in your environment: keep it, or everybody signs in again.")
    if (data / "sandbox.sqlite3").exists():
        found.append("The Sandbox is a network of its own, and not part of a backup.")
    return tuple(found)
