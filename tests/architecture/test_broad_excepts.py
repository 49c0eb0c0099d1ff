from __future__ import annotations

import pytest

from .broad_excepts import broad_excepts
from .tree import complaints, is_test, select, text

# The four edges, by file, each with what it does with an error nobody named.
EDGES = {
    "heard/ui/offers.py": "request: a panel, banner or door of one room fails alone, the page is shown",
    "heard/foundation/work/loop.py": "work: a slice that broke runs again later, the loop goes on",
    "heard/domains/channels/actions/streaming.py": "stream: a line that broke is opened again later",
    "heard/domains/channels/schedule.py": "work: a channel whose connector broke says so on its page",
    "heard/domains/conversations/schedule.py": "work: a delivery that breaks something is kept aside alone",
    "heard/domains/journal/schedule.py": "work: a reaction fails alone, the others take their facts",
    "heard/domains/outbox/schedule.py": "work: what broke after the call may have been sent: unknown",
}


@pytest.mark.parametrize(
    "source",
    [
        "try: go()\nexcept ValueError: stop()",
        "try: go()\nexcept (OSError, ValueError): stop()",
        "try: go()\nexcept BaseException:\n    tidy()\n    raise",
        "with suppress(OSError): go()",
    ],
)
def test_named_errors_may_be_caught(source):
    assert broad_excepts("heard/a.py", source) == []


@pytest.mark.parametrize(
    "source",
    [
        "try: go()\nexcept Exception: stop()",
        "try: go()\nexcept: stop()",
        "try: go()\nexcept (ValueError, Exception) as error: stop(error)",
        "try: go()\nexcept BaseException as error: raise Other from error",
        "\nwith contextlib.suppress(Exception): go()",
    ],
)
def test_everything_may_not(source):
    assert broad_excepts("heard/a.py", source) == [
        "heard/a.py:2: catches everything; name the error, or let it reach one of the four edges"
    ]


def test_only_the_edges_of_this_house_catch_everything():
    paths = (path for path in select(".py", under="heard/") if path not in EDGES and not is_test(path))
    assert complaints(broad_excepts, paths) == ""


def test_an_edge_that_no_longer_catches_everything_leaves_the_list():
    idle = [path for path in EDGES if not broad_excepts(path, text(path))]
    assert idle == []
