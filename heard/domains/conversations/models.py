"""What was said: conversations and their messages."""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from heard.foundation.privacy import CONTENT, NEUTRAL, PERSON


class Direction(StrEnum):
    """``in``: said to us; ``out``: said by us; ``context``: around it (the post being answered)."""

    IN = "in"
    OUT = "out"
    CONTEXT = "context"


class MessageState(StrEnum):
    """What the network says of it now. ``erased``: its person was forgotten here."""

    VISIBLE = "visible"
    DELETED = "deleted"
    ERASED = "erased"


class Conversation(models.Model):
    """In public one comment or mention and its branch; in private the exchange. One visibility."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT, db_index=False)
    channel = models.ForeignKey("channels.Channel", on_delete=models.PROTECT, db_index=False)
    contact = models.ForeignKey("contacts.Contact", on_delete=models.PROTECT, null=True, db_index=False)
    key = models.CharField(max_length=600)
    is_private = models.BooleanField()
    subject = models.CharField(max_length=500, default="", blank=True)
    started_at = models.DateTimeField()
    last_inbound_at = models.DateTimeField(null=True, blank=True)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "channel": NEUTRAL,
        "contact": NEUTRAL,
        "key": PERSON,
        "is_private": NEUTRAL,
        "subject": CONTENT,
        "started_at": NEUTRAL,
        "last_inbound_at": NEUTRAL,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "channel", "key"], name="conversations_key_once")
        ]
        indexes = [models.Index(fields=["organization", "contact"], name="conversations_contact")]


class Message(models.Model):
    """One thing said, in or out. Unique per (channel, id scope, native id).

    ``parent`` draws the tree; ``parent_native_id`` waits for a parent we were not shown yet.
    """

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT, db_index=False)
    channel = models.ForeignKey("channels.Channel", on_delete=models.PROTECT, db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, null=True, db_index=False)
    identity = models.ForeignKey("contacts.Identity", on_delete=models.PROTECT, null=True, db_index=False)
    direction = models.CharField(max_length=8)
    kind = models.CharField(max_length=20)
    visibility = models.CharField(max_length=12)
    id_scope = models.CharField(max_length=255, default="", blank=True)
    native_id = models.CharField(max_length=512)
    canonical_id = models.CharField(max_length=1000, default="", blank=True)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    parent_native_id = models.CharField(max_length=512, default="", blank=True)
    root_native_id = models.CharField(max_length=512, default="", blank=True)
    text = models.TextField(default="", blank=True)
    html = models.TextField(default="", blank=True)
    subject = models.CharField(max_length=500, default="", blank=True)
    language = models.CharField(max_length=35, default="", blank=True)
    url = models.CharField(max_length=1000, default="", blank=True)
    sent_at = models.DateTimeField()
    received_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    version = models.CharField(max_length=80, default="", blank=True)
    state = models.CharField(max_length=10, default=MessageState.VISIBLE)
    mentions_us = models.BooleanField(default=False)
    is_automatic = models.BooleanField(default=False)
    refs = models.JSONField(default=dict)
    recipients = models.JSONField(default=list)
    raw = models.TextField(default="", blank=True)
    context_due = models.BooleanField(default=False)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "channel": NEUTRAL,
        "conversation": NEUTRAL,
        "identity": NEUTRAL,
        "direction": NEUTRAL,
        "kind": NEUTRAL,
        "visibility": NEUTRAL,
        "id_scope": NEUTRAL,
        "native_id": PERSON,
        "canonical_id": PERSON,
        "parent": NEUTRAL,
        "parent_native_id": PERSON,
        "root_native_id": NEUTRAL,
        "text": CONTENT,
        "html": CONTENT,
        "subject": CONTENT,
        "language": NEUTRAL,
        "url": PERSON,
        "sent_at": NEUTRAL,
        "received_at": NEUTRAL,
        "edited_at": NEUTRAL,
        "version": NEUTRAL,
        "state": NEUTRAL,
        "mentions_us": NEUTRAL,
        "is_automatic": NEUTRAL,
        "refs": PERSON,
        "recipients": PERSON,
        "raw": CONTENT,
        "context_due": NEUTRAL,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(
                # The id before its scope: a batch is looked up by ids.
                fields=["organization", "channel", "native_id", "id_scope"],
                name="conversations_message_once",
            )
        ]
        indexes = [
            models.Index(fields=["organization", "conversation", "id"], name="conversations_msg_thread"),
            models.Index(
                fields=["organization", "channel", "canonical_id"],
                name="conversations_msg_canonical",
                condition=~models.Q(canonical_id=""),
            ),
            models.Index(
                fields=["organization", "channel", "parent_native_id"],
                name="conversations_msg_orphan",
                condition=models.Q(parent__isnull=True) & ~models.Q(parent_native_id=""),
            ),
            models.Index(fields=["organization", "identity"], name="conversations_msg_identity"),
            models.Index(
                fields=["id"], name="conversations_msg_context", condition=models.Q(context_due=True)
            ),
            models.Index(fields=["received_at"], name="conversations_msg_raw", condition=~models.Q(raw="")),
        ]


class MessageAlias(models.Model):
    """A second address of the same message in the same channel (a mail seen after UIDVALIDITY changed)."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT)
    channel = models.ForeignKey("channels.Channel", on_delete=models.PROTECT)
    message = models.ForeignKey(Message, on_delete=models.PROTECT)
    id_scope = models.CharField(max_length=255, default="", blank=True)
    native_id = models.CharField(max_length=512)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "channel": NEUTRAL,
        "message": NEUTRAL,
        "id_scope": NEUTRAL,
        "native_id": PERSON,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "channel", "native_id", "id_scope"], name="conversations_alias_once"
            )
        ]


