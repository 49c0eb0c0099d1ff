from __future__ import annotations

import pytest

from .doors import closed_doors
from .tree import complaints, select

HERE = "heard/domains/inbox/actions.py"


@pytest.mark.parametrize(
    "source",
    [
        "from heard.domains.conversations import queries",
        "from heard.domains.conversations.facts import MessagesArrived",
        "from ..contacts.queries import contact_of",
        "from ..contacts import actions",
        "import heard.domains.journal.actions",
        "from heard.domains.inbox.models import Case",
        "from .models import Case",
        "from . import rules",
        "from heard.foundation.clock import now",
        "apps.get_model('inbox', 'Case')",
    ],
)
def test_doors_and_the_own_room_are_open(source):
    assert closed_doors(HERE, source) == []


@pytest.mark.parametrize(
    ("source", "way"),
    [
        ("from heard.domains.conversations.models import Message", "models"),
        ("from heard.domains.conversations import models", "models"),
        ("from heard.domains.conversations.actions.intake import take_in", "actions.intake"),
        ("from heard.domains import conversations", "the room itself"),
        ("from ..conversations.models import Message", "models"),
        ("from .. import conversations", "the room itself"),
        ("import heard.domains.conversations.sql", "sql"),
        ("import_module('heard.domains.conversations.sql')", "sql"),
        ("apps.get_model('conversations.Message')", "get_model"),
        ("from heard.domains.conversations.testing import a_message", "testing"),
    ],
)
def test_every_other_way_in_is_closed(source, way):
    (complaint,) = closed_doors(HERE, source)
    assert complaint.startswith(f"{HERE}:1: inbox reaches into conversations by {way};")


def test_tests_may_use_what_another_room_lends_them_and_look_at_its_rows_but_no_more():
    here = "heard/domains/inbox/tests/test_actions.py"
    assert closed_doors(here, "from heard.domains.conversations.testing import a_message") == []
    assert closed_doors(here, "from heard.domains.conversations.models import Message") == []
    assert closed_doors(here, "from heard.domains.conversations.sql import take_in")


def test_a_package_counts_from_itself():
    here = "heard/domains/inbox/actions/__init__.py"
    assert closed_doors(here, "from ..models import Case") == []
    assert closed_doors(here, "from ...contacts.models import Contact")


def test_wiring_may_know_everything_and_migrations_are_history():
    reach = "from heard.domains.conversations.urls import urlpatterns"
    assert closed_doors("heard/config/urls.py", reach) == []
    assert closed_doors("heard/domains/inbox/migrations/0001_initial.py", reach) == []


def test_the_rooms_of_this_house_use_the_doors():
    assert complaints(closed_doors, select(".py", under="heard/domains/")) == ""
