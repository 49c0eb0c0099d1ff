"""The thread pane: from what queries answer to what templates show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.core.signing import BadSignature, Signer
from django.utils.translation import gettext as _

from heard.domains.channels import queries as channels
from heard.domains.channels.queries import ChannelView
from heard.domains.contacts import queries as contacts
from heard.domains.conversations import queries as conversations
from heard.domains.conversations.queries import MessageView
from heard.domains.inbox import queries, rules
from heard.domains.inbox.queries import CaseView
from heard.domains.inbox.views import snoozing
from heard.domains.media.queries import SHOWN_INLINE
from heard.domains.organizations import queries as organizations
from heard.domains.organizations.queries import Permission, may
from heard.domains.outbox import queries as outbox
from heard.domains.outbox.queries import OutboundView
from heard.foundation.sanitize import blocked_images, clean_html, clean_text
from heard.foundation.tenancy import Actor
from heard.ui.shapes import (
    Action,
    Attachment,
    Bubble,
    Choice,
    ConversationPart,
    Thread,
    initials_of,
    tint_of,
)


def message_bubble(
    message: MessageView,
    *,
    depth: int,
    reply_to: str,
    own_name: str,
    sent: OutboundView | None,
    show_images: bool,
    case_id: int,
    may_split: bool = False,
) -> Bubble:
    """One thing said, in or out."""
    own = message.direction == "out"
    name = own_name if own else (message.author_name or _("Somebody"))
    html, blocked = "", 0
    if message.html and message.kind == "email":
        html = clean_html(message.html, remote_images=show_images, inline_urls=_inline_urls(message))
        blocked = 0 if show_images else blocked_images(message.html)
    return Bubble(
        kind="own" if own else "inbound",
        author_name=name,
        at=message.sent_at,
        text=clean_text(message.text) if message.state != "erased" else _("Erased at this person's request."),
        message_id=str(message.message_id),
        handle="" if own else message.author_handle,
        tint=tint_of(
            f"contact:{message.contact_id}" if not own else f"member:{sent.author_id if sent else 0}"
        ),
        initials=initials_of(name),
        html=html,
        subject=message.subject,
        depth=depth,
        reply_to_name=reply_to,
        url=message.url if message.url.startswith(("https://", "http://")) else "",
        state=("failed" if message.failure else "sent") if own else "",
        state_label=(_("Not delivered") if message.failure else _("Delivered")) if own else "",
        reason=clean_text(message.failure),
        edited=message.edited_at is not None,
        deleted=message.state == "deleted",
        attachments=_attachments(message),
        blocked_images=blocked,
        images_url=f"/c/{case_id}?images={_images().sign(str(message.message_id))}" if blocked else "",
        outbound_id="",
        actions=(Action("split", _("A matter of its own"), f"/c/{case_id}/split/{message.message_id}"),)
        if may_split
        else (),
        reply_url=f"/c/{case_id}?reply_to={message.message_id}" if message.direction == "in" else "",
    )


def _inline_urls(message: MessageView) -> dict[str, str]:
    """Where a mail's own pictures are, by the names that its HTML has for them."""
    return {
        item.content_id: f"/files/{item.file_id}/"
        for item in message.attachments
        if item.content_id and item.file_id is not None and item.content_type in SHOWN_INLINE
    }


def _attachments(message: MessageView) -> tuple[Attachment, ...]:
    found = []
    for item in message.attachments:
        is_picture = item.file_id is not None and item.content_type in SHOWN_INLINE
        size = f"{item.size_bytes / 1_000_000:.1f} MB" if item.size_bytes and item.size_bytes > 99_999 else ""
        reason = item.problem
        if item.file_id is None and not reason:
            reason = _("No copy is held here.") if item.kind != "image" else _("The copy is being fetched.")
        found.append(
            Attachment(
                name=clean_text(item.name) or _("Attachment"),
                url=f"/files/{item.file_id}/" if item.file_id else "",
                kind="image" if is_picture else "file",
                alt=clean_text(item.alt),
                size_label=size,
                blocked_reason=reason,
            )
        )
    return tuple(found)


_STATE = {
    "waiting": "waiting",
    "held": "held",
    "sending": "sending",
    "unknown": "unknown",
    "asked": "unknown",
    "rejected": "failed",
}


def _images() -> Signer:
    return Signer(salt="inbox.images")


def images_wanted(signed: str) -> int:
    """The message whose remote pictures a member asked for with our own button; 0 for any other address.

    Signed, because whoever can make a member follow a link could else have a mail say when it was read.
    """
    try:
        return int(_images().unsign(signed))
    except (BadSignature, ValueError):
        return 0


