"""The questions of media."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.files.base import File as OpenFile
from django.core.files.storage import default_storage

from heard.domains.media import rules
from heard.domains.media.models import File
from heard.domains.media.rules import SHOWN_INLINE
from heard.foundation.errors import NotFound, Unavailable
from heard.foundation.sight import FILE, may_see
from heard.foundation.tenancy import Actor

__all__ = ["SHOWN_INLINE", "FileView", "contents", "file", "files", "lost", "open_file", "unforgotten"]


@dataclass(frozen=True, slots=True)
class FileView:
    """A file we hold."""

    file_id: int
    name: str
    content_type: str
    size_bytes: int


def _view(row: File) -> FileView:
    return FileView(row.pk, row.name, row.content_type, row.size_bytes)


def files(organization_id: int, file_ids: Iterable[int]) -> list[FileView]:
    """These files, in the order asked for. Raises ``NotFound`` when one is not this organization's."""
    ids = list(file_ids)
    if not ids:
        return []
    rows = {row.pk: row for row in File.objects.filter(organization_id=organization_id, pk__in=ids)}
    if len(rows) != len(set(ids)):
        raise NotFound("There is no such file here.")
    return [_view(rows[number]) for number in ids]


def contents(organization_id: int, file_ids: Sequence[int]) -> list[tuple[str, str, bytes]]:
    """(name, content type, bytes) of files, for sending.

    Raises ``NotFound`` when one is not this organization's or the store has lost it, and ``Unavailable``.
    """
    found = []
    for view in files(organization_id, file_ids):
        row = File.objects.get(pk=view.file_id)
        with _opened(row) as handle:
            found.append((view.name, view.content_type, handle.read()))
    return found


def file(actor: Actor, file_id: int) -> FileView:
    """One file. Raises ``NotFound`` for anybody else's, for an erased one, and for one that came only
    where this actor may not look.
    """
    row = File.objects.filter(
        organization_id=actor.organization_id, pk=file_id, erased_at__isnull=True
    ).first()
    if row is None or not may_see(FILE, actor, file_id):
        raise NotFound("There is no such file here.")
    return _view(row)


def open_file(actor: Actor, file_id: int) -> tuple[FileView, OpenFile[bytes]]:
    """The file and its open bytes; the caller closes them. Raises ``NotFound`` and ``Unavailable``."""
    view = file(actor, file_id)
    return view, _opened(File.objects.get(pk=file_id))


def _opened(row: File) -> OpenFile[bytes]:
    try:
        return default_storage.open(row.key)
    except FileNotFoundError as error:
        raise NotFound("This file is missing in the store. Whoever runs Heard can restore it.") from error
    except OSError as error:
        raise Unavailable(f"The file could not be read. {rules.said(error)} Try again later.") from error


def unforgotten() -> int:
    """Erased files whose bytes are still in the store, because it did not answer."""
    return File.objects.filter(erased_at__isnull=False).exclude(key="").count()


def lost(sample: int = 20) -> int:
    """How many of the newest ``sample`` files the store does not have. Raises ``OSError``."""
    rows = File.objects.filter(erased_at__isnull=True).order_by("-pk")[:sample]
    return sum(not default_storage.exists(row.key) for row in rows)
