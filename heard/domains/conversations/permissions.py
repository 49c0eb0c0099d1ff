"""Who may see what came with messages: whoever may see one of the accounts it came on."""

from __future__ import annotations

from heard.domains.channels import queries as channels
from heard.domains.conversations.models import Attachment, Message
from heard.foundation.sight import FILE, IDENTITY, PERSON, keeper
from heard.foundation.tenancy import Actor


@keeper(FILE)
def sees_file(actor: Actor, file_id: int) -> bool:
    """The same file may have come several times; one place where the actor may look is enough."""
    hidden = channels.hidden_channel_ids(actor)
    if not hidden:
        return True
    came = Attachment.objects.filter(organization_id=actor.organization_id, file_id=file_id)
    return came.exclude(message__channel_id__in=hidden).exists()


@keeper(PERSON)
def sees_person(actor: Actor, contact_id: int) -> bool:
    """Somebody of whom we know only by accounts that are hidden from the actor is hidden too."""
    return _hears(actor, identity__contact_id=contact_id)


@keeper(IDENTITY)
def sees_identity(actor: Actor, identity_id: int) -> bool:
    """A handle under which somebody spoke only where the actor may not look is not theirs to know."""
    return _hears(actor, identity_id=identity_id)


def _hears(actor: Actor, **who: int) -> bool:
    """Whether these said anything where the actor may look."""
    hidden = channels.hidden_channel_ids(actor)
    if not hidden:
        return True
    said = Message.objects.filter(organization_id=actor.organization_id, **who)
    return said.exclude(channel_id__in=hidden).exists()
