"""What happens to messages later: edited, deleted, delivered, split off, erased."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from heard.connectorkit.vocabulary import MessageGone, MessageSeen, Receipt, ReceiptState
from heard.domains.conversations import rules, sql
from heard.domains.conversations.facts import (
    ContactMessagesErased,
    MessageDeleted,
    MessageEdited,
    MessageSplitOff,
    ReceiptHeard,
)
from heard.domains.conversations.models import Attachment, Conversation, Message, MessageState, MessageVersion
from heard.domains.conversations.rules import FAILED, Placed
from heard.domains.journal import actions as journal
from heard.domains.media import actions as media
from heard.domains.organizations.queries import Permission, require
from heard.foundation import clock
from heard.foundation.errors import Conflict, NotFound
from heard.foundation.tenancy import Actor, system


def apply_edit(organization_id: int, held: Placed, event: MessageSeen, received_at: datetime) -> None:
    """A newer version: the old text is kept beside it. Part of an intake's transaction.

    What we sent has no version until its echo brings the first: that is no edit, unless the network
    calls it one.
    """
    text = rules.clean(event.text)
    is_echo = held.direction == "out" and not held.version
    is_edit = event.edited_at is not None or (text != held.text and not is_echo)
    now_known = {
        "text": text,
        "html": rules.clean(event.html, 1_000_000),
        "version": rules.clean(event.version, 79),
    }
    messages = Message.objects.filter(organization_id=organization_id, pk=held.message_id)
    if not is_edit:
        messages.update(**now_known)
        return
    if text != held.text:
        MessageVersion.objects.create(
            organization_id=organization_id,
            message_id=held.message_id,
            version=held.version,
            text=held.text,
            replaced_at=received_at,
        )
    messages.update(**now_known, edited_at=rules.clamp(event.edited_at or received_at, received_at))
    fact = MessageEdited(held.message_id, held.conversation_id or 0)
    journal.append(organization_id, system(organization_id).label, [fact])


def _empty(rows: object, state: MessageState) -> int:
    return int(
        rows.update(  # type: ignore[attr-defined]
            state=state, text="", html="", subject="", raw="", url="", recipients=[], context_due=False
        )
    )


def apply_gone(organization_id: int, channel_id: int, event: MessageGone, received_at: datetime) -> int:
    """A deletion on the network follows here: a tombstone stays, the content goes.

    A deletion that comes before its message leaves a tombstone, so the message cannot rise again.
    """
    if not event.native_id or len(event.native_id) > rules.LONGEST_NATIVE_ID:
        return 0
    message = Message.objects.filter(
        organization_id=organization_id,
        channel_id=channel_id,
        id_scope=event.id_scope,
        native_id=event.native_id,
    ).first()
    if message is None:
        Message.objects.create(
            organization_id=organization_id,
            channel_id=channel_id,
            direction="context",
            kind="post",
            visibility="public",
            id_scope=event.id_scope,
            native_id=event.native_id,
            sent_at=rules.clamp(event.at, received_at),
            received_at=received_at,
            state=MessageState.DELETED,
        )
        # What answered it may be here already: the tree is drawn through tombstones too.
        sql.adopt(organization_id, channel_id, [event.native_id])
        return 1
    if message.state != MessageState.VISIBLE:
        return 0
    _empty(Message.objects.filter(pk=message.pk), MessageState.DELETED)
    MessageVersion.objects.filter(organization_id=organization_id, message=message).delete()
    Attachment.objects.filter(organization_id=organization_id, message=message).delete()
    fact = MessageDeleted(message.pk, message.conversation_id or 0)
    journal.append(organization_id, system(organization_id).label, [fact])
    return 1


def apply_receipt(organization_id: int, channel_id: int, event: Receipt) -> int:
    """What became of something we sent. Why it did not arrive stands beside it: its author must hear."""
    rows = Message.objects.filter(organization_id=organization_id, channel_id=channel_id, direction="out")
    message = (
        rows.filter(native_id=event.native_id, id_scope=event.id_scope).first()
        or rows.filter(canonical_id=event.native_id).exclude(canonical_id="").first()
    )
    if message is None:
        return 0
    if event.state is ReceiptState.FAILED:
        if FAILED in message.refs or message.state != MessageState.VISIBLE:
            return 0  # said before, or of words that are gone: nobody is told again
        reason = rules.clean(event.reason, rules.LONGEST_REASON) or "The network gave no reason."
        message.refs = {**message.refs, FAILED: reason}
        message.save(update_fields=["refs"])
    fact = ReceiptHeard(message.pk, message.conversation_id or 0, event.state.value)
    journal.append(organization_id, system(organization_id).label, [fact])
    return 1


def mark_context_done(organization_id: int, message_ids: list[int]) -> None:
    """The messages above these were asked for."""
    Message.objects.filter(organization_id=organization_id, pk__in=message_ids).update(context_due=False)


def split_off(actor: Actor, message_id: int) -> int:
    """Give a message with a matter of its own, and what follows from it, a conversation of its own.

    Returns the new conversation's id. Raises ``Conflict`` when it already opens one.
    """
    require(actor, Permission.ASSIGN)
    with transaction.atomic():
        message = (
            Message.objects.select_for_update(of=("self",))
            .filter(organization_id=actor.organization_id, pk=message_id, direction="in")
            .select_related("conversation", "identity")
            .first()
        )
        if message is None or message.conversation is None:
            raise NotFound("There is no such message here.")
        old = message.conversation
        key = f"public:{message.id_scope}:{message.native_id}"[:600]
        if old.is_private or old.key == key:
            raise Conflict("This message already has a conversation of its own.")
        new = Conversation.objects.create(
            organization_id=actor.organization_id,
            channel_id=message.channel_id,
            contact_id=message.identity.contact_id if message.identity else None,
            key=key,
            is_private=False,
            subject="",
            started_at=message.sent_at,
            last_inbound_at=message.sent_at,
        )
        moved, level = [message.pk], [message.pk]
        while level:
            level = list(
                Message.objects.filter(
                    organization_id=actor.organization_id, conversation=old, parent_id__in=level
                ).values_list("pk", flat=True)
            )
            moved += level
        Message.objects.filter(pk__in=moved).update(conversation=new)
        journal.append(actor.organization_id, actor.label, [MessageSplitOff(message.pk, new.pk, old.pk)])
        return new.pk


def erase_contact(actor: Actor, contact_id: int) -> int:
    """Empty everything this person said, and what we told them; rows and counts stay.

    Called by the room ``privacy`` within its transaction. Returns how many messages were emptied.
    """
    require(actor, Permission.ERASE_PERSON)
    with transaction.atomic():
        mine = Message.objects.filter(organization_id=actor.organization_id)
        said = list(mine.filter(identity__contact_id=contact_id).values_list("pk", flat=True))
        told = list(
            mine.filter(conversation__contact_id=contact_id, direction="out").values_list("pk", flat=True)
        )
        ids = said + told
        MessageVersion.objects.filter(organization_id=actor.organization_id, message_id__in=ids).delete()
        Attachment.objects.filter(organization_id=actor.organization_id, message_id__in=ids).delete()
        emptied = _empty(mine.filter(pk__in=ids), MessageState.ERASED)
        mine.filter(pk__in=told).update(refs={})  # why it did not arrive names to whom
        for message_id in said:
            # The network's ids lead back to the person; ours must stay unique.
            mine.filter(pk=message_id).update(
                native_id=f"erased:{message_id}", canonical_id="", parent_native_id="", refs={}
            )
        conversations = Conversation.objects.filter(
            organization_id=actor.organization_id, contact_id=contact_id
        )
        for conversation_id in conversations.values_list("pk", flat=True):
            Conversation.objects.filter(pk=conversation_id).update(
                key=f"erased:{conversation_id}", subject=""
            )
        journal.append(actor.organization_id, actor.label, [ContactMessagesErased(contact_id, emptied)])
        return emptied


def erase_sent(organization_id: int, message_id: int) -> None:
    """Empty one thing that we said, with its files: it was on its way while its person was erased."""
    with transaction.atomic():
        rows = Attachment.objects.filter(organization_id=organization_id, file_id__isnull=False)
        files = set(rows.filter(message_id=message_id).values_list("file_id", flat=True))
        rows.filter(message_id=message_id).delete()
        shared = set(rows.filter(file_id__in=files).values_list("file_id", flat=True))
        message = Message.objects.filter(organization_id=organization_id, pk=message_id)
        _empty(message, MessageState.ERASED)
        message.update(refs={})
        media.erase(organization_id, [number for number in files - shared if number is not None])


def forget_raw(older_than_days: int, limit: int = 1000) -> int:
    """Retention: the raw form of messages goes after its term, in every organization."""
    before = clock.now() - timedelta(days=older_than_days)
    ids = list(
        Message.objects.filter(received_at__lt=before)
        .exclude(raw="")
        .order_by("received_at")
        .values_list("pk", flat=True)[:limit]
    )
    return Message.objects.filter(pk__in=ids).update(raw="")


def keep_attachment(organization_id: int, attachment_id: int, data: bytes) -> None:
    """We hold a copy of a picture now."""
    with transaction.atomic():
        row = Attachment.objects.filter(organization_id=organization_id, pk=attachment_id).first()
        if row is None:
            return
        row.file_id = media.store(
            organization_id, name=row.name or "picture", content_type=row.content_type or "image/*", data=data
        )
        row.size_bytes = len(data)
        row.save(update_fields=["file_id", "size_bytes"])


def set_attachment_problem(organization_id: int, attachment_id: int, problem: str) -> None:
    """Why we hold no copy, as a sentence beside the attachment."""
    Attachment.objects.filter(organization_id=organization_id, pk=attachment_id).update(problem=problem[:300])