class MessageVersion(models.Model):
    """How a message read before its author edited it."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT)
    message = models.ForeignKey(Message, on_delete=models.PROTECT)
    version = models.CharField(max_length=80, default="", blank=True)
    text = models.TextField(default="", blank=True)
    replaced_at = models.DateTimeField()

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "message": NEUTRAL,
        "version": NEUTRAL,
        "text": CONTENT,
        "replaced_at": NEUTRAL,
    }

    class Meta:
        indexes = [models.Index(fields=["organization", "message"], name="conversations_version_msg")]


class Attachment(models.Model):
    """A file that came with a message. ``file_id`` is set once we hold a copy (room ``media``)."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT, db_index=False)
    message = models.ForeignKey(Message, on_delete=models.PROTECT)
    native_id = models.CharField(max_length=512, default="", blank=True)
    kind = models.CharField(max_length=10)
    url = models.CharField(max_length=2000, default="", blank=True)
    name = models.CharField(max_length=300, default="", blank=True)
    content_type = models.CharField(max_length=120, default="", blank=True)
    alt = models.TextField(default="", blank=True)
    size_bytes = models.BigIntegerField(null=True)
    may_cache = models.BooleanField(default=True)
    is_inline = models.BooleanField(default=False)
    file_id = models.BigIntegerField(null=True)
    problem = models.CharField(max_length=300, default="", blank=True)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "message": NEUTRAL,
        "native_id": PERSON,
        "kind": NEUTRAL,
        "url": CONTENT,
        "name": CONTENT,
        "content_type": NEUTRAL,
        "alt": CONTENT,
        "size_bytes": NEUTRAL,
        "may_cache": NEUTRAL,
        "is_inline": NEUTRAL,
        "file_id": NEUTRAL,
        "problem": NEUTRAL,
    }

    class Meta:
        indexes = [
            models.Index(fields=["organization", "message"], name="conversations_attachment_msg"),
            models.Index(
                fields=["id"],
                name="conversations_picture_due",
                condition=models.Q(kind="image", may_cache=True, file_id__isnull=True, problem="")
                & ~models.Q(url=""),
            ),
        ]
