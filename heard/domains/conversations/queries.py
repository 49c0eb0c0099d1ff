"""The questions of conversations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from heard.connectorkit.vocabulary import Author, MessageKind, Ref, Target, Visibility
from heard.domains.contacts import queries as contacts
from heard.domains.conversations.models import Attachment, Conversation, Message
from heard.domains.conversations.rules import FAILED, KIND_LABELS
from heard.foundation.asked import once
from heard.foundation.errors import NotFound
from heard.foundation.questions import Question, each

__all__ = [
    "KIND_LABELS",
    "AttachmentView",
    "ContextDue",
    "ConversationView",
    "MessageView",
    "PictureDue",
    "context_due",
    "conversation_views",
    "delivery_marks",
    "files_of_contact",
    "message_views",
    "messages_of",
    "pictures_due",
    "posts_above",
    "said_by",
    "target_of",
]


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """A file of a message; ``file_id`` when we hold a copy. ``content_id`` is how a mail's HTML calls it."""

    attachment_id: int
    kind: str
    name: str
    content_type: str
    alt: str
    size_bytes: int | None
    file_id: int | None
    is_inline: bool
    problem: str
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as pages show it. ``author_name`` is empty for our own.

    ``failure`` says why something we sent came back (a bounce), as a sentence.
    """

    message_id: int
    conversation_id: int | None
    channel_id: int
    direction: str
    kind: str
    visibility: str
    native_id: str
    parent_id: int | None
    author_name: str
    author_handle: str
    contact_id: int | None
    text: str
    html: str
    subject: str
    url: str
    sent_at: datetime
    edited_at: datetime | None
    state: str
    is_automatic: bool
    attachments: tuple[AttachmentView, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation's frame."""

    conversation_id: int
    channel_id: int
    contact_id: int | None
    is_private: bool
    subject: str
    started_at: datetime
    last_inbound_at: datetime | None


_conversations = Question(
    lambda organization_id, ids: Conversation.objects.filter(
        organization_id=organization_id, pk__in=each(ids)
    ).order_by("started_at", "pk")
)


def conversation_views(organization_id: int, conversation_ids: Iterable[int]) -> list[ConversationView]:
    """Conversations, oldest first."""
    return [
        ConversationView(
            row.pk,
            row.channel_id,
            row.contact_id,
            row.is_private,
            row.subject,
            row.started_at,
            row.last_inbound_at,
        )
        for row in _conversations(organization_id, conversation_ids)
    ]


_attachments = Question(
    lambda organization_id, ids: Attachment.objects.filter(
        organization_id=organization_id, message_id__in=each(ids)
    ).order_by("pk")
)


def _views(organization_id: int, rows: Sequence[Message]) -> list[MessageView]:
    people = contacts.names(organization_id, {row.identity_id for row in rows if row.identity_id})
    files: dict[int, list[AttachmentView]] = {}
    for item in _attachments(organization_id, [row.pk for row in rows]):
        files.setdefault(item.message_id, []).append(
            AttachmentView(
                item.pk,
                item.kind,
                item.name,
                item.content_type,
                item.alt,
                item.size_bytes,
                item.file_id,
                item.is_inline,
                item.problem,
                item.url.removeprefix("cid:") if item.url.startswith("cid:") else "",
            )
        )
    views = []
    for row in rows:
        name, handle, contact_id = people.get(row.identity_id or 0, ("", "", None))
        views.append(
            MessageView(
                row.pk,
                row.conversation_id,
                row.channel_id,
                row.direction,
                row.kind,
                row.visibility,
                row.native_id,
                row.parent_id,
                name,
                handle,
                contact_id,
                row.text,
                row.html,
                row.subject,
                row.url,
                row.sent_at,
                row.edited_at,
                row.state,
                row.is_automatic,
                tuple(files.get(row.pk, ())),
                str(row.refs.get(FAILED, "")) if row.direction == "out" else "",
            )
        )
    return views


_newest = Question(
    lambda organization_id, ids: (
        Message.objects.filter(organization_id=organization_id, conversation_id__in=each(ids))
        .defer("raw", "recipients")
        .order_by("-sent_at", "-pk")[:500]
    )
)


def messages_of(organization_id: int, conversation_ids: Iterable[int]) -> list[MessageView]:
    """The newest 500 messages of these conversations, oldest first."""
    return _views(organization_id, _newest(organization_id, conversation_ids)[::-1])


_messages = Question(
    lambda organization_id, ids: Message.objects.filter(
        organization_id=organization_id, pk__in=each(ids)
    ).defer("raw", "recipients")
)


def message_views(organization_id: int, message_ids: Iterable[int]) -> dict[int, MessageView]:
    """Messages by id."""
    rows = _messages(organization_id, message_ids)
    return {view.message_id: view for view in _views(organization_id, rows)}


