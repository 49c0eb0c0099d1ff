"""Before anything serves: databases at this version, static files in place."""

from __future__ import annotations

import fcntl
import hashlib
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from heard import __version__
from heard.foundation.plans import assume_statistics


def databases() -> None:
    """Apply what is missing. Does nothing, quickly, when nothing is."""
    for alias in settings.DATABASES:
        executor = MigrationExecutor(connections[alias])
        targets = _targets(alias, executor)
        if executor.migration_plan(targets):
            for room in _rooms_apart() if alias == "deliveries" else [""]:
                call_command("migrate", *filter(None, [room]), database=alias, interactive=False, verbosity=0)
            assume_statistics(alias)
    if not settings.TESTING:
        call_command("createcachetable", verbosity=0)


def missing_migrations() -> list[str]:
    """Names of migrations that are not applied, for ``heard doctor``."""
    missing = []
    for alias in settings.DATABASES:
        executor = MigrationExecutor(connections[alias])
        plan = executor.migration_plan(_targets(alias, executor))
        missing += [f"{alias}: {step.app_label}.{step.name}" for step, _ in plan]
    return missing


def _rooms_apart() -> list[str]:
    return sorted(
        {model._meta.app_label for model in apps.get_models() if getattr(model, "in_deliveries_file", False)}
    )


def _targets(alias: str, executor: MigrationExecutor) -> list[tuple[str, str]]:
    """The migrations a database ends with: a file of a few tables need not follow all the others."""
    leaves = executor.loader.graph.leaf_nodes()
    return leaves if alias != "deliveries" else [leaf for leaf in leaves if leaf[0] in _rooms_apart()]


def static_files() -> None:
    """Collect and compress static files once per version of them; several processes may ask at once."""
    folder = Path(settings.STATIC_ROOT)
    wanted = _fingerprint()
    if _collected(folder) == wanted:
        return
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder.parent / "static.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _collected(folder) != wanted:
            call_command("collectstatic", interactive=False, verbosity=0, clear=True)
            (folder / ".version").write_text(wanted)


def _collected(folder: Path) -> str:
    try:
        return (folder / ".version").read_text()
    except FileNotFoundError:
        return ""


def _fingerprint() -> str:
    digest = hashlib.sha256(__version__.encode())
    for folder in sorted(settings.ROOT.glob("**/static")):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                found = path.stat()
                digest.update(f"{path.name}:{found.st_size}:{found.st_mtime_ns}".encode())
    return digest.hexdigest()
