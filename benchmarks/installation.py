"""A scratch installation with one company and one Sandbox channel, as an operator would have it."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WEBHOOK_SECRET = "a-secret-of-the-benchmarks"  # noqa: S105 - of a Sandbox on loopback
BRAND = "brand"


@dataclass(frozen=True, slots=True)
class Installation:
    """Where it lives, who owns it, and the database server's process (``None`` on SQLite)."""

    folder: Path
    organization_id: int
    member_id: int
    user_id: int
    channel_id: int
    hook_token: str
    server: int | None


@contextlib.contextmanager
def _database(kind: str) -> Iterator[None]:
    os.environ.pop("HEARD_DATABASE_URL", None)
    if kind == "sqlite":
        yield
        return
    from tests.servers.postgres import postgres

    with postgres() as server:
        os.environ["HEARD_DATABASE_URL"] = server.url
        yield


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """An empty data folder, named in the environment, removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="heard-bench-"))
    os.environ["HEARD_DATA"] = str(folder)
    os.environ.setdefault("HEARD_LOG_LEVEL", "WARNING")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def installation(database: str) -> Iterator[Installation]:
    """Founded and connected, with the settings of real use. One per process: Django is set up here."""
    with scratch() as folder, _database(database):
        from heard.config import prepare, startup

        startup.start()
        prepare.databases()
        prepare.static_files()
        startup.settle()
        from django.db import connections

        try:
            yield _found(folder, _server_process() if database == "postgres" else None)
        finally:
            connections.close_all()


def _server_process() -> int:
    from heard.foundation import db

    backend = int(db.fetch_all("SELECT pg_backend_pid()")[0][0])
    return int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])


def _found(folder: Path, server: int | None) -> Installation:
    from heard.domains.channels.actions.link import seal_secrets
    from heard.domains.channels.models import Channel
    from heard.domains.organizations import queries
    from heard.domains.organizations.actions import found_organization
    from heard.foundation import clock

    founded = found_organization(
        name="Northbridge",
        timezone="Europe/London",
        owner_name="Alice Archer",
        owner_email="alice@northbridge.example",
        owner_password=None,
        teams=["Customer service", "Press"],
    )
    actor = queries.actor_of(founded.organization_id, founded.member_id)
    brand = next(brand.id for brand in queries.brands(actor) if brand.is_default)
    # Written down directly: connecting would ask a network, and here is none.
    row = Channel.objects.create(
        organization_id=founded.organization_id,
        brand_id=brand,
        network="sandbox",
        native_id=BRAND,
        handle="northbridge",
        name="Northbridge",
        settings={"address": "http://127.0.0.1:9"},
        hook_token=secrets.token_urlsafe(32),
        connected_at=clock.now(),
        due_at=clock.now().replace(year=clock.now().year + 1),
    )
    row.secrets = seal_secrets(
        founded.organization_id, row.pk, {"token": "none", "webhook_secret": WEBHOOK_SECRET}
    )
    row.save()
    return Installation(
        folder,
        founded.organization_id,
        founded.member_id,
        founded.user_id,
        row.pk,
        row.hook_token,
        server,
    )
