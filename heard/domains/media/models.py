"""Files we hold, by content: the same bytes are stored once per organization."""

from __future__ import annotations

from django.db import models

from heard.foundation.privacy import CONTENT, NEUTRAL


class File(models.Model):
    """A file of an organization. ``key`` is its name in the store (a directory or S3)."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    content_type = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "sha256": CONTENT,
        "size_bytes": NEUTRAL,
        "content_type": NEUTRAL,
        "name": CONTENT,
        "key": NEUTRAL,
        "created_at": NEUTRAL,
        "erased_at": NEUTRAL,
    }

    class Meta:
        indexes = [
            models.Index(
                fields=["id"],
                name="media_file_to_forget",
                condition=models.Q(erased_at__isnull=False) & ~models.Q(key=""),
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["organization", "sha256", "name"], name="media_file_once")
        ]

    def __str__(self) -> str:
        return f"file {self.pk}"