def outbound_bubble(item: OutboundView, author: str, case_id: int) -> Bubble:
    """Something that has not become a message yet: waiting, held, failed…"""
    actions: list[Action] = []
    here = f"/c/{case_id}/outbound/{item.outbound_id}"
    seen = f"?seen={item.version}"
    if item.state in {"waiting", "held"} and not item.in_doubt:
        actions.append(Action("undo", _("Undo"), f"{here}/undo"))
    if item.state == "rejected":
        actions.append(Action("retry", _("Retry"), f"{here}/retry"))
        actions.append(Action("discard", _("Discard"), f"{here}/undo"))
    if item.state == "asked":
        actions.append(Action("found", _("It is there"), f"{here}/sent{seen}"))
        actions.append(Action("again", _("Send again"), f"{here}/again{seen}"))
        actions.append(Action("dropped", _("Drop it"), f"{here}/dropped{seen}"))
    return Bubble(
        kind="own",
        author_name=author,
        at=item.created_at,
        text=item.text,
        tint=tint_of(f"member:{item.author_id}"),
        initials=initials_of(author),
        state=_STATE[item.state],
        state_label=str(item.state_label),
        reason=item.reason,
        undo_until=item.undo_until if item.state == "waiting" and not item.in_doubt else None,
        outbound_id=str(item.outbound_id),
        state_actions=tuple(actions),
    )


def thread(actor: Actor, case: CaseView, *, show_images: int = 0, back: str = "/inbox/") -> Thread:
    """The open case with everything said in it."""
    names = organizations.everybodys_names(actor)
    teams = organizations.teams(actor)
    parts = _parts(actor, case, names, show_images)
    person = contacts.contact(actor, case.contact_id).name if case.contact_id else _("Somebody")
    first = parts[-1] if parts else None
    kind = f"{first.visibility_label} · {first.channel_name}" if first else ""
    may_work = may(actor, Permission.CHANGE_STATUS)
    menu = []
    if may_work:
        if case.status != "pending":
            menu.append(Action("pending", _("Wait for them"), f"/c/{case.case_id}/status?to=pending"))
        if case.status != "spam":
            menu.append(Action("spam", _("Mark as spam"), f"/c/{case.case_id}/status?to=spam", "danger"))
    if case.contact_id and may(actor, Permission.BLOCK):
        menu.append(Action("block", _("Block this person"), f"/c/{case.case_id}/block", "danger"))
    return Thread(
        case_id=str(case.case_id),
        url=f"/c/{case.case_id}",
        title=person,
        person_name=person,
        network=first.network if first else "",
        kind_label=kind,
        status=case.status,
        status_label=str(queries.STATUS_LABELS[case.status]),
        owner=names.get(case.owner_id or 0, ""),
        team=next((team.name for team in teams if team.id == case.team_id), ""),
        conversations=parts,
        waiting_since=case.waiting_since,
        assign_url=f"/c/{case.case_id}/assign" if may(actor, Permission.ASSIGN) else "",
        status_url=f"/c/{case.case_id}/status" if may_work else "",
        snooze_url=f"/c/{case.case_id}/snooze" if may_work and case.status in rules.OPEN else "",
        snooze_times=snoozing.choices(),
        zone=snoozing.zone_name(),
        owners=[
            *(
                Choice(str(number), name, number == case.owner_id)
                for number, name in organizations.colleagues(actor)
            ),
            Choice("0", _("Nobody"), case.owner_id is None),
        ],
        teams=[
            *(Choice(str(team.id), team.name, team.id == case.team_id) for team in teams),
            *([Choice("0", _("No team"), case.team_id is None)] if teams else []),
        ],
        actions=menu,
        back_url=back,
    )


def _parts(actor: Actor, case: CaseView, names: dict[int, str], show_images: int) -> list[ConversationPart]:
    organization_id = actor.organization_id
    frames = conversations.conversation_views(organization_id, case.conversation_ids)
    said = conversations.messages_of(organization_id, case.conversation_ids)
    lines = channels.channel_views(organization_id, {frame.channel_id for frame in frames})
    asked = outbox.outbounds_of(organization_id, case.conversation_ids)
    by_message = {item.message_id: item for item in asked if item.message_id}
    inside = {message.message_id: message for message in said}
    parents = [message.parent_id for message in said if message.parent_id and message.parent_id not in inside]
    above = conversations.posts_above(organization_id, parents) if parents else []
    may_split = may(actor, Permission.ASSIGN)
    parts = []
    for frame in frames:
        line = lines[frame.channel_id]
        mine = [message for message in said if message.conversation_id == frame.conversation_id]
        bubbles = _bubbles(
            mine, inside, by_message, line, names, case.case_id, show_images, may_split=may_split
        )
        bubbles += [
            outbound_bubble(item, names.get(item.author_id or 0, line.name), case.case_id)
            for item in asked
            if item.conversation_id == frame.conversation_id
            and item.message_id is None
            and item.state in _STATE
        ]
        if frame is frames[-1]:
            bubbles += _quiet_lines(actor, case, names)
            bubbles.sort(key=lambda bubble: bubble.at)
        visibility = "private" if frame.is_private else "public"
        parts.append(
            ConversationPart(
                conversation_id=str(frame.conversation_id),
                visibility=visibility,
                visibility_label=_("Private on %(network)s") % {"network": line.network_name}
                if frame.is_private
                else _("Public on %(network)s") % {"network": line.network_name},
                network=line.network,
                channel_name=line.name,
                account_handle=line.handle,
                context_posts=[_context(post, line) for post in _above(mine, above)],
                items=bubbles,
            )
        )
    return parts


