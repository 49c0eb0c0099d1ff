"""The composer and the person pane: what can be said here, by whom, to whom, and who it is."""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _

from heard.connectorkit.vocabulary import Constraints, No, Verb, Visibility, Yes
from heard.domains.channels import queries as channels
from heard.domains.channels.queries import ChannelView
from heard.domains.contacts import queries as contacts
from heard.domains.conversations import queries as conversations
from heard.domains.conversations.queries import MessageView
from heard.domains.inbox import queries
from heard.domains.inbox.queries import CaseView, DraftView
from heard.domains.organizations.queries import Permission, may
from heard.domains.outbox import queries as outbox
from heard.foundation import clock
from heard.foundation.tenancy import Actor
from heard.ui.shapes import (
    Composer,
    IdentityLine,
    Mode,
    PastCase,
    Person,
    initials_of,
    tint_of,
)

AUDIENCES = {
    "public": _("everybody can see it"),
    "unlisted": _("everybody can see it, not in public lists"),
    "followers": _("followers can see it"),
    "private": _("only they can see it"),
}
CHOICES = {
    "public": _("Public"),
    "unlisted": _("Unlisted"),
    "followers": _("Followers"),
    "private": _("Direct"),
}


def composer(
    actor: Actor,
    case: CaseView,
    *,
    reply_to: int = 0,
    draft: str = "",
    problems: tuple[str, ...] = (),
    mode: str = "",
) -> Composer | None:
    """What this member may say in this case now; ``None`` where they may not even write notes."""
    kept = None if draft or problems else queries.draft(actor, case.case_id)
    if kept is not None and not reply_to:
        # Words for one message are not offered to another: it might be public, and they are not.
        reply_to = kept.target_id or 0
    target = _target(actor, case, reply_to)
    modes: list[Mode] = []
    held = ""
    if target is not None:
        line = channels.channel_views(actor.organization_id, [target.channel_id])[target.channel_id]
        hold = outbox.holding(actor.organization_id, line.channel_id)
        if hold is not None:
            held = _("Sending is stopped: %(reason)s What you send waits.") % {
                "reason": hold.reason if hold.reason.endswith((".", "!", "?", "…")) else f"{hold.reason}."
            }
        modes += _answers(actor, target, line)
    if may(actor, Permission.NOTE):
        modes.append(Mode("note", _("Note"), audience_label=_("only colleagues see it"), maximum=10_000))
    if not modes:
        return None
    enabled = [item.key for item in modes if item.enabled]
    if kept is not None:
        fits = kept.mode in enabled and (kept.mode == "note" or not kept.target_id or _is(target, kept))
        draft, mode = kept.text, kept.mode if fits else "note"
    return Composer(
        action_url=f"/c/{case.case_id}/answer",
        modes=modes,
        case_id=str(case.case_id),
        mode=mode or next(iter(enabled), "note"),
        draft=draft,
        placeholder=_("Write a reply"),
        held_reason=held,
        submission_key=uuid.uuid4().hex,
        problems=problems,
        subject=kept.subject if kept else "",
        draft_url=f"/c/{case.case_id}/draft",
        draft_at=clock.iso(kept.changed_at) if kept else "",
        writer=str(actor.member_id or ""),
    )


def _is(target: MessageView | None, kept: DraftView) -> bool:
    return target is not None and target.message_id == kept.target_id


def _target(actor: Actor, case: CaseView, reply_to: int) -> MessageView | None:
    wanted = reply_to or case.last_inbound_id or 0
    found = conversations.message_views(actor.organization_id, [wanted]).get(wanted)
    if found is None or found.conversation_id not in case.conversation_ids or found.state != "visible":
        return None
    return found


def _answers(actor: Actor, target: MessageView, line: ChannelView) -> list[Mode]:
    private = target.visibility == "private"
    allowed = channels.may_reply(actor, line.channel_id)
    found = []
    verbs = [("reply", Verb.REPLY)] if private else [("reply", Verb.REPLY), ("direct", Verb.DIRECT_MESSAGE)]
    for key, verb in verbs:
        label = {
            ("reply", True): _("Private reply"),
            ("reply", False): _("Public reply"),
            ("direct", False): _("Direct message"),
        }[key, private]
        if not allowed:
            reason = _("You may read this channel, not answer on it.")
            found.append(Mode(key, label, enabled=False, reason=reason))
            continue
        answer = outbox.supports(actor, verb, target.message_id)
        if isinstance(answer, No):
            found.append(Mode(key, label, enabled=False, reason=answer.reason, remedy=answer.remedy))
        elif isinstance(answer, Yes):
            found.append(_mode(key, label, line, answer.constraints, target))
    return found


def _mode(key: str, label: str, line: ChannelView, limits: Constraints, target: MessageView) -> Mode:
    choices = [Visibility(value) for value in limits.visibilities]
    audience = choices[0].value if choices else ("private" if key == "direct" else target.visibility)
    subject, subject_label = _subject(target, limits)
    text = limits.text
    return Mode(
        key=key,
        label=label,
        account_label=line.name,
        audience_label=_("on %(network)s, %(audience)s")
        % {"network": line.network_name, "audience": AUDIENCES[audience]},
        network=line.network,
        maximum=text.maximum if text else 0,
        unit=text.unit.value if text else "grapheme",
        url_cost=text.url_cost if text else None,
        mention_local_only=text.mention_local_only if text else False,
        maximum_bytes=text.maximum_bytes if text else None,
        media_count=limits.media.count,
        media_types=tuple(limits.media.types),
        media_bytes=limits.media.maximum_bytes,
        visibilities=[(choice.value, str(CHOICES[choice.value])) for choice in choices],
        warnings=tuple(limits.warnings),
        target_message_id=str(target.message_id),
        subject=subject,
        subject_label=subject_label,
    )


def _subject(target: MessageView, limits: Constraints) -> tuple[str | None, str]:
    """(what stands in the subject line, its label). Elsewhere than in mail it is a content warning,
    which an answer carries on and nobody has to write."""
    if not limits.subject:
        return None, ""
    if target.kind == "email":
        known = target.subject
        return (known if known.lower().startswith("re:") else f"Re: {known}".strip()), _("Subject")
    return (target.subject, _("Content warning")) if target.subject else (None, "")


def person(actor: Actor, case: CaseView) -> Person | None:
    """Who brought the matter."""
    if case.contact_id is None:
        return None
    found = contacts.contact(actor, case.contact_id)
    names = {manifest.network: manifest.name for manifest in channels.manifests()}
    return Person(
        contact_id=str(found.contact_id),
        name=found.name,
        tint=tint_of(f"contact:{found.contact_id}"),
        initials=initials_of(found.name),
        identities=[
            IdentityLine(
                item.network,
                names.get(item.network, item.network),
                item.handle or _("erased"),
                item.url if item.url.startswith(("https://", "http://")) else "",
            )
            for item in found.identities
        ],
        tags=[_("Blocked")] if found.blocked_at else [],
        since=found.first_seen_at,
        past_cases=[
            PastCase(
                _("Case %(number)s") % {"number": past.case_id},
                f"/c/{past.case_id}",
                str(queries.STATUS_LABELS[past.status]),
                past.opened_at,
            )
            for past in queries.cases_of_contact(actor, found.contact_id, besides=case.case_id)
        ],
        notes=found.note,
        url=f"/people/{found.contact_id}",
        privacy_url=f"/people/{found.contact_id}/privacy" if may(actor, Permission.EXPORT_PERSON) else "",
        can_erase=may(actor, Permission.ERASE_PERSON),
    )
