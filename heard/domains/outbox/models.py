"""Everything that leaves: one table, one life, one gate."""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from heard.foundation.privacy import CONTENT, NEUTRAL


class OutboundState(StrEnum):
    """The life of an outbound; the transitions are in ``rules.TRANSITIONS``.

    ``waiting``: in its undo window or due. ``held``: stopped by a hold. ``sending``: handed to the
    network under this attempt. ``unknown``: the network must be looked at. ``asked``: we looked and
    still do not know, a person decides.
    """

    WAITING = "waiting"
    HELD = "held"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ASKED = "asked"
    SENT = "sent"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Outbound(models.Model):
    """One thing that is to leave, or has left. ``key`` is the idempotency key of all its attempts."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT, db_index=False)
    channel = models.ForeignKey("channels.Channel", on_delete=models.PROTECT)
    verb = models.CharField(max_length=20)
    conversation = models.ForeignKey("conversations.Conversation", on_delete=models.PROTECT, null=True)
    target = models.ForeignKey("conversations.Message", on_delete=models.PROTECT, null=True, related_name="+")
    message = models.ForeignKey(
        "conversations.Message", on_delete=models.PROTECT, null=True, related_name="+"
    )
    author = models.ForeignKey("organizations.Member", on_delete=models.PROTECT, null=True)
    key = models.CharField(max_length=40, unique=True)
    text = models.TextField(default="", blank=True)
    subject = models.CharField(max_length=500, default="", blank=True)
    visibility = models.CharField(max_length=12, default="", blank=True)
    file_ids = models.JSONField(default=list)
    alts = models.JSONField(default=list)
    state = models.CharField(max_length=10, default=OutboundState.WAITING)
    reason = models.CharField(max_length=500, default="", blank=True)
    created_at = models.DateTimeField()
    undo_until = models.DateTimeField()
    due_at = models.DateTimeField()
    first_attempt_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.IntegerField(default=0)
    attempts = models.IntegerField(default=0)
    looks = models.IntegerField(default=0)
    in_doubt = models.BooleanField(default=False)  # an attempt may stand there: nothing else may be its end

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "channel": NEUTRAL,
        "verb": NEUTRAL,
        "conversation": NEUTRAL,
        "target": NEUTRAL,
        "message": NEUTRAL,
        "author": NEUTRAL,
        "key": NEUTRAL,
        "text": CONTENT,
        "subject": CONTENT,
        "visibility": NEUTRAL,
        "file_ids": NEUTRAL,
        "alts": CONTENT,
        "state": NEUTRAL,
        "reason": NEUTRAL,
        "created_at": NEUTRAL,
        "undo_until": NEUTRAL,
        "due_at": NEUTRAL,
        "first_attempt_at": NEUTRAL,
        "started_at": NEUTRAL,
        "ended_at": NEUTRAL,
        "lease_until": NEUTRAL,
        "fence": NEUTRAL,
        "attempts": NEUTRAL,
        "looks": NEUTRAL,
        "in_doubt": NEUTRAL,
    }

    class Meta:
        indexes = [
            models.Index(fields=["state", "due_at"], name="outbox_due"),
            models.Index(fields=["organization", "conversation", "id"], name="outbox_thread"),
            models.Index(fields=["organization", "state", "id"], name="outbox_state"),
        ]


class Gate(models.Model):
    """One row per organization: a claim shares its lock, placing a hold takes it alone."""

    organization = models.OneToOneField(
        "organizations.Organization", on_delete=models.PROTECT, primary_key=True
    )

    classified = {"organization": NEUTRAL}


class Hold(models.Model):
    """Stops all that leaves, for an organization or one channel. Released by a second step."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT)
    channel = models.ForeignKey("channels.Channel", on_delete=models.PROTECT, null=True, blank=True)
    kind = models.CharField(max_length=20, default="switch")
    reason = models.CharField(max_length=300)
    placed_by = models.ForeignKey(
        "organizations.Member", on_delete=models.PROTECT, null=True, related_name="+"
    )
    placed_at = models.DateTimeField()
    release_asked_by = models.ForeignKey(
        "organizations.Member", on_delete=models.PROTECT, null=True, related_name="+"
    )
    release_asked_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        "organizations.Member", on_delete=models.PROTECT, null=True, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "channel": NEUTRAL,
        "kind": NEUTRAL,
        "reason": NEUTRAL,
        "placed_by": NEUTRAL,
        "placed_at": NEUTRAL,
        "release_asked_by": NEUTRAL,
        "release_asked_at": NEUTRAL,
        "released_by": NEUTRAL,
        "released_at": NEUTRAL,
    }

    class Meta:
        indexes = [
            models.Index(
                fields=["organization", "channel"],
                name="outbox_hold_open",
                condition=models.Q(released_at__isnull=True),
            )
        ]
