"""What the tests of this room share."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from heard.domains.journal import actions as journal
from heard.domains.journal import queries as record
from heard.domains.organizations.models import User
from heard.domains.organizations.tests.people import found_cast
from heard.foundation import equipment
from heard.foundation.crypto import KeyRing, new_key


@pytest.fixture(autouse=True)
def _nobody_has_tried_yet():
    """Rate limits are counted in the cache."""
    cache.clear()


@pytest.fixture
def cast(db):
    """Two companies and three people, two of them with a password."""
    return found_cast()


@pytest.fixture
def as_user(cast):
    """``as_user("alice")``: a browser that is signed in as her."""

    def signed_in(name):
        client = Client()
        client.force_login(User.objects.get(pk=cast.user_ids[name]))
        return client

    return signed_in


@pytest.fixture
def keys(monkeypatch):
    """A key ring of this test's own."""
    ring = KeyRing.parse(new_key())
    monkeypatch.setattr(equipment, "_made", {**equipment._made, "keyring": ring})
    return ring


@pytest.fixture
def told():
    """``told(organization_id)``: what the journal has been told, oldest first, as facts."""

    def facts(organization_id):
        journal.seal_all(organization_id)
        return [entry.as_fact() for entry in record.sealed_after(organization_id, 0, 1000)]

    return facts