def _above(mine: Sequence[MessageView], above: Sequence[MessageView]) -> list[MessageView]:
    by_id = {post.message_id: post for post in above}
    found: dict[int, MessageView] = {}
    for message in mine:
        step = by_id.get(message.parent_id or 0)
        while step is not None and step.message_id not in found:
            found[step.message_id] = step
            step = by_id.get(step.parent_id or 0)
    return sorted(found.values(), key=lambda post: (post.sent_at, post.message_id))


def _context(post: MessageView, line: ChannelView) -> Bubble:
    own = post.direction == "out"
    return Bubble(
        kind="context",
        author_name=line.name if own else post.author_name,
        at=post.sent_at,
        text=clean_text(post.text),
        message_id=str(post.message_id),
        handle=line.handle if own else post.author_handle,
        url=post.url if post.url.startswith(("https://", "http://")) else "",
        deleted=post.state == "deleted",
        attachments=_attachments(post),
    )


def _bubbles(  # noqa: PLR0917 - what a thread is drawn from, handed on once
    mine: Sequence[MessageView],
    inside: dict[int, MessageView],
    by_message: dict[int, OutboundView],
    line: ChannelView,
    names: dict[int, str],
    case_id: int,
    show_images: int,
    *,
    may_split: bool,
) -> list[Bubble]:
    depths: dict[int, int] = {}
    bubbles = []
    contact_of_first = next((message.contact_id for message in mine if message.contact_id), None)
    for message in mine:
        parent = inside.get(message.parent_id or 0)
        depths[message.message_id] = min(6, depths.get(parent.message_id, 0) + 1) if parent else 0
        sent = by_message.get(message.message_id)
        own_name = names.get(sent.author_id or 0, line.name) if sent else line.name
        others = message.contact_id is not None and message.contact_id != contact_of_first
        reply_to = ""
        if parent is not None and (others or parent.contact_id not in {None, contact_of_first}):
            reply_to = parent.author_name or line.name
        bubbles.append(
            message_bubble(
                message,
                depth=depths[message.message_id] if message.visibility != "private" else 0,
                reply_to=reply_to,
                own_name=own_name,
                sent=sent,
                show_images=show_images == message.message_id,
                case_id=case_id,
                may_split=may_split and _follows(message, parent),
            )
        )
    return bubbles


def _follows(message: MessageView, parent: MessageView | None) -> bool:
    """Said in public under something else of the same conversation: it could be a matter of its own."""
    inside = parent is not None and parent.conversation_id == message.conversation_id
    return inside and message.direction == "in" and message.visibility != "private"


def _quiet_lines(actor: Actor, case: CaseView, names: dict[int, str]) -> list[Bubble]:
    """What was done with the case, and what colleagues told each other."""
    teams = {team.id: team.name for team in organizations.teams(actor, with_archived=True)}
    found = []
    before: tuple[int | None, int | None] = (None, None)
    for event in queries.events(actor, case.case_id):
        who = names.get(event.by_id or 0, "Heard")
        if event.kind == "assigned":
            # An event tells who has it now, person and team; people want to know which of them changed.
            whom = [
                label
                for old, new, label in zip(
                    before,
                    (event.member_id, event.team_id),
                    (names.get(event.member_id or 0), teams.get(event.team_id or 0)),
                    strict=True,
                )
                if label and old != new
            ]
            before = (event.member_id, event.team_id)
            words = (
                _("%(who)s assigned this to %(whom)s") % {"who": who, "whom": ", ".join(whom)}
                if whom
                else _("%(who)s unassigned this") % {"who": who}
            )
        elif event.kind == "snoozed":
            until = snoozing.said(datetime.fromisoformat(event.value))
            words = _("%(who)s snoozed this until %(when)s") % {"who": who, "when": until}
        elif event.kind == "woken":
            words = _("Its time has come: this is open again")
        else:
            label = queries.STATUS_LABELS.get(event.value, event.value)
            words = _("%(who)s set this to: %(status)s") % {"who": who, "status": label}
        found.append(Bubble(kind="event", author_name=who, at=event.at, text=words))
    for note in queries.notes(actor, case.case_id):
        author = names.get(note.author_id, _("A colleague"))
        found.append(
            Bubble(
                kind="note",
                author_name=author,
                at=note.written_at,
                text=note.text or _("Erased at this person's request."),
                message_id=f"note-{note.note_id}",
                tint=tint_of(f"member:{note.author_id}"),
                initials=initials_of(author),
            )
        )
    return found
