"""The company and its people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from heard.foundation.privacy import MEMBER, NEUTRAL, SECRET
from heard.foundation.tenancy import Role


class Organization(models.Model):
    """A company: the tenant. Nothing of one is ever visible to another."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    timezone = models.CharField(max_length=60, default="UTC")
    created_at = models.DateTimeField()

    classified = {"id": NEUTRAL, "name": NEUTRAL, "slug": NEUTRAL, "timezone": NEUTRAL, "created_at": NEUTRAL}

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Users are named by their e-mail address."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Sign-in ignores the case of the address."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """Somebody who can sign in. What they may do is said by their memberships."""

    email = models.EmailField(max_length=254, unique=True)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField()
    session_salt = models.CharField(max_length=32, default="", blank=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    classified = {
        "id": NEUTRAL,
        "email": MEMBER,
        "is_active": NEUTRAL,
        "date_joined": NEUTRAL,
        "session_salt": SECRET,
        "password": SECRET,
        "last_login": MEMBER,
    }

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="organizations_user_email_once")]

    def __str__(self) -> str:
        return self.email

    def get_session_auth_hash(self) -> str:
        """What a session must carry to stay signed in: another password or salt ends all of them."""
        return self._session_hash(None)

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same under secret keys that were rotated out."""
        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._session_hash(secret)

    def _session_hash(self, secret: str | bytes | None) -> str:
        value = f"{self.password}:{self.session_salt}"
        return salted_hmac("heard.session", value, secret=secret, algorithm="sha256").hexdigest()


class Brand(models.Model):
    """A name the company speaks under; one by default."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    name = models.CharField(max_length=120)
    is_default = models.BooleanField(default=False)

    classified = {"id": NEUTRAL, "organization": NEUTRAL, "name": NEUTRAL, "is_default": NEUTRAL}

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="organizations_brand_once")
        ]


class Member(models.Model):
    """A person who works in the company. Removing one keeps the row: the journal names its id."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in Role])
    joined_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "user": NEUTRAL,
        "name": MEMBER,
        "role": NEUTRAL,
        "joined_at": NEUTRAL,
        "removed_at": NEUTRAL,
        "last_seen_at": MEMBER,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="organizations_member_once")
        ]


class Team(models.Model):
    """A department: marketing, sales, press, product, customer service, board…"""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    name = models.CharField(max_length=80)
    purpose = models.CharField(max_length=200, default="", blank=True)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "name": NEUTRAL,
        "purpose": NEUTRAL,
        "created_at": NEUTRAL,
        "archived_at": NEUTRAL,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="organizations_team_once")
        ]


class TeamMember(models.Model):
    """Who is in a team."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    member = models.ForeignKey(Member, on_delete=models.CASCADE)

    classified = {"id": NEUTRAL, "organization": NEUTRAL, "team": NEUTRAL, "member": NEUTRAL}

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "member"], name="organizations_team_member_once")
        ]


class Invitation(models.Model):
    """A link that lets one person in, once, for a while. Only a hash of its token is kept."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=120, default="", blank=True)
    role = models.CharField(max_length=20)
    teams = models.ManyToManyField(Team, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    classified = {
        "id": NEUTRAL,
        "organization": NEUTRAL,
        "email": MEMBER,
        "name": MEMBER,
        "role": NEUTRAL,
        "teams": NEUTRAL,
        "token_hash": SECRET,
        "invited_by": NEUTRAL,
        "created_at": NEUTRAL,
        "expires_at": NEUTRAL,
        "accepted_at": NEUTRAL,
        "withdrawn_at": NEUTRAL,
    }


class SignInLink(models.Model):
    """A one-time way in, printed on the operator's terminal: first set-up, demo, ``member reset``."""

    purpose = models.CharField(max_length=20)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    classified = {
        "id": NEUTRAL,
        "purpose": NEUTRAL,
        "user": NEUTRAL,
        "token_hash": SECRET,
        "created_at": NEUTRAL,
        "expires_at": NEUTRAL,
        "used_at": NEUTRAL,
    }
