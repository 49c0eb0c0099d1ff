"""How somebody comes in: a link, made for one address, that works once and for a week."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from heard.domains.journal import actions as journal
from heard.domains.journal.facts import Fact
from heard.domains.organizations import rules
from heard.domains.organizations.actions.users import (
    check_password,
    checked_email,
    claim_by_verified_email,
    join,
    make_user,
    user_of,
)
from heard.domains.organizations.facts import InvitationWithdrawn, MemberInvited, MemberJoined
from heard.domains.organizations.models import Invitation, Member, Team, User
from heard.domains.organizations.permissions import Permission, require
from heard.domains.organizations.rules import InvitationState
from heard.foundation import clock
from heard.foundation.crypto import new_token, token_hash
from heard.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from heard.foundation.tenancy import Actor, Role

_OVER = {
    InvitationState.ACCEPTED: "This invitation was used already. Sign in with the account it made.",
    InvitationState.WITHDRAWN: "This invitation was withdrawn. Ask whoever sent it for a new one.",
    InvitationState.EXPIRED: "This invitation has expired. Ask whoever sent it for a new one.",
}


@dataclass(frozen=True, slots=True)
class Invited:
    """A fresh invitation. The token is known only now; what is kept is its hash."""

    invitation_id: int
    email: str
    token: str
    expires_at: datetime

    @property
    def path(self) -> str:
        """The link to hand over, on this site."""
        return f"/invitation/{self.token}/"


def invite(actor: Actor, *, email: str, role: Role, name: str = "", team_ids: Iterable[int] = ()) -> Invited:
    """Make a link for one person. An open invitation for the same address is replaced.

    Raises ``Invalid`` naming ``email``, ``role`` or ``name``.
    """
    require(actor, Permission.MANAGE_MEMBERS)
    if actor.member_id is None:
        raise NotAllowed("Only a member can invite somebody.")
    email = checked_email(email)
    name = rules.plain_name(name, field="name", limit=120) if name.strip() else ""
    if not rules.may_give(actor.role, role):
        raise Invalid("You cannot give a role above your own.", field="role")
    now = clock.now()
    token = new_token()
    with transaction.atomic():
        if Member.objects.filter(
            organization_id=actor.organization_id, user__email=email, removed_at__isnull=True
        ).exists():
            raise Invalid("This person is a member already.", field="email")
        facts: list[Fact] = [
            InvitationWithdrawn(invitation_id=old) for old in _withdraw_open(actor, email, now)
        ]
        invitation = Invitation.objects.create(
            organization_id=actor.organization_id,
            email=email,
            name=name,
            role=role.value,
            token_hash=token_hash(token),
            invited_by_id=actor.member_id,
            created_at=now,
            expires_at=now + rules.INVITATION_LASTS,
        )
        invitation.teams.set(
            Team.objects.filter(
                organization_id=actor.organization_id, pk__in=list(team_ids), archived_at__isnull=True
            )
        )
        facts.append(MemberInvited(invitation_id=invitation.pk, role=role.value))
        journal.append(actor.organization_id, actor.label, facts, at=now)
    return Invited(invitation.pk, email, token, invitation.expires_at)


def _withdraw_open(actor: Actor, email: str, at: datetime) -> list[int]:
    still_open = Invitation.objects.filter(
        organization_id=actor.organization_id,
        email=email,
        accepted_at__isnull=True,
        withdrawn_at__isnull=True,
    )
    ids = list(still_open.values_list("pk", flat=True))
    still_open.update(withdrawn_at=at)
    return ids


def withdraw_invitation(actor: Actor, invitation_id: int) -> None:
    """The link works no longer. Raises ``Conflict`` when it was used meanwhile."""
    require(actor, Permission.MANAGE_MEMBERS)
    now = clock.now()
    with transaction.atomic():
        mine = Invitation.objects.filter(organization_id=actor.organization_id, pk=invitation_id)
        if not mine.exists():
            raise NotFound("There is no such invitation.")
        if not mine.filter(accepted_at__isnull=True, withdrawn_at__isnull=True).update(withdrawn_at=now):
            raise Conflict("This invitation was used or withdrawn meanwhile.")
        journal.append(
            actor.organization_id, actor.label, [InvitationWithdrawn(invitation_id=invitation_id)], at=now
        )


def accept_as_new_user(token: str, *, name: str, password: str, is_verified: bool) -> tuple[int, int]:
    """Make an account for the invited address and join. Returns (organization id, user id).

    ``is_verified``: the link came out of a mail to that address. Raises ``Conflict`` when the
    invitation is over, ``Invalid`` naming ``name`` or ``password``.
    """
    name = rules.plain_name(name, field="name", limit=120)
    now = clock.now()
    with transaction.atomic():
        invitation = _spend(token, now)
        check_password(password, invitation.email)
        user = make_user(invitation.email, password, is_verified=is_verified, at=now)
        _join(invitation, user, name, now)
    return invitation.organization_id, user.pk


def accept_as_user(token: str, user_id: int) -> int:
    """Let a signed-in user join with the account they have. Returns the organization's id.

    Raises ``NotAllowed`` when the invitation is for another address, ``Conflict`` when it is over.
    """
    now = clock.now()
    with transaction.atomic():
        invitation = _spend(token, now)
        user = User.objects.get(pk=user_id)
        if user.email != invitation.email:
            raise NotAllowed("This invitation is for another e-mail address.")
        _join(invitation, user, invitation.name or _known_name(user), now)
    return invitation.organization_id


def accept_by_verified_email(email: str, *, name: str) -> User | None:
    """Open invitations for an address that an identity provider has verified: join all of them.

    Makes the user where there is none. Returns ``None``, and changes nothing, when nobody invited
    this address.
    """
    email = rules.plain_email(email)
    now = clock.now()
    with transaction.atomic():
        still_open = Invitation.objects.select_for_update().filter(
            email=email, accepted_at__isnull=True, withdrawn_at__isnull=True, expires_at__gt=now
        )
        invitations = list(still_open.order_by("pk"))
        if not invitations:
            return None
        user = user_of(email)
        if user is None:
            user = make_user(email, None, is_verified=True, at=now)
        else:
            claim_by_verified_email(user.pk)
            user.refresh_from_db()
        for invitation in invitations:
            Invitation.objects.filter(pk=invitation.pk).update(accepted_at=now)
            if Member.objects.filter(
                organization_id=invitation.organization_id, user=user, removed_at__isnull=True
            ).exists():
                continue
            called = invitation.name or name.strip() or _known_name(user)
            _join(invitation, user, rules.plain_name(called[:120], field="name", limit=120), now)
    return user


def _spend(token: str, now: datetime) -> Invitation:
    invitation = Invitation.objects.filter(token_hash=token_hash(token)).first()
    if invitation is None:
        raise NotFound("There is no such invitation.")
    state = rules.invitation_state(
        now=now,
        expires_at=invitation.expires_at,
        accepted_at=invitation.accepted_at,
        withdrawn_at=invitation.withdrawn_at,
    )
    if state is not InvitationState.OPEN:
        raise Conflict(_OVER[state])
    # The condition is repeated in the write: of two who accept at once, one joins.
    if not Invitation.objects.filter(
        pk=invitation.pk, accepted_at__isnull=True, withdrawn_at__isnull=True
    ).update(accepted_at=now):
        raise Conflict("This invitation was used or withdrawn meanwhile.")
    return invitation


def _join(invitation: Invitation, user: User, name: str, now: datetime) -> None:
    role = Role(invitation.role)
    teams = invitation.teams.values_list("pk", flat=True)
    member = join(invitation.organization_id, user, name, role, teams, at=now)
    journal.append(
        invitation.organization_id,
        f"member:{member.pk}",
        [MemberJoined(member_id=member.pk, role=role.value)],
        at=now,
    )


def _known_name(user: User) -> str:
    name = (
        Member.objects.filter(user=user)
        .exclude(name="")
        .order_by("-pk")
        .values_list("name", flat=True)
        .first()
    )
    return name or user.email.partition("@")[0]
