"""Our own words: what the outbox sent becomes a message, whether its echo came first or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from heard.connectorkit.vocabulary import Sent
from heard.domains.conversations import rules
from heard.domains.conversations.actions.intake import INTAKE
from heard.domains.conversations.facts import MessageSent
from heard.domains.conversations.models import Attachment, Conversation, Message
from heard.domains.journal import actions as journal
from heard.foundation import db


@dataclass(frozen=True, slots=True)
class SentMessage:
    """What was said, to whom; ``sent`` is the network's word that it stands there."""

    channel_id: int
    conversation_id: int | None
    target_id: int | None
    kind: str
    visibility: str
    text: str
    subject: str
    sent: Sent
    file_ids: tuple[int, ...] = ()
    alts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    content_types: tuple[str, ...] = ()


def record_sent(organization_id: int, actor: str, said: SentMessage, *, at: datetime) -> int:
    """The message of something that stands on the network; attaches to its echo if that came first.

    Part of the outbox's transaction. Returns the message's id.
    """
    db.lock_organization(organization_id, INTAKE)
    sent = said.sent
    native_id = sent.native_id[: rules.LONGEST_NATIVE_ID]
    echo = Message.objects.filter(
        organization_id=organization_id,
        channel_id=said.channel_id,
        id_scope=sent.id_scope,
        native_id=native_id,
    ).first()
    if echo is None and sent.canonical_id:
        echo = Message.objects.filter(
            organization_id=organization_id, channel_id=said.channel_id, canonical_id=sent.canonical_id
        ).first()
    if echo is not None:
        changes = {"direction": "out", "parent_id": echo.parent_id or said.target_id}
        if said.conversation_id is not None:
            changes["conversation_id"] = said.conversation_id
        Message.objects.filter(pk=echo.pk).update(**changes)
        message_id = echo.pk
    else:
        message_id = _insert(organization_id, said, native_id, at)
    fact = MessageSent(message_id, said.conversation_id or 0)
    journal.append(organization_id, actor, [fact], at=at)
    return message_id


def _insert(organization_id: int, said: SentMessage, native_id: str, at: datetime) -> int:
    sent = said.sent
    parent_native_id = ""
    if said.target_id is not None:
        found = Message.objects.filter(organization_id=organization_id, pk=said.target_id)
        parent_native_id = found.values_list("native_id", flat=True).first() or ""
    message = Message.objects.create(
        organization_id=organization_id,
        channel_id=said.channel_id,
        conversation_id=said.conversation_id,
        direction="out",
        kind=said.kind,
        visibility=said.visibility,
        id_scope=sent.id_scope,
        native_id=native_id,
        canonical_id=sent.canonical_id if len(sent.canonical_id) <= 1000 else "",
        parent_id=said.target_id,
        parent_native_id=parent_native_id,
        text=said.text,
        subject=said.subject,
        url=sent.url if len(sent.url) <= 1000 else "",
        sent_at=rules.clamp(sent.sent_at or at, at),
        received_at=at,
        refs=dict(sent.refs),
    )
    for file_id, alt, name, content_type in zip(
        said.file_ids, said.alts, said.names, said.content_types, strict=True
    ):
        Attachment.objects.create(
            organization_id=organization_id,
            message=message,
            kind="image" if content_type.startswith("image/") else "file",
            name=name,
            content_type=content_type,
            alt=alt,
            file_id=file_id,
        )
    return message.pk


def conversation_for_new(
    organization_id: int,
    channel_id: int,
    contact_id: int,
    key: str,
    *,
    is_private: bool,
    subject: str,
    at: datetime,
) -> int:
    """The conversation that something we start belongs to (a first direct message, a new mail)."""
    row, _ = Conversation.objects.get_or_create(
        organization_id=organization_id,
        channel_id=channel_id,
        key=key,
        defaults={
            "contact_id": contact_id,
            "is_private": is_private,
            "subject": subject[:490],
            "started_at": at,
        },
    )
    return row.pk
