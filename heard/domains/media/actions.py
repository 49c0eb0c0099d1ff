"""The verbs of media."""

from __future__ import annotations

import hashlib

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from heard.domains.media import rules
from heard.domains.media.models import File
from heard.foundation import clock
from heard.foundation.errors import Invalid


def store(organization_id: int, *, name: str, content_type: str, data: bytes) -> int:
    """Keep a file; returns its id. The same bytes under the same name are kept once.

    The bytes are in the store before the row is: a row without its file cannot be, a file without a
    row is only waste. Raises ``Invalid`` above ``rules.LARGEST_BYTES``.
    """
    if len(data) > rules.LARGEST_BYTES:
        raise Invalid(
            f"{name} has {len(data) // 1_000_000} MB; files have at most {rules.LARGEST_BYTES // 1_000_000} MB.",
            field="files",
        )
    digest = hashlib.sha256(data).hexdigest()
    name = rules.safe_name(name)
    known = File.objects.filter(organization_id=organization_id, sha256=digest, name=name).first()
    if known is not None and known.erased_at is None:
        return known.pk
    key = default_storage.save(rules.key_of(organization_id, digest), ContentFile(data))
    kind = rules.true_type(data, content_type)
    if known is not None:
        File.objects.filter(pk=known.pk).update(key=key, erased_at=None)
        return known.pk
    row = File.objects.create(
        organization_id=organization_id,
        sha256=digest,
        size_bytes=len(data),
        content_type=kind,
        name=name,
        key=key,
        created_at=clock.now(),
    )
    return row.pk


def erase(organization_id: int, file_ids: list[int]) -> int:
    """Delete files' bytes for good; the rows stay, nameless, for counts."""
    rows = File.objects.filter(organization_id=organization_id, pk__in=file_ids, erased_at__isnull=True)
    done = 0
    for row in rows:
        others = File.objects.filter(key=row.key, erased_at__isnull=True).exclude(pk=row.pk).exists()
        if not others:
            default_storage.delete(row.key)
        File.objects.filter(pk=row.pk).update(
            name=f"erased-{row.pk}", sha256=f"erased-{row.pk}", erased_at=clock.now()
        )
        done += 1
    return done
