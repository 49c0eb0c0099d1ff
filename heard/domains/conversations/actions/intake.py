"""Taking in a batch: what networks handed us becomes messages, once, in one transaction.

The batch is worked on in sets: a few reads, everything decided in memory, a few inserts. One intake
runs per organization at a time (an advisory lock on PostgreSQL, the write lock on SQLite), so two
machines that hand in the same message at the same moment meet here, one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from heard.connectorkit.vocabulary import (
    Attachment,
    Author,
    Event,
    MessageGone,
    MessageSeen,
    Receipt,
    Source,
)
from heard.domains.contacts import actions as contacts
from heard.domains.contacts.queries import Known
from heard.domains.conversations import rules, sql
from heard.domains.conversations.actions.arriving import New, message_row
from heard.domains.conversations.actions.changes import apply_edit, apply_gone, apply_receipt
from heard.domains.conversations.facts import MessagesArrived
from heard.domains.conversations.models import Message
from heard.domains.conversations.rules import Key, Placed
from heard.domains.journal import actions as journal
from heard.domains.media import actions as media
from heard.foundation import clock, db
from heard.foundation.errors import Invalid
from heard.foundation.tenancy import system

INTAKE = 1
"""The purpose of the organization's lock: see ``db.lock_organization``."""


class Incoming(NamedTuple):
    """One understood event, and how it came."""

    event: Event
    source: Source
    received_at: datetime


@dataclass(slots=True)
class TakenIn:
    """What became of a batch. ``refused`` are sentences: kept deliveries, not messages."""

    new: int = 0
    seen_before: int = 0
    changed: int = 0
    suppressed: int = 0
    refused: list[str] = field(default_factory=list)


def take_in(organization_id: int, network: str, channel_id: int, batch: Sequence[Incoming]) -> TakenIn:
    """Make messages of a batch of one channel's events. Idempotent: what is known is left alone."""
    with transaction.atomic():
        db.lock_organization(organization_id, INTAKE)
        return _Intake(organization_id, network, channel_id).run(batch)


