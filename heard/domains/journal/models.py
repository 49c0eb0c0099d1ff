"""Facts, and the seals beside them. Both are insert-only; see the room's README."""

from __future__ import annotations

from django.db import models

from heard.foundation.privacy import NEUTRAL


class Fact(models.Model):
    """One entry: canonical bytes (RFC 8785) of who did what, when, to what. No personal content."""

    organization_id = models.BigIntegerField()
    kind = models.CharField(max_length=80)
    at = models.DateTimeField()
    body = models.BinaryField()

    classified = {"id": NEUTRAL, "organization_id": NEUTRAL, "kind": NEUTRAL, "at": NEUTRAL, "body": NEUTRAL}

    class Meta:
        indexes = [models.Index(fields=["organization_id", "id"], name="journal_fact_org")]


class Seal(models.Model):
    """A fact's place in its organization's chain: ``hash = SHA-256(previous hash ‖ body)``."""

    pk = models.CompositePrimaryKey("organization_id", "position")
    organization_id = models.BigIntegerField()
    position = models.BigIntegerField()
    fact_id = models.BigIntegerField(unique=True)
    hash = models.BinaryField()

    classified = {
        "organization_id": NEUTRAL,
        "position": NEUTRAL,
        "fact_id": NEUTRAL,
        "hash": NEUTRAL,
    }


class Chain(models.Model):
    """The end of an organization's chain. Its row is the sealer's lock.

    On PostgreSQL rows become visible out of the order of their ids. ``horizon_id`` is an id below
    which every fact is sealed; ``pending_id`` and ``pending_xid`` are the next candidate, which holds once
    every transaction that ran when it was noted has ended.
    """

    organization_id = models.BigIntegerField(primary_key=True)
    position = models.BigIntegerField(default=0)
    hash = models.BinaryField(default=b"\0" * 32)
    horizon_id = models.BigIntegerField(default=0)
    pending_id = models.BigIntegerField(default=0)
    pending_xid = models.BigIntegerField(default=0)

    classified = {
        "organization_id": NEUTRAL,
        "position": NEUTRAL,
        "hash": NEUTRAL,
        "horizon_id": NEUTRAL,
        "pending_id": NEUTRAL,
        "pending_xid": NEUTRAL,
    }


class Consumer(models.Model):
    """How far a reaction has read an organization's sealed facts, and how it is doing."""

    organization_id = models.BigIntegerField()
    name = models.CharField(max_length=120)
    position = models.BigIntegerField(default=0)
    attempts = models.IntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, default="", blank=True)

    classified = {
        "id": NEUTRAL,
        "organization_id": NEUTRAL,
        "name": NEUTRAL,
        "position": NEUTRAL,
        "attempts": NEUTRAL,
        "due_at": NEUTRAL,
        "last_error": NEUTRAL,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "name"], name="journal_consumer_once")
        ]


class GivenUp(models.Model):
    """A fact that a reaction could not follow after all its attempts: kept to be run again by a person."""

    organization_id = models.BigIntegerField()
    consumer = models.CharField(max_length=120)
    position = models.BigIntegerField()
    error = models.CharField(max_length=300)
    at = models.DateTimeField()

    classified = {
        "id": NEUTRAL,
        "organization_id": NEUTRAL,
        "consumer": NEUTRAL,
        "position": NEUTRAL,
        "error": NEUTRAL,
        "at": NEUTRAL,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "consumer", "position"], name="journal_given_up_once"
            )
        ]
