"""What becomes of members: role, name, leaving, being forgotten."""

from __future__ import annotations

from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.db.models import Q

from heard.domains.journal import actions as journal
from heard.domains.journal.facts import Fact
from heard.domains.organizations import rules
from heard.domains.organizations.actions.users import end_sessions_of
from heard.domains.organizations.facts import (
    InvitationWithdrawn,
    MemberForgotten,
    MemberRemoved,
    MemberRenamed,
    MemberRoleChanged,
    SessionsEnded,
)
from heard.domains.organizations.models import Invitation, Member, SignInLink, TeamMember, User
from heard.domains.organizations.permissions import Permission, require
from heard.foundation import clock
from heard.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from heard.foundation.tenancy import Actor, Role

_LAST_OWNER = "This is the last owner. Make somebody else an owner first."
_ABOVE = "You cannot change somebody whose role is above your own."
SEEN_AGAIN_AFTER = timedelta(minutes=15)


def change_role(actor: Actor, member_id: int, role: Role) -> None:
    """Give a member another role.

    Raises ``Invalid`` on ``role`` for one above the actor's own, ``NotAllowed`` for a member above
    the actor, ``Conflict`` for the last owner.
    """
    require(actor, Permission.MANAGE_MEMBERS)
    if not rules.may_give(actor.role, role):
        raise Invalid("You cannot give a role above your own.", field="role")
    with transaction.atomic():
        member = _member_to_change(actor, member_id, new_role=role)
        if member.role == role.value:
            return
        member.role = role.value
        member.save(update_fields=["role"])
        withdrawn = _withdraw_made_by(member, [given for given in Role if not rules.may_give(role, given)])
        _append(actor, MemberRoleChanged(member_id=member_id, role=role.value), *withdrawn)


def remove_member(actor: Actor, member_id: int) -> None:
    """End a membership. The row stays, for the journal names its id.

    Pages refuse the member from the next request on, and invitations they made end. Where they have
    no other organization, all their sessions and open links end too.
    """
    require(actor, Permission.MANAGE_MEMBERS)
    now = clock.now()
    with transaction.atomic():
        member = _member_to_change(actor, member_id, new_role=None)
        member.removed_at = now
        member.save(update_fields=["removed_at"])
        TeamMember.objects.filter(member=member).delete()
        user = member.user
        if user is not None and not Member.objects.filter(user=user, removed_at__isnull=True).exists():
            end_sessions_of(user)
            SignInLink.objects.filter(user=user, used_at__isnull=True).delete()
        _append(actor, MemberRemoved(member_id=member_id), *_withdraw_made_by(member, list(Role)))


def _withdraw_made_by(member: Member, roles: list[Role]) -> list[Fact]:
    # Whoever made a link may have kept it: it must not be a way back, or up.
    still_open = Invitation.objects.filter(
        organization_id=member.organization_id,
        invited_by=member,
        role__in=[role.value for role in roles],
        accepted_at__isnull=True,
        withdrawn_at__isnull=True,
    )
    ids = list(still_open.values_list("pk", flat=True))
    still_open.update(withdrawn_at=clock.now())
    return [InvitationWithdrawn(invitation_id=invitation_id) for invitation_id in ids]


def _member_to_change(actor: Actor, member_id: int, *, new_role: Role | None) -> Member:
    # All owners are locked in one order, so that two of them cannot demote each other at once.
    owner_ids = list(
        Member.objects.select_for_update()
        .filter(organization_id=actor.organization_id, role=Role.OWNER.value, removed_at__isnull=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    member = (
        Member.objects.select_for_update()
        .filter(organization_id=actor.organization_id, pk=member_id, removed_at__isnull=True)
        .first()
    )
    if member is None:
        raise NotFound("There is no such member.")
    if not rules.may_change(actor.role, Role(member.role)):
        raise NotAllowed(_ABOVE)
    if member_id in owner_ids and rules.leaves_no_owner(owner_ids, member_id, new_role):
        raise Conflict(_LAST_OWNER)
    return member


def rename_member(actor: Actor, name: str) -> None:
    """Change the actor's own name. Raises ``Invalid`` on ``name``."""
    name = rules.plain_name(name, field="name", limit=120)
    if actor.member_id is None:
        raise NotFound("There is no such member.")
    with transaction.atomic():
        Member.objects.filter(organization_id=actor.organization_id, pk=actor.member_id).update(name=name)
        _append(actor, MemberRenamed(member_id=actor.member_id))


def end_sessions(actor: Actor) -> None:
    """Sign the actor out everywhere; the page that asks keeps its own session alive."""
    if actor.member_id is None:
        raise NotFound("There is no such member.")
    with transaction.atomic():
        user = User.objects.select_for_update().get(
            member__pk=actor.member_id, member__organization_id=actor.organization_id
        )
        end_sessions_of(user)
        _append(actor, SessionsEnded(member_id=actor.member_id))


def forget_member(actor: Actor, member_id: int) -> None:
    """Erase what was kept about a removed member: name, address, ways to sign in. Counts stay.

    Raises ``Conflict`` for somebody who is still a member.
    """
    require(actor, Permission.MANAGE_MEMBERS)
    with transaction.atomic():
        member = (
            Member.objects.select_for_update(of=("self",))
            .filter(organization_id=actor.organization_id, pk=member_id)
            .select_related("user")
            .first()
        )
        if member is None:
            raise NotFound("There is no such member.")
        if member.removed_at is None:
            raise Conflict("Remove the member first, then erase what is kept about them.")
        user = member.user
        if user is not None:
            Invitation.objects.filter(organization_id=actor.organization_id, email=user.email).update(
                email="", name=""
            )
        member.user, member.name, member.last_seen_at = None, "Former member", None
        member.save(update_fields=["user", "name", "last_seen_at"])
        if user is not None and not Member.objects.filter(user=user).exists():
            _forget_user(user)
        _append(actor, MemberForgotten(member_id=member_id))


def _forget_user(user: User) -> None:
    for kept in (EmailAddress, Authenticator, SocialAccount, SignInLink):
        kept.objects.filter(user=user).delete()
    user.email = f"forgotten-{user.pk}@invalid.invalid"
    user.is_active, user.last_login = False, None
    user.set_unusable_password()
    user.save()


def note_seen(actor: Actor) -> None:
    """Remember, to a quarter of an hour, when a member was last here. No fact: it changes nothing."""
    if actor.member_id is None:
        return
    now = clock.now()
    with transaction.atomic():
        Member.objects.filter(
            Q(last_seen_at__isnull=True) | Q(last_seen_at__lt=now - SEEN_AGAIN_AFTER),
            organization_id=actor.organization_id,
            pk=actor.member_id,
        ).update(last_seen_at=now)


def _append(actor: Actor, *facts: Fact) -> None:
    journal.append(actor.organization_id, actor.label, facts, at=clock.now())
