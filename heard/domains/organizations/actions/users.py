"""People who can sign in: made, claimed, and their sessions ended."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from heard.domains.organizations import rules
from heard.domains.organizations.models import Member, Team, TeamMember, User
from heard.foundation.errors import Conflict, Invalid
from heard.foundation.tenancy import Role


def checked_email(email: str) -> str:
    """The address as it is kept. Raises ``Invalid`` on ``email`` when it is none."""
    plain = rules.plain_email(email)
    try:
        validate_email(plain)
    except ValidationError as error:
        raise Invalid("Please write an e-mail address, like name@example.org.", field="email") from error
    if len(plain) > 254:
        raise Invalid("This e-mail address is too long.", field="email")
    return plain


def check_password(password: str, email: str) -> None:
    """Raise ``Invalid`` on ``password``, with all reasons, unless it may be used."""
    try:
        validate_password(password, User(email=email))
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field="password") from error


def user_of(email: str) -> User | None:
    """The user with this address, in whatever case it is written."""
    return User.objects.filter(email=rules.plain_email(email)).first()


def make_user(email: str, password: str | None, *, is_verified: bool, at: datetime) -> User:
    """A new user. ``None`` as password: only links, passkeys and OpenID Connect let them in.

    ``is_verified`` says that whoever makes the account has shown to receive mail at the address; an
    unverified one is taken over by whoever shows it later (``claim_by_verified_email``).
    """
    user = User(email=email, date_joined=at)
    if password is None:
        user.set_unusable_password()
    else:
        user.set_password(password)
    with named_once("There is an account with this e-mail address already.", field="email"):
        user.save()
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=is_verified)
    return user


def claim_by_verified_email(user_id: int) -> bool:
    """Somebody has shown to own this user's address. True when what stood before had to go.

    Whoever made an account under an address that was never verified may be somebody else. So
    password, second factors and sessions from before end, and the address counts as verified.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        if EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists():
            return False
        user.set_unusable_password()
        user.session_salt = secrets.token_hex(16)
        user.save(update_fields=["password", "session_salt"])
        Authenticator.objects.filter(user=user).delete()
        EmailAddress.objects.filter(email=user.email).exclude(user=user).delete()
        EmailAddress.objects.update_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )
        return True


def end_sessions_of(user: User) -> None:
    """Sign the user out everywhere: sessions carry a hash of the salt."""
    user.session_salt = secrets.token_hex(16)
    user.save(update_fields=["session_salt"])


def join(
    organization_id: int, user: User, name: str, role: Role, team_ids: Iterable[int], *, at: datetime
) -> Member:
    """Make the user a member, or let a removed member back in. Raises ``Conflict`` for an active one."""
    found = Member.objects.select_for_update().filter(organization_id=organization_id, user=user).first()
    if found is not None and found.removed_at is None:
        raise Conflict("This person is a member already.")
    member = found or Member(organization_id=organization_id, user=user)
    member.name, member.role, member.joined_at, member.removed_at = name, role.value, at, None
    member.save()
    put_in_teams(member, team_ids)
    return member


def put_in_teams(member: Member, team_ids: Iterable[int]) -> None:
    """Add the member to teams of their own organization; ids of others are left out."""
    teams = Team.objects.filter(
        organization_id=member.organization_id, pk__in=list(team_ids), archived_at__isnull=True
    )
    TeamMember.objects.bulk_create(
        [TeamMember(organization_id=member.organization_id, team=team, member=member) for team in teams],
        ignore_conflicts=True,
    )


@contextmanager
def named_once(message: str, *, field: str) -> Iterator[None]:
    """Turn the database's "exists already" into ``Invalid`` on ``field``, whoever was faster."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise Invalid(message, field=field) from error
