"""``heard restore``: nothing is put in place before everything was compared with the manifest."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from heard.config import options
from heard.config.backup import embedded, postgres
from heard.config.backup.archive import BackupProblem, Manifest, Progress, unpack
from heard.config.backup.make import FILES, SECRETS

DOMAINS = Path(__file__).resolve().parents[2] / "domains"
_SIDE_FILES = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that stands in place. ``set_aside`` is where what stood there before was moved."""

    made_at: str
    version: str
    rows: int
    files: int
    set_aside: Path | None


def restore(backup: Path, progress: Progress, *, force: bool = False) -> Restored:
    """Put a backup in place of the data folder (and of the database of ``HEARD_DATABASE_URL``).

    With ``force`` what is there is set aside (SQLite) or replaced (PostgreSQL). Raises ``BackupProblem``
    before anything was changed.
    """
    data = options.data_folder()
    url = options.DATABASE_URL.value
    _require_empty(data, url, force=force)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    staging = Path(tempfile.mkdtemp(prefix=".restore-", dir=data))
    try:
        manifest = unpack(backup, staging, progress)
        _require_fit(manifest, url)
        if not url:
            _require_rows(manifest, staging)
        aside = _set_aside(data) if force else None
        if url:
            progress("Loading PostgreSQL", 0, 1)
            postgres.load(url, staging / "databases" / postgres.DUMP, replace=force)
            _require_loaded(manifest, url)
        _put_in_place(staging, data)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    rows = sum(sum(tables.values()) for tables in manifest.rows.values())
    files = sum(name.startswith(f"{FILES}/") for name in manifest.sha256)
    return Restored(manifest.made_at, manifest.version, rows, files, aside)


def _present(data: Path) -> list[Path]:
    names = [*SECRETS, FILES, *(name + side for name in embedded.DATABASES for side in ("", *_SIDE_FILES))]
    return [data / name for name in names if (data / name).exists()]


def _require_empty(data: Path, url: str, *, force: bool) -> None:
    if force:
        return
    if _present(data):
        raise BackupProblem(
            f"{data} holds an installation. Name an empty folder with --data, or stop Heard and use --force: "
            "what is there is then set aside."
        )
    if url:
        with postgres.connected(url) as connection:
            if postgres.tables(connection):
                raise BackupProblem(
                    "The database is not empty. Name an empty one, or use --force to replace it."
                )


def _require_fit(manifest: Manifest, url: str) -> None:
    wanted = "postgresql" if url else "sqlite"
    if manifest.engine != wanted:
        how = (
            "Set HEARD_DATABASE_URL" if manifest.engine == "postgresql" else "Leave HEARD_DATABASE_URL empty"
        )
        raise BackupProblem(f"This is a backup of {manifest.engine}. {how} to restore it.")
    for migration in manifest.migrations:
        app, _, name = migration.partition(".")
        folder = DOMAINS / app / "migrations"
        if folder.is_dir() and not (folder / f"{name}.py").exists():
            raise BackupProblem(
                f"The backup was made by Heard {manifest.version}, newer than this one ({migration})."
            )


def _require_rows(manifest: Manifest, staging: Path) -> None:
    for name in embedded.DATABASES:
        if not (staging / "databases" / name).exists():
            raise BackupProblem(f"The backup lacks {name}.")
        _same(manifest.rows.get(name, {}), embedded.counts(staging / "databases" / name))


def _require_loaded(manifest: Manifest, url: str) -> None:
    with postgres.connected(url) as connection:
        found = postgres.counts(connection)
    wanted = manifest.rows["default"]
    _same(wanted, {name: found.get(name, 0) for name in wanted})


def _same(wanted: dict[str, int], found: dict[str, int]) -> None:
    for name in sorted({*wanted, *found}):
        if wanted.get(name, 0) != found.get(name, 0):
            raise BackupProblem(
                f"{name} should have {wanted.get(name, 0):,} rows and has {found.get(name, 0):,}."
            )


def _set_aside(data: Path) -> Path | None:
    found = _present(data)
    if not found:
        return None
    aside = data / f"replaced-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    aside.mkdir(mode=0o700)
    for path in found:
        path.rename(aside / path.name)
    return aside


def _put_in_place(staging: Path, data: Path) -> None:
    for name in SECRETS:
        if (staging / name).exists():
            (staging / name).rename(data / name)
    if (staging / FILES).exists():
        (staging / FILES).rename(data / FILES)
    for name in embedded.DATABASES:
        if (staging / "databases" / name).exists():
            (staging / "databases" / name).rename(data / name)
