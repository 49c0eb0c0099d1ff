"""The verbs of media."""

from __future__ import annotations

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
from heard.foundation.errors import Invalid, Unavailable
from heard.foundation.logging import logger
from heard.foundation.tenancy import Actor, system

log = logger(__name__)


def require_size(name: str, size_bytes: int) -> None:
    """Raise ``Invalid`` on the field ``files`` for a file that is not kept: before it is read into memory."""
    name = rules.safe_name(name)
    if not size_bytes:
        raise Invalid(f"{name} is empty.", field="files")
    if size_bytes > rules.LARGEST_BYTES:
        most = rules.LARGEST_BYTES // 1_000_000
        raise Invalid(
            f"{name} has {size_bytes // 1_000_000} MB; files have at most {most} MB.", field="files"
        )


def store(
    organization_id: int, *, name: str, content_type: str, data: bytes, actor: Actor | None = None
) -> int:
    """Keep a file; returns its id. The same bytes under the same name are kept once.

    The bytes are in the store before the row is: a row without its file cannot be, a file without a
    row is only waste. ``actor`` is the member who brought it, if one did. Raises ``Invalid`` on
    ``files`` for an empty one and above ``rules.LARGEST_BYTES``, and ``Unavailable`` when the store
    does not take it.
    """
    name = rules.safe_name(name)
    require_size(name, len(data))
    digest = hashlib.sha256(data).hexdigest()
    kept = File.objects.filter(
        organization_id=organization_id, sha256=digest, name=name, erased_at__isnull=True
    )
    known = kept.values_list("pk", flat=True).first()
    if known is not None:
        return known
    try:
        key = default_storage.save(rules.key_of(organization_id, digest), ContentFile(data))
    except OSError as error:
        raise Unavailable(f"{name} could not be kept. {rules.said(error)}") from error
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
        _delete(key)
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
        for row in rows:
            row.name = row.sha256 = f"erased-{row.pk}"
            row.erased_at = now
        File.objects.bulk_update(rows, ["name", "sha256", "erased_at"])
        if rows:
            fact = FilesErased(file_ids=tuple(row.pk for row in rows))
            journal.append(organization_id, (actor or system(organization_id)).label, [fact], at=now)
            # Not before: after a rollback the row would still promise its file.
            transaction.on_commit(lambda: _forget(rows))
    return len(rows)


def forget_bytes(limit: int) -> int:
    """Delete the bytes of erased files that are still in the store; returns how many went.

    Those whose deletion failed, or whose process died between the commit and the deletion.
    """
    rows = File.objects.filter(erased_at__isnull=False).exclude(key="").order_by("pk")[:limit]
    return _forget(list(rows))


def _forget(rows: Sequence[File]) -> int:
    """Delete bytes; an emptied ``key`` says that they are gone. Stops where the store does not answer."""
    gone = 0
    for row in rows:
        if not _delete(row.key):
            break
        File.objects.filter(pk=row.pk).update(key="")
        gone += 1
    return gone


def _delete(key: str) -> bool:
    """False when the store did not do it: then it is tried again by ``forget_bytes``."""
    try:
        default_storage.delete(key)
    except FileNotFoundError:
        return True
    except OSError as error:
        log.warning("file_not_deleted", reason=rules.said(error))
        return False
    return True
