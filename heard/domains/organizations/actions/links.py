"""Ways in that are printed on the operator's terminal. Only a hash of each token is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Q

from heard.domains.journal import actions as journal
from heard.domains.organizations import rules
from heard.domains.organizations.facts import MemberReset
from heard.domains.organizations.models import Member, SignInLink, User
from heard.domains.organizations.rules import LinkPurpose
from heard.foundation import clock
from heard.foundation.crypto import new_token, token_hash
from heard.foundation.errors import NotFound

_NO_LINK = (
    "This link does not work any more: it was used, or its time is over. "
    "Whoever runs Heard can print a new one with “heard member reset”."
)


@dataclass(frozen=True, slots=True)
class Entered:
    """Whom a link let in, and why it had been made."""

    user_id: int
    purpose: LinkPurpose


def make_setup_link() -> str:
    """The path of the first-run page with a fresh token; earlier ones end. Valid for a day."""
    with transaction.atomic():
        SignInLink.objects.filter(purpose=LinkPurpose.SETUP, used_at__isnull=True).delete()
        token = _make(LinkPurpose.SETUP, None, rules.SETUP_LINK_LASTS)
    return f"/setup/?token={token}"


def make_sign_in_link(user_id: int, minutes: int = 30, *, purpose: LinkPurpose = LinkPurpose.ONCE) -> str:
    """The path of a link that signs this user in; see ``LinkPurpose`` for how often."""
    with transaction.atomic():
        return f"/sign-in/{_make(purpose, user_id, timedelta(minutes=minutes))}/"


def reset_member(email: str, *, minutes: int = 60, without_second_factor: bool = False) -> str:
    """The path of a one-time way in for a member who cannot sign in, for the operator to hand over.

    The old password ends when the link is used; second factors stay unless ``without_second_factor``.
    Raises ``NotFound`` when no member has this address.
    """
    now = clock.now()
    with transaction.atomic():
        user = User.objects.filter(email=rules.plain_email(email)).first()
        places = list(Member.objects.filter(user=user, removed_at__isnull=True)) if user else []
        if user is None or not places:
            raise NotFound(f"No member has the address {email}. “heard member list” shows who there is.")
        if without_second_factor:
            Authenticator.objects.filter(user=user).delete()
        token = _make(LinkPurpose.RESET, user.pk, timedelta(minutes=minutes))
        for member in places:
            journal.append(member.organization_id, "operator", [MemberReset(member_id=member.pk)], at=now)
    return f"/sign-in/{token}/"


def use_sign_in_link(token: str, *, on_this_machine_only: bool) -> Entered:
    """Spend a link. Raises ``NotFound``, with a sentence, when it does not hold.

    A demo's link may be used again and again, but only where nobody else can reach the installation
    (``on_this_machine_only``).
    """
    now = clock.now()
    with transaction.atomic():
        links = SignInLink.objects.filter(
            token_hash=token_hash(token), expires_at__gt=now, used_at__isnull=True
        ).exclude(purpose=LinkPurpose.SETUP)
        link = links.select_related("user").first()
        if link is None or link.user is None or not link.user.is_active:
            raise NotFound(_NO_LINK)
        if not Member.objects.filter(user=link.user, removed_at__isnull=True).exists():
            raise NotFound(_NO_LINK)
        purpose = LinkPurpose(link.purpose)
        stays = purpose is LinkPurpose.DEMO and on_this_machine_only
        # The condition is repeated in the write: of two who click at once, one gets in.
        if not stays and not links.filter(pk=link.pk).update(used_at=now):
            raise NotFound(_NO_LINK)
        if purpose is LinkPurpose.RESET:
            link.user.set_unusable_password()
            link.user.save(update_fields=["password"])
        return Entered(link.user.pk, purpose)


def spend_setup_link(token: str) -> bool:
    """Use up the set-up token, inside the caller's transaction. False when it does not hold."""
    now = clock.now()
    return bool(
        SignInLink.objects.filter(
            purpose=LinkPurpose.SETUP,
            token_hash=token_hash(token),
            expires_at__gt=now,
            used_at__isnull=True,
        ).update(used_at=now)
    )


def _make(purpose: LinkPurpose, user_id: int | None, lasts: timedelta) -> str:
    now = clock.now()
    # Links that are over tell nothing any more; making one is the occasion to drop them.
    SignInLink.objects.filter(Q(expires_at__lt=now - timedelta(days=7))).delete()
    token = new_token()
    SignInLink.objects.create(
        purpose=purpose,
        user_id=user_id,
        token_hash=token_hash(token),
        created_at=now,
        expires_at=now + lasts,
    )
    return token
