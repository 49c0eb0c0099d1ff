"""Connected accounts, and what their networks handed us before we understood it."""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from heard.foundation.privacy import CONTENT, NEUTRAL, SECRET


class ChannelState(StrEnum):
    """``refused``: the network no longer takes the credentials. ``closed``: disconnected by us."""

    ACTIVE = "active"
    PAUSED = "paused"
    REFUSED = "refused"
    CLOSED = "closed"


class Channel(models.Model):
    """One account of the company on one network, with its credentials, health and terms."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT)
    brand = models.ForeignKey("organizations.Brand", on_delete=models.PROTECT)
    network = models.CharField(max_length=40)
    scope = models.CharField(max_length=255, default="", blank=True)
    native_id = models.CharField(max_length=512)
    handle = models.CharField(max_length=320)
    name = models.CharField(max_length=200)
    url = models.CharField(max_length=1000, default="", blank=True)
    state = models.CharField(max_length=20, default=ChannelState.ACTIVE)
    state_reason = models.CharField(max_length=300, default="", blank=True)
    settings = models.JSONField(default=dict)
    secrets = models.TextField(default="")
    limits = models.JSONField(default=dict)
    terms = models.JSONField(default=dict)
    hook_token = models.CharField(max_length=64, unique=True)
    connected_at = models.DateTimeField()
    # Polling is due work: see foundation.work.leases.
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.IntegerField(default=0)
    attempts = models.IntegerField(default=0)
    # Health.
    heard_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    streaming_until = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, default="", blank=True)
    error_at = models.DateTimeField(null=True, blank=True)
    gap = models.CharField(max_length=300, default="", blank=True)
    budgets = models.JSONField(default=dict)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "brand": NEUTRAL,
        "network": NEUTRAL,
        "scope": NEUTRAL,
        "native_id": NEUTRAL,
        "handle": NEUTRAL,
        "name": NEUTRAL,
        "url": NEUTRAL,
        "state": NEUTRAL,
        "state_reason": NEUTRAL,
        "settings": NEUTRAL,
        "secrets": SECRET,
        "limits": NEUTRAL,
        "terms": NEUTRAL,
        "hook_token": SECRET,
        "connected_at": NEUTRAL,
        "due_at": NEUTRAL,
        "lease_until": NEUTRAL,
        "fence": NEUTRAL,
        "attempts": NEUTRAL,
        "heard_at": NEUTRAL,
        "looked_at": NEUTRAL,
        "streaming_until": NEUTRAL,
        "error": NEUTRAL,
        "error_at": NEUTRAL,
        "gap": NEUTRAL,
        "budgets": NEUTRAL,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "network", "scope", "native_id"],
                condition=~models.Q(state="closed"),
                name="channels_account_once",
            )
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="channels_due")]


class Access(StrEnum):
    """What somebody may do with one channel, where it differs from their role."""

    NONE = "none"
    VIEW = "view"
    REPLY = "reply"


class ChannelAccess(models.Model):
    """An exception to the role, for one channel: for a member or for a whole team."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE)
    member = models.ForeignKey("organizations.Member", on_delete=models.CASCADE, null=True, blank=True)
    team = models.ForeignKey("organizations.Team", on_delete=models.CASCADE, null=True, blank=True)
    access = models.CharField(max_length=10)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "channel": NEUTRAL,
        "member": NEUTRAL,
        "team": NEUTRAL,
        "access": NEUTRAL,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "member"], name="channels_access_member_once"),
            models.UniqueConstraint(fields=["channel", "team"], name="channels_access_team_once"),
            models.CheckConstraint(
                condition=models.Q(member__isnull=False, team__isnull=True)
                | models.Q(member__isnull=True, team__isnull=False),
                name="channels_access_for_one",
            ),
        ]


class DeliveryState(StrEnum):
    """``received`` is due to be understood; ``unreadable`` waits for a replay after a fix."""

    RECEIVED = "received"
    UNDERSTOOD = "understood"
    UNREADABLE = "unreadable"


class Delivery(models.Model):
    """What a network handed us, raw, before we understood it. Durable before the network hears "200".

    On SQLite it lives in a file of its own, so organization and channel are plain ids. The body goes
    after its retention term once understood (``body`` empty, ``emptied_at`` set).
    """

    in_deliveries_file = True

    organization_id = models.BigIntegerField()
    channel_id = models.BigIntegerField()
    source = models.CharField(max_length=20)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=20, default=DeliveryState.RECEIVED)
    reason = models.CharField(max_length=300, default="", blank=True)
    emptied_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.IntegerField(default=0)
    attempts = models.IntegerField(default=0)

    classified = {
        "id": NEUTRAL,
        "organization_id": NEUTRAL,
        "channel_id": NEUTRAL,
        "source": NEUTRAL,
        "headers": CONTENT,
        "body": CONTENT,
        "received_at": NEUTRAL,
        "state": NEUTRAL,
        "reason": NEUTRAL,
        "emptied_at": NEUTRAL,
        "due_at": NEUTRAL,
        "lease_until": NEUTRAL,
        "fence": NEUTRAL,
        "attempts": NEUTRAL,
    }

    class Meta:
        indexes = [
            # Only what is due is indexed by due time, so a million understood ones cost nothing.
            models.Index(
                fields=["state", "due_at"], name="channels_delivery_due", condition=models.Q(state="received")
            ),
            models.Index(
                fields=["organization_id", "channel_id", "received_at"], name="channels_delivery_channel"
            ),
            models.Index(
                fields=["organization_id", "channel_id"],
                name="channels_delivery_unreadable",
                condition=models.Q(state="unreadable"),
            ),
            models.Index(
                fields=["received_at"],
                name="channels_delivery_kept",
                condition=models.Q(emptied_at__isnull=True),
            ),
        ]


class Cursor(models.Model):
    """Where ``fetch`` goes on. It moves in the transaction that stores what it brought."""

    in_deliveries_file = True

    organization_id = models.BigIntegerField()
    channel_id = models.BigIntegerField(unique=True)
    value = models.JSONField(null=True)
    moved_at = models.DateTimeField()

    classified = {
        "id": NEUTRAL,
        "organization_id": NEUTRAL,
        "channel_id": NEUTRAL,
        "value": NEUTRAL,
        "moved_at": NEUTRAL,
    }
