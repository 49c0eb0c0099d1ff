"""The verbs of media."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Sequence

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from heard.domains.journal import actions as journal
from heard.domains.media import rules
from heard.domains.media.facts import FilesErased, FileStored
from heard.domains.media.models import File
from heard.foundation import clock
from heard.foundation.errors import Invalid
from heard.foundation.tenancy import Actor, system


def store(
    organization_id: int, *, name: str, content_type: str, data: bytes, actor: Actor | None = None
) -> int:
    """Keep a file; returns its id. The same bytes under the same name are kept once.

    The bytes are in the store before the row is: a row without its file cannot be, a file without a
    row is only waste. ``actor`` is the member who brought it, if one did. Raises ``Invalid`` on
    ``files`` for an empty one and above ``rules.LARGEST_BYTES``, and ``OSError`` when the store does
    not take it.
    """
    name = rules.safe_name(name)
    if not data:
        raise Invalid(f"{name} is empty.", field="files")
    if len(data) > rules.LARGEST_BYTES:
        most = rules.LARGEST_BYTES // 1_000_000
        raise Invalid(f"{name} has {len(data) // 1_000_000} MB; files have at most {most} MB.", field="files")
    digest = hashlib.sha256(data).hexdigest()
    kept = File.objects.filter(
        organization_id=organization_id, sha256=digest, name=name, erased_at__isnull=True
    )
    known = kept.values_list("pk", flat=True).first()
    if known is not None:
        return known
    key = default_storage.save(rules.key_of(organization_id, digest), ContentFile(data))
    now = clock.now()
    try:
        with transaction.atomic():
            row = File.objects.create(
                organization_id=organization_id,
                sha256=digest,
                size_bytes=len(data),
                content_type=rules.true_type(data, content_type),
                name=name,
                key=key,
                created_at=now,
            )
            fact = FileStored(file_id=row.pk, size_bytes=row.size_bytes)
            journal.append(organization_id, (actor or system(organization_id)).label, [fact], at=now)
    except IntegrityError:
        # Somebody stored the same at the same moment: theirs is the one.
        _delete([key])
        return kept.values_list("pk", flat=True).get()
    return row.pk


def erase(organization_id: int, file_ids: Iterable[int], *, actor: Actor | None = None) -> int:
    """Delete files' bytes for good, once this is committed; the rows stay, nameless, for counts.

    Returns how many went. The caller says that nobody else needs them: the same content under the
    same name may stand in several messages.
    """
    now = clock.now()
    with transaction.atomic():
        rows = list(
            File.objects.select_for_update()
            .filter(organization_id=organization_id, pk__in=list(file_ids), erased_at__isnull=True)
            .order_by("pk")
        )
        keys = [row.key for row in rows]
        for row in rows:
            row.name = row.sha256 = f"erased-{row.pk}"
            row.erased_at = now
        File.objects.bulk_update(rows, ["name", "sha256", "erased_at"])
        if rows:
            fact = FilesErased(file_ids=tuple(row.pk for row in rows))
            journal.append(organization_id, (actor or system(organization_id)).label, [fact], at=now)
            # Not before: after a rollback the row would still promise its file.
            transaction.on_commit(lambda: _delete(keys))
    return len(rows)


def _delete(keys: Sequence[str]) -> None:
    for key in keys:
        with contextlib.suppress(FileNotFoundError):
            default_storage.delete(key)
