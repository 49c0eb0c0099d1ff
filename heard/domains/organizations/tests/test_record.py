"""The page of the record: who reads it, whether it is whole, and what one takes away from it."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection

from heard.domains.journal import actions as journal
from heard.domains.journal import queries as record
from heard.domains.organizations import actions, queries
from heard.foundation.tenancy import Role

pytestmark = pytest.mark.django_db(databases="__all__")


def words(answer):
    """What stands on a page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


@pytest.fixture
def sealed(cast):
    """Northbridge's record after some work of Alice's, all of it sealed."""

    def made(count=1):
        for number in range(count):
            actions.add_brand(cast.alice, f"Brand {number}")
        journal.seal_all(cast.alice.organization_id)
        return record.end_of(cast.alice.organization_id)

    return made


def test_it_says_who_did_what_in_plain_words(cast, sealed, as_user):
    sealed()
    page = words(as_user("alice").get("/journal/"))
    assert "organizations.BrandAdded" in page
    assert "Alice Brand added" in page


def test_it_is_for_those_who_may_read_it(cast, sealed, as_user):
    sealed()
    for method, path in (
        ("GET", "/journal/"),
        ("POST", "/journal/verify/"),
        ("POST", "/journal/checkpoint/"),
    ):
        assert as_user("bob").generic(method, path).status_code == 403, path
        assert as_user("alice").generic(method, path).status_code == 200, path
    assert "/journal/" not in as_user("bob").get("/settings/profile/").content.decode()
    assert "/journal/" in as_user("alice").get("/settings/profile/").content.decode()
    actions.change_role(cast.alice, cast.bob.member_id, Role.MANAGER)
    assert as_user("bob").get("/journal/").status_code == 200


def test_nobody_reads_another_companys(cast, sealed, as_user):
    sealed()
    page = words(as_user("charlie").get("/journal/"))
    assert "Brand added" not in page
    assert "Alice" not in page


def test_it_is_paged_back_to_its_first_entry_and_forth_again(cast, sealed, as_user):
    end = sealed(120)
    alice, path, seen = as_user("alice"), "/journal/", []
    for _ in range(10):
        page = alice.get(path).content.decode()
        seen += [int(number) for number in re.findall(r'<th scope="row" class="number">(\d+)</th>', page)]
        older = re.search(r'href="([^"]+)">Older', page)
        if older is None:
            break
        path = older[1]
    assert seen == list(range(end, 0, -1))
    for _ in range(10):
        newer = re.search(r'href="([^"]+)">Newer', alice.get(path).content.decode())
        if newer is None:
            break
        path = newer[1]
    assert path == "/journal/"


@pytest.mark.parametrize("before", ["0", "1", "-5", "x", "9" * 30, "1e3"])
def test_an_odd_place_is_no_error(cast, sealed, as_user, before):
    sealed()
    assert as_user("alice").get(f"/journal/?before={before}").status_code == 200


def test_verify_says_that_all_fits_and_names_the_entry_that_does_not(cast, sealed, as_user):
    end = sealed(3)
    alice = as_user("alice")
    assert f"{end} entries fit, to the end." in words(alice.post("/journal/verify/"))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE journal_seal SET hash = %s WHERE organization_id = %s AND position = %s",
            [b"\1" * 32, cast.alice.organization_id, end - 1],
        )
    page = words(alice.post("/journal/verify/"))
    assert f"Entry {end - 1} was changed." in page
    assert "fit, to the end" not in page


def test_a_checkpoint_is_a_file_that_promises_the_records_end(cast, sealed, as_user):
    end = sealed()
    answer = as_user("alice").post("/journal/checkpoint/")
    assert answer["Content-Type"] == "application/json"
    assert f"heard-checkpoint-{cast.alice.organization_id}-{end}.json" in answer["Content-Disposition"]
    assert answer["Content-Disposition"].startswith("attachment;")
    promised, known = json.loads(answer.content), record.checkpoint(cast.alice.organization_id)
    assert promised["position"] == end
    assert (promised["hash"], promised["merkle_root"]) == (known.hash, known.merkle_root)
    assert record.verify(cast.alice.organization_id, known).holds
    # Later entries change nothing of what was promised.
    actions.rename_brand(cast.alice, queries.brands(cast.alice)[0].id, "Ferries")
    journal.seal_all(cast.alice.organization_id)
    assert record.checkpoint(cast.alice.organization_id).hash != promised["hash"]
    assert record.verify(cast.alice.organization_id, known).holds
