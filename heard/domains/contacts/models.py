"""People outside the company, and their identities on the networks."""

from __future__ import annotations

from django.db import models

from heard.foundation.privacy import CONTENT, NEUTRAL, PERSON


class Contact(models.Model):
    """A person outside the company. Erasing one anonymises the row and keeps it: counts stay true."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT, db_index=False)
    name = models.CharField(max_length=200, default="", blank=True)
    note = models.TextField(default="", blank=True)
    blocked_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "name": PERSON,
        "note": CONTENT,
        "blocked_at": NEUTRAL,
        "first_seen_at": NEUTRAL,
        "erased_at": NEUTRAL,
    }

    class Meta:
        indexes = [models.Index(fields=["organization", "id"], name="contacts_contact_org")]


class Identity(models.Model):
    """A contact's handle on one network. ``native_id`` is unique within (network, scope)."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT, db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, db_index=False)
    network = models.CharField(max_length=40)
    scope = models.CharField(max_length=255, default="", blank=True)
    native_id = models.CharField(max_length=512)
    handle = models.CharField(max_length=320)
    name = models.CharField(max_length=200, default="", blank=True)
    url = models.CharField(max_length=1000, default="", blank=True)
    avatar_url = models.CharField(max_length=1000, default="", blank=True)
    is_bot = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField()

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "contact": NEUTRAL,
        "network": NEUTRAL,
        "scope": NEUTRAL,
        "native_id": PERSON,
        "handle": PERSON,
        "name": PERSON,
        "url": PERSON,
        "avatar_url": PERSON,
        "is_bot": NEUTRAL,
        "first_seen_at": NEUTRAL,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "network", "native_id", "scope"], name="contacts_identity_once"
            )
        ]
        indexes = [models.Index(fields=["organization", "contact"], name="contacts_identity_contact")]


class Suppression(models.Model):
    """An identity that asked not to be collected again: only a salted digest of it is kept."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT)
    network = models.CharField(max_length=40)
    salt = models.BinaryField()
    digest = models.BinaryField()
    since = models.DateTimeField()

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "network": NEUTRAL,
        "salt": NEUTRAL,
        "digest": NEUTRAL,
        "since": NEUTRAL,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "network", "digest"], name="contacts_suppression_once"
            )
        ]
