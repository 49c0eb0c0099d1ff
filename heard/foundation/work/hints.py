"""A hint that something is due. Best effort: never waits, never fails its caller.

Embedded, the worker notices commits by itself (``PRAGMA data_version``), so there is nothing to do.
Distributed, a sender is installed by ``config`` (Celery where a broker is set, else NOTIFY); it is
called after commit and must return at once.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

Sender = Callable[[str], None]

_sender: list[Sender] = []


def install_sender(sender: Sender | None) -> None:
    """Set (or, with ``None``, remove) the one way hints travel in this process."""
    _sender[:] = [sender] if sender else []


def wake(job_name: str, alias: str = "default") -> None:
    """After this transaction commits, tell workers that ``job_name`` has something due."""
    if _sender:
        transaction.on_commit(lambda: _sender[0](job_name), using=alias, robust=True)