class _Intake:
    def __init__(self, organization_id: int, network: str, channel_id: int) -> None:
        self.organization_id = organization_id
        self.network = network
        self.channel_id = channel_id
        self.now = clock.now()
        self.result = TakenIn()
        self.held: dict[Key, Placed] = {}
        self.keys: dict[int, str] = {}  # conversation id -> key
        self.by_canonical: dict[str, Key] = {}
        self.batch_keys: dict[Key, str] = {}  # conversation key of messages of this batch
        self.people: dict[tuple[str, str], Known | None] = {}
        self.copies: list[MessageSeen] = []

    def run(self, batch: Sequence[Incoming]) -> TakenIn:
        """The whole intake, in the order in which one step needs the other."""
        seen = self._first_of_each(batch)
        self._look_up(seen)
        self.people = contacts.know(self.organization_id, self.network, self._authors(seen), at=self.now)
        new = self._sort_out(seen)
        self._place(new)
        self._insert(new)
        self._announce(new)
        for item in batch:
            if isinstance(item.event, MessageGone):
                self.result.changed += apply_gone(
                    self.organization_id, self.channel_id, item.event, item.received_at
                )
            elif isinstance(item.event, Receipt):
                self.result.changed += apply_receipt(self.organization_id, self.channel_id, item.event)
        return self.result

    def _first_of_each(self, items: Sequence[Incoming]) -> list[tuple[MessageSeen, Incoming]]:
        """One entry per message, its newest version; direct sight wins over context."""
        best: dict[Key, tuple[MessageSeen, Incoming]] = {}
        for item in items:
            event = item.event
            if not isinstance(event, MessageSeen):
                continue
            problem = rules.refusal(event)
            if problem:
                self.result.refused.append(problem)
                continue
            key = (event.id_scope, event.native_id)
            other = best.get(key)
            rank = (item.source is not Source.CONTEXT, event.version)
            if other is None or rank > (other[1].source is not Source.CONTEXT, other[0].version):
                best[key] = (event, item)
        return sorted(best.values(), key=lambda pair: (pair[0].sent_at, pair[0].native_id))

    def _look_up(self, seen: Sequence[tuple[MessageSeen, Incoming]]) -> None:
        native_ids = {event.native_id for event, _ in seen}
        native_ids |= {event.parent.native_id for event, _ in seen if event.parent}
        if native_ids:
            self._hold(sql.placed(self.organization_id, self.channel_id, sorted(native_ids)))
            if sql.has_aliases(self.channel_id):
                self._hold(sql.aliased(self.organization_id, self.channel_id, sorted(native_ids)))
        canonical = {event.canonical_id for event, _ in seen if event.canonical_id}
        references = {reference for event, _ in seen for reference in event.thread_refs}
        if references or any(event.id_scope for event, _ in seen):
            # Only mail is addressed by references, and only scoped ids can move (UIDVALIDITY).
            wanted = sorted(canonical | references)
            self._hold(sql.placed_by_canonical(self.organization_id, self.channel_id, wanted))

    def _hold(self, rows: Sequence[tuple[Any, ...]]) -> None:
        for (
            scope,
            native_id,
            message_id,
            conversation_id,
            contact_id,
            direction,
            version,
            state,
            text,
            key,
            uri,
        ) in rows:
            self.held[scope, native_id] = Placed(
                message_id, conversation_id, contact_id, direction, version, state, text
            )
            if conversation_id is not None:
                self.keys[conversation_id] = key
            if uri:
                self.by_canonical.setdefault(uri, (scope, native_id))

    def _authors(self, seen: Sequence[tuple[MessageSeen, Incoming]]) -> list[Author]:
        return [event.author for event, _ in seen if not event.author.is_us and event.author.native_id]

    def _sort_out(self, seen: Sequence[tuple[MessageSeen, Incoming]]) -> list[New]:
        """Known messages are edited or promoted; the others become new ones."""
        fresh: list[tuple[MessageSeen, Incoming]] = []
        originals = rules.originals([event for event, _ in seen])
        for event, item in seen:
            key = (event.id_scope, event.native_id)
            held = self.held.get(key)
            if held is None and event.canonical_id in self.by_canonical and event.id_scope:
                self._alias(event, self.held[self.by_canonical[event.canonical_id]])
                self.result.seen_before += 1
            elif held is None and originals.get(event.canonical_id, event) is not event:
                self.copies.append(event)
                self.result.seen_before += 1
            elif held is None:
                if (
                    not event.author.is_us
                    and self.people.get((event.author.scope, event.author.native_id), 0) is None
                ):
                    self.result.suppressed += 1
                else:
                    fresh.append((event, item))
            else:
                self._again(event, item, held)
        ids = db.allocate_ids("conversations_message", len(fresh))
        return [self._new(number, event, item) for number, (event, item) in zip(ids, fresh, strict=True)]

    def _alias(self, event: MessageSeen, held: Placed) -> None:
        """A second address of a message. One that only our own mailbox has (Sent) says whose it is."""
        if event.author.is_us and held.direction == "in":
            Message.objects.filter(pk=held.message_id).update(direction="out", identity=None)
            self._announce_echo(held.message_id, held.conversation_id or 0)
        db.insert_rows(
            "conversations_messagealias",
            ("organization_id", "channel_id", "message_id", "id_scope", "native_id"),
            [(self.organization_id, self.channel_id, held.message_id, event.id_scope, event.native_id)],
            ignore=True,
        )

    def _again(self, event: MessageSeen, item: Incoming, held: Placed) -> None:
        if rules.is_newer(event, held):
            apply_edit(self.organization_id, held, event, item.received_at)
            self.result.changed += 1
        elif (
            held.direction == "context"
            and rules.direction(event, item.source) == "in"
            and held.state == "visible"
        ):
            self._promote(event, held)
            self.result.new += 1
        else:
            self.result.seen_before += 1

    def _promote(self, event: MessageSeen, held: Placed) -> None:
        known = self.people.get((event.author.scope, event.author.native_id))
        parent = self.held.get((event.id_scope, event.parent.native_id)) if event.parent else None
        new = New(held.message_id, event, self.now, "in", known, parent, None)
        self._choose(new)
        self._place([new])
        if new.conversation_id is not None:
            sql.promote([(new.conversation_id, event.kind.value, held.message_id)])
            self._announce([new])

    def _new(self, number: int, event: MessageSeen, item: Incoming) -> New:
        known = None
        if not event.author.is_us:
            known = self.people.get((event.author.scope, event.author.native_id))
        parent = self.held.get((event.id_scope, event.parent.native_id)) if event.parent else None
        new = New(number, event, item.received_at, rules.direction(event, item.source), known, parent, None)
        self._choose(new)
        # Later messages of this batch find this one as their parent.
        self.held[event.id_scope, event.native_id] = Placed(
            number,
            None,
            known.contact_id if known else None,
            new.direction,
            event.version,
            "visible",
            event.text,
        )
        if event.canonical_id:
            self.by_canonical.setdefault(event.canonical_id, (event.id_scope, event.native_id))
        if new.key:
            self.batch_keys[event.id_scope, event.native_id] = new.key
        return new

    def _choose(self, new: New) -> None:
        event = new.event
        if new.direction == "context":
            return
        parent_key = None
        if event.parent is not None:
            parent_key = self.batch_keys.get((event.id_scope, event.parent.native_id))
            if parent_key is None and new.parent is not None and new.parent.conversation_id is not None:
                parent_key = self.keys.get(new.parent.conversation_id)
        new.key = rules.conversation_key(
            event,
            parent=new.parent,
            contact_id=new.known.contact_id if new.known else None,
            parent_key=parent_key,
            thread_key=self._thread_by_references(event),
        )

    def _thread_by_references(self, event: MessageSeen) -> str | None:
        for reference in reversed(event.thread_refs):
            place = self.by_canonical.get(reference)
            if place is None:
                continue
            found = self.batch_keys.get(place)
            held = self.held[place]
            if found is None and held.conversation_id is not None:
                found = self.keys.get(held.conversation_id)
            if found:
                return found
        return None

    def _place(self, new: Sequence[New]) -> None:
        """Find or make the conversations, and note their last inbound."""
        by_key: dict[str, list[New]] = {}
        for item in new:
            if item.key is not None:
                by_key.setdefault(item.key, []).append(item)
        known = sql.conversations(self.organization_id, self.channel_id, sorted(by_key)) if by_key else {}
        missing = [key for key in by_key if key not in known]
        ids = db.allocate_ids("conversations_conversation", len(missing))
        rows = []
        for key, number in zip(missing, ids, strict=True):
            first = by_key[key][0]
            contact_id = next((item.known.contact_id for item in by_key[key] if item.known), None)
            known[key] = (number, contact_id)
            inbound = [item.event.sent_at for item in by_key[key] if item.direction == "in"]
            rows.append(
                (
                    number,
                    self.organization_id,
                    self.channel_id,
                    contact_id,
                    key,
                    rules.is_private(first.event),
                    rules.clean(first.event.subject, 490),
                    rules.clamp(first.event.sent_at, first.received_at),
                    rules.clamp(max(inbound), first.received_at) if inbound else None,
                )
            )
        sql.insert_conversations(rows)
        made = set(missing)
        touched = []
        for key, items in by_key.items():
            for item in items:
                item.conversation_id = known[key][0]
            latest = [item for item in items if item.direction == "in"]
            if key not in made and latest:
                last = max(latest, key=lambda item: item.event.sent_at)
                at = rules.clamp(last.event.sent_at, last.received_at)
                touched.append((at, last.known.contact_id if last.known else None, known[key][0]))
        sql.touch_conversations(touched)

    def _insert(self, new: Sequence[New]) -> None:
        if not new:
            return
        sql.insert_messages([message_row(self.organization_id, self.channel_id, item) for item in new])
        for copy in self.copies:
            if copy.canonical_id in self.by_canonical:  # else its original was refused
                self._alias(copy, self.held[self.by_canonical[copy.canonical_id]])
        self._insert_attachments(new)
        for message_id, conversation_id in sql.adopt(
            self.organization_id, self.channel_id, [item.event.native_id for item in new]
        ):
            self._announce_echo(message_id, conversation_id)
        self.result.new += len(new)

    def _announce_echo(self, message_id: int, conversation_id: int) -> None:
        fact = MessagesArrived(self.channel_id, (message_id,), (conversation_id,), (0,), ("out",))
        journal.append(self.organization_id, system(self.organization_id).label, [fact], at=self.now)

    def _insert_attachments(self, new: Sequence[New]) -> None:
        rows = []
        for item in new:
            for attachment in item.event.attachments[: rules.MOST_ATTACHMENTS]:
                file_id, problem = self._keep_file(attachment)
                rows.append(
                    (
                        self.organization_id,
                        item.id,
                        rules.clean(attachment.native_id, 500),
                        attachment.kind.value,
                        rules.clean(attachment.url, 1990) if len(attachment.url) <= 1990 else "",
                        rules.clean(attachment.name, 290),
                        rules.clean(attachment.content_type, 110),
                        rules.clean(attachment.alt, 5000),
                        attachment.size_bytes,
                        attachment.cache_allowed,
                        attachment.inline,
                        file_id,
                        problem,
                    )
                )
        sql.insert_attachments(rows)

    def _keep_file(self, attachment: Attachment) -> tuple[int | None, str]:
        """(file, why there is none): a file that cannot be kept does not keep its message away."""
        if attachment.data is None:
            return None, ""
        name = rules.clean(attachment.name, 200) or "attachment"
        try:
            kept = media.store(
                self.organization_id, name=name, content_type=attachment.content_type, data=attachment.data
            )
        except Invalid as refusal:
            return None, rules.clean(refusal.message, 290)
        return kept, ""

    def _announce(self, new: Sequence[New]) -> None:
        said = [item for item in new if item.conversation_id is not None]
        if not said:
            return
        fact = MessagesArrived(
            self.channel_id,
            tuple(item.id for item in said),
            tuple(item.conversation_id or 0 for item in said),
            tuple(item.known.contact_id if item.known else 0 for item in said),
            tuple(item.direction for item in said),
        )
        journal.append(self.organization_id, system(self.organization_id).label, [fact], at=self.now)
