"""The matter a person brought, and the work on it."""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from heard.foundation.privacy import CONTENT, NEUTRAL


class CaseStatus(StrEnum):
    """``open``: we owe something; ``pending``: we wait for the person; ``snoozed``: not before a certain
    moment; ``done``; ``spam``.
    """

    OPEN = "open"
    PENDING = "pending"
    SNOOZED = "snoozed"
    DONE = "done"
    SPAM = "spam"


class Case(models.Model):
    """What an agent sees in the inbox: a person's matter, with all its conversations.

    ``waiting_since`` is when the oldest message that nobody has answered arrived; empty when we wait.
    ``last_message`` gives the row its preview; ``last_at`` orders the list. ``snoozed_until`` means something
    while it is snoozed only.
    """

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT, db_index=False)
    contact = models.ForeignKey("contacts.Contact", on_delete=models.PROTECT, null=True, db_index=False)
    status = models.CharField(max_length=10, default=CaseStatus.OPEN)
    owner = models.ForeignKey(
        "organizations.Member", on_delete=models.PROTECT, null=True, blank=True, db_index=False
    )
    team = models.ForeignKey(
        "organizations.Team", on_delete=models.PROTECT, null=True, blank=True, db_index=False
    )
    priority = models.IntegerField(default=0)
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    last_message = models.ForeignKey(
        "conversations.Message", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    last_inbound = models.ForeignKey(
        "conversations.Message", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    waiting_since = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    changed = models.BigIntegerField(default=0)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "contact": NEUTRAL,
        "status": NEUTRAL,
        "owner": NEUTRAL,
        "team": NEUTRAL,
        "priority": NEUTRAL,
        "opened_at": NEUTRAL,
        "last_at": NEUTRAL,
        "last_message": NEUTRAL,
        "last_inbound": NEUTRAL,
        "waiting_since": NEUTRAL,
        "snoozed_until": NEUTRAL,
        "changed": NEUTRAL,
    }

    class Meta:
        indexes = [
            models.Index(fields=["organization", "status", "-last_at", "-id"], name="inbox_case_list"),
            # Most cases have neither: they cost these indexes nothing, however often they are touched.
            models.Index(
                fields=["organization", "owner", "status", "-last_at"],
                name="inbox_case_owner",
                condition=models.Q(owner__isnull=False),
            ),
            models.Index(
                fields=["organization", "team", "status", "-last_at"],
                name="inbox_case_team",
                condition=models.Q(team__isnull=False),
            ),
            models.Index(fields=["organization", "contact", "status"], name="inbox_case_contact"),
            models.Index(
                fields=["organization", "waiting_since"],
                name="inbox_case_waiting",
                condition=models.Q(waiting_since__isnull=False),
            ),
            models.Index(
                fields=["snoozed_until"], name="inbox_case_snoozed", condition=models.Q(status="snoozed")
            ),
        ]


class CaseConversation(models.Model):
    """Which case owns a conversation: exactly one."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT, db_index=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT)
    conversation = models.OneToOneField("conversations.Conversation", on_delete=models.PROTECT)

    classified = {"id": NEUTRAL, "organization": NEUTRAL, "case": NEUTRAL, "conversation": NEUTRAL}

    class Meta:
        indexes = [models.Index(fields=["organization", "case"], name="inbox_case_conversations")]


class Episode(models.Model):
    """One span of a case from opened to resolved. Response clocks hang on it, never on the case."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT, db_index=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, db_index=False)
    opened_at = models.DateTimeField()
    first_answered_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "case": NEUTRAL,
        "opened_at": NEUTRAL,
        "first_answered_at": NEUTRAL,
        "resolved_at": NEUTRAL,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "case"],
                condition=models.Q(resolved_at__isnull=True),
                name="inbox_one_open_episode",
            )
        ]
        indexes = [models.Index(fields=["organization", "case", "id"], name="inbox_episode_case")]


class Note(models.Model):
    """What colleagues say to each other about a case. Never leaves."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT)
    case = models.ForeignKey(Case, on_delete=models.PROTECT)
    author = models.ForeignKey("organizations.Member", on_delete=models.PROTECT)
    text = models.TextField()
    written_at = models.DateTimeField()

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "case": NEUTRAL,
        "author": NEUTRAL,
        "text": CONTENT,
        "written_at": NEUTRAL,
    }

    class Meta:
        indexes = [models.Index(fields=["organization", "case", "id"], name="inbox_note_case")]


class Draft(models.Model):
    """What a member is writing in a case. An empty one was sent or thrown away.

    ``key`` is the submission that the words are written for, ``sequence`` counts what was kept of it: what
    arrives late changes nothing. ``closed_key`` is the submission that was sent last: it takes no words more.
    ``target`` is the message they answer: words for one are not offered to another.
    """

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT)
    member = models.ForeignKey("organizations.Member", on_delete=models.CASCADE)
    case = models.ForeignKey(Case, on_delete=models.CASCADE)
    mode = models.CharField(max_length=20)
    text = models.TextField()
    subject = models.CharField(max_length=998, default="", blank=True)
    target = models.ForeignKey(
        "conversations.Message", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    changed_at = models.DateTimeField()
    key = models.CharField(max_length=64, default="", blank=True)
    sequence = models.BigIntegerField(default=0)
    closed_key = models.CharField(max_length=64, default="", blank=True)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "member": NEUTRAL,
        "case": NEUTRAL,
        "mode": NEUTRAL,
        "text": CONTENT,
        "subject": CONTENT,
        "target": NEUTRAL,
        "changed_at": NEUTRAL,
        "key": NEUTRAL,
        "sequence": NEUTRAL,
        "closed_key": NEUTRAL,
    }

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "case"], name="inbox_draft_once")]


class CaseEvent(models.Model):
    """A quiet line in the thread: assigned, done, reopened. ``kind`` and ids; the words are the page's."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT)
    case = models.ForeignKey(Case, on_delete=models.PROTECT)
    kind = models.CharField(max_length=30)
    by = models.ForeignKey("organizations.Member", on_delete=models.PROTECT, null=True, related_name="+")
    member = models.ForeignKey("organizations.Member", on_delete=models.PROTECT, null=True, related_name="+")
    team = models.ForeignKey("organizations.Team", on_delete=models.PROTECT, null=True)
    value = models.CharField(max_length=40, default="", blank=True)
    at = models.DateTimeField()

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "case": NEUTRAL,
        "kind": NEUTRAL,
        "by": NEUTRAL,
        "member": NEUTRAL,
        "team": NEUTRAL,
        "value": NEUTRAL,
        "at": NEUTRAL,
    }

    class Meta:
        indexes = [models.Index(fields=["organization", "case", "id"], name="inbox_event_case")]


class CaseSeen(models.Model):
    """How far a member has read a case: unread is per agent."""

    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT)
    member = models.ForeignKey("organizations.Member", on_delete=models.CASCADE)
    case = models.ForeignKey(Case, on_delete=models.CASCADE)
    seen_at = models.DateTimeField()

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "member": NEUTRAL,
        "case": NEUTRAL,
        "seen_at": NEUTRAL,
    }

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "case"], name="inbox_seen_once")]
