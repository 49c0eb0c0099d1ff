"""The cast as fixtures: Alice owns, Bob helps, Charlie must see nothing; and their browsers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.test import Client

    from heard.domains.organizations.testing import Cast


@pytest.fixture
def cast(db: None) -> Cast:
    """Two companies and three people, in the default database."""
    from heard.domains.organizations.testing import found_cast

    return found_cast()


@pytest.fixture
def as_user(cast: Cast) -> Callable[[str], Client]:
    """``as_user("alice")``: a browser that is signed in as her."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    def signed_in(name: str) -> Client:
        client = Client()
        client.force_login(get_user_model().objects.get(pk=cast.user_ids[name]))
        return client

    return signed_in
