"""What the tests of this room share."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from heard.domains.journal import actions as journal
from heard.domains.journal import queries as record
from heard.foundation import equipment
from heard.foundation.crypto import KeyRing, new_key


@pytest.fixture(autouse=True)
def _nobody_has_tried_yet():
    """Rate limits are counted in the cache."""
    cache.clear()


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