def posts_above(organization_id: int, message_ids: Iterable[int], *, at_most: int = 20) -> list[MessageView]:
    """What stands above these messages outside their conversation: the post being answered, top first."""
    found: dict[int, Message] = {}
    wanted = set(message_ids)
    while wanted and len(found) < at_most:
        rows = Message.objects.filter(organization_id=organization_id, pk__in=wanted).defer("raw")
        wanted = set()
        for row in rows:
            found[row.pk] = row
            if row.parent_id and row.parent_id not in found:
                wanted.add(row.parent_id)
    return _views(organization_id, sorted(found.values(), key=lambda row: (row.sent_at, row.pk)))


@once
def target_of(organization_id: int, message_id: int) -> tuple[Target, int]:
    """A message as connectors see what is answered, and its channel's id. Raises ``NotFound``."""
    row = next(iter(_messages(organization_id, [message_id])), None)
    if row is None:
        raise NotFound("There is no such message here.")
    identity = contacts.identity(organization_id, row.identity_id) if row.identity_id else None
    author = (
        Author(identity.native_id, identity.handle, identity.name, identity.scope, identity.url)
        if identity
        else Author("", "", is_us=True)
    )
    found = _conversations(organization_id, [row.conversation_id]) if row.conversation_id else []
    conversation = found[0] if found else None
    target = Target(
        native_id=row.native_id,
        kind=MessageKind(row.kind),
        visibility=Visibility(row.visibility),
        author=author,
        id_scope=row.id_scope,
        canonical_id=row.canonical_id,
        url=row.url,
        subject=row.subject or (conversation.subject if conversation else ""),
        thread_key=_thread_key(conversation.key) if conversation else "",
        sent_at=row.sent_at,
        last_inbound_at=conversation.last_inbound_at if conversation else None,
        mentions_us=row.mentions_us,
        root=Ref(row.root_native_id, row.id_scope) if row.root_native_id else None,
        refs=row.refs,
    )
    return target, row.channel_id


def _thread_key(key: str) -> str:
    return key.removeprefix("private:") if key.startswith("private:") else ""


@dataclass(frozen=True, slots=True)
class ContextDue:
    """A message whose parent we were not shown."""

    organization_id: int
    message_id: int
    channel_id: int
    ref: Ref
    received_at: datetime


MOST_DUE = 200
"""Of so many that are due, those are taken whose network does not rest."""
_contexts_due = Question(
    lambda besides: (
        Message.objects.filter(context_due=True)
        .exclude(pk__in=each(besides))
        .defer("raw")
        .order_by("pk")[:MOST_DUE]
    )
)


def context_due(besides: Collection[int] = ()) -> list[ContextDue]:
    """Messages that want their context fetched, but for these. For the worker."""
    return [
        ContextDue(
            row.organization_id, row.pk, row.channel_id, Ref(row.native_id, row.id_scope), row.received_at
        )
        for row in _contexts_due(besides)
    ]


@dataclass(frozen=True, slots=True)
class PictureDue:
    """A picture that we may hold a copy of, and do not yet."""

    organization_id: int
    attachment_id: int
    channel_id: int
    url: str
    native_id: str
    received_at: datetime


_pictures_due = Question(
    lambda besides: (
        Attachment.objects.filter(kind="image", may_cache=True, file_id__isnull=True, problem="")
        .exclude(url="")
        .exclude(pk__in=each(besides))
        .order_by("pk")
        .values_list(
            "organization_id", "pk", "message__channel_id", "url", "native_id", "message__received_at"
        )[:MOST_DUE]
    )
)


def pictures_due(besides: Collection[int] = ()) -> list[PictureDue]:
    """Pictures that want a copy, but for these. For the worker."""
    return [PictureDue(*row) for row in _pictures_due(besides)]


def said_by(organization_id: int, contact_id: int) -> list[MessageView]:
    """Everything a person said, and was told in their conversations, oldest first."""
    rows = Message.objects.filter(organization_id=organization_id).filter(
        Q(identity__contact_id=contact_id) | Q(conversation__contact_id=contact_id, direction="out")
    )
    return _views(organization_id, list(rows.defer("raw").order_by("sent_at", "pk")))


def files_of_contact(organization_id: int, contact_id: int) -> list[int]:
    """Files that came with what a person said, or went with what they were told, and stand nowhere else.

    The same content under the same name is kept once: a logo that others sent too stays theirs.
    """
    files = Attachment.objects.filter(organization_id=organization_id, file_id__isnull=False)
    theirs = Q(message__identity__contact_id=contact_id) | Q(
        message__conversation__contact_id=contact_id, message__direction="out"
    )
    found = set(files.filter(theirs).values_list("file_id", flat=True))
    others = Attachment.objects.filter(organization_id=organization_id, file_id__in=found)
    messages = files.filter(theirs).values("message_id")
    shared = set(others.exclude(message_id__in=messages).values_list("file_id", flat=True))
    return sorted(number for number in found - shared if number is not None)


def delivery_marks(organization_id: int, contact_id: int) -> list[tuple[int, datetime]]:
    """(channel, received at) of what a person said: where their words may still stand raw."""
    rows = Message.objects.filter(organization_id=organization_id, identity__contact_id=contact_id)
    return sorted(set(rows.values_list("channel_id", "received_at")))
