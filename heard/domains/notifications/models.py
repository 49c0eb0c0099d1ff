"""What a member is told."""

from __future__ import annotations

from django.db import models

from heard.foundation.privacy import NEUTRAL


class Notification(models.Model):
    """One thing a member is told; the words are the page's, made from ``kind`` and ``subject_id``."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT)
    member = models.ForeignKey("organizations.Member", on_delete=models.CASCADE)
    kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField(default=0)
    url = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "member": NEUTRAL,
        "kind": NEUTRAL,
        "subject_id": NEUTRAL,
        "url": NEUTRAL,
        "created_at": NEUTRAL,
        "read_at": NEUTRAL,
    }

    class Meta:
        indexes = [models.Index(fields=["organization", "member", "-id"], name="notifications_member")]

    def __str__(self) -> str:
        return f"{self.kind} for member {self.member_id}"
