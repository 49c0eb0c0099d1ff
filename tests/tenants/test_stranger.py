"""Tenants never meet (invariant 10): a stranger walks over every address with somebody else's ids.

Everything of Northbridge carries one secret word. Charlie of Southbank asks every address of the
product for every id that Northbridge has, by GET and by POST, and must never read the word, never get
through, and never change a row.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.apps import apps
from django.test import Client

from heard.connectorkit.vocabulary import Attachment as SeenAttachment
from heard.connectorkit.vocabulary import AttachmentKind, Author, Verb
from heard.domains.channels import actions as channels
from heard.domains.channels.models import Channel
from heard.domains.contacts import actions as contacts
from heard.domains.contacts.models import Contact
from heard.domains.conversations.models import Message
from heard.domains.inbox import actions as inbox
from heard.domains.inbox import queries as inbox_queries
from heard.domains.inbox.models import Case
from heard.domains.media import actions as media
from heard.domains.media.models import File
from heard.domains.organizations import actions as organizations
from heard.domains.outbox import actions as outbox
from heard.domains.outbox.models import Outbound
from heard.foundation.errors import HeardError
from heard.foundation.tenancy import Role
from tests.memory_network import message
from tests.tenants.addresses import routes_but

pytestmark = pytest.mark.django_db(databases="__all__")
WORD = "heliotrope"
# What is everybody's: sign-in and its relatives, and pages that show the asker's own things.
OPEN = ("account/", "sign-in/", "setup/", "invitation/", "static/", "gallery/", "metrics")


def _addresses() -> list[str]:
    return routes_but(*OPEN)


@pytest.fixture
def northbridge(cast, line) -> dict[str, set[int]]:
    """A company with something in every table, all of it secret."""
    case_id = line.case(1, WORD, text=f"{WORD} text", author=Author(WORD, f"@{WORD}", WORD.title()))
    case = Case.objects.get(pk=case_id)
    outbox.submit(cast.alice, verb=Verb.REPLY, target_id=case.last_inbound_id, text=f"{WORD} answer")
    inbox.write_note(cast.alice, case_id, f"{WORD} note")
    inbox.assign_case(cast.alice, case_id, member_id=cast.bob.member_id, team_id=None)
    contacts.write_note(cast.alice, case.contact_id, f"{WORD} note")
    media.store(cast.alice.organization_id, name=f"{WORD}.txt", content_type="text/plain", data=WORD.encode())
    outbox.place_hold(cast.alice, reason=f"{WORD} reason")
    organizations.invite(cast.alice, email=f"{WORD}@northbridge.example", role=Role.AGENT, name="Dora")
    organizations.create_team(cast.alice, name=f"{WORD} team")
    ids: dict[str, set[int]] = {}
    for model in apps.get_models():
        if model.__module__.startswith("heard.domains."):
            fields = {field.name for field in model._meta.get_fields()}
            if "organization" in fields or "organization_id" in fields:
                alias = model.objects.all().db
                rows = model.objects.using(alias).filter(organization_id=cast.alice.organization_id)
                found = {row.pk for row in rows if isinstance(row.pk, int)}
                ids[model._meta.label] = found
    return ids


def _tries(route: str, ids: dict[str, set[int]], slugs: list[str]) -> list[str]:
    """The address with every id of Northbridge in each place."""
    numbers = sorted({number for found in ids.values() for number in found})[:9]
    tried = [route]
    for converter, _name in re.findall(r"<(?:(\w+):)?(\w+)>", route):
        values = [str(number) for number in numbers] if converter == "int" else slugs
        tried = [re.sub(r"<(?:\w+:)?\w+>", value, address, count=1) for address in tried for value in values]
    return tried[:200]


def _rows() -> dict[str, list[str]]:
    found = {}
    for model in apps.get_models():
        if model.__module__.startswith("heard.domains.") and model._meta.label not in {
            "organizations.Member",
            "journal.Chain",
        }:
            alias = model.objects.all().db
            found[model._meta.label] = sorted(
                str(sorted(row.items(), key=str)) for row in model.objects.using(alias).values()
            )
    return found


def _body(response) -> str:
    data = b"".join(response.streaming_content) if response.streaming else response.content
    return data.decode("utf-8", "replace").lower()


def test_the_word_is_there_for_alice(cast, northbridge) -> None:
    """The walk below would be worth nothing if there were nothing to see."""
    alice = cast.browser(cast.alice)
    case_id = next(iter(northbridge["inbox.Case"]))
    assert WORD in _body(alice.get(f"/c/{case_id}"))
    assert WORD in _body(alice.get("/inbox/"))


def test_a_stranger_sees_nothing_and_changes_nothing(cast, northbridge) -> None:
    slugs = ["open", "mine", "done", "sandbox", "memory", "northbridge", "sent", "again"]
    slugs += [f"team-{number}" for number in sorted(northbridge["organizations.Team"])]
    charlie = cast.browser(cast.charlie)
    charlie.get("/inbox/")
    before = _rows()
    walked = 0
    for route in _addresses():
        for address in _tries(route, northbridge, slugs):
            for ask in (charlie.get, charlie.post):
                response = ask("/" + address)
                walked += 1
                assert response.status_code < 500, (address, response.status_code)
                assert WORD not in _body(response), f"{ask.__name__} /{address} shows what is Northbridge's"
    after = _rows()
    ours = [cast.alice.organization_id]
    for label, rows in before.items():
        kept = [row for row in rows if f"('organization_id', {ours[0]})" in row]
        now = [row for row in after[label] if f"('organization_id', {ours[0]})" in row]
        assert kept == now, f"a stranger changed {label}"
    assert walked > 100


def test_nobody_without_a_session_gets_past_the_door(northbridge) -> None:
    nobody = Client()
    for route in _addresses():
        for address in _tries(route, northbridge, ["open", "sandbox"])[:3]:
            response = nobody.get("/" + address)
            assert response.status_code in {302, 401, 403, 404, 405}, (address, response.status_code)
            assert WORD not in _body(response)


def test_queries_and_actions_refuse_a_strangers_actor(cast, northbridge) -> None:
    case_id = next(iter(northbridge["inbox.Case"]))
    outbound_id = next(iter(northbridge["outbox.Outbound"]))
    contact_id = next(iter(northbridge["contacts.Contact"]))
    for refused in (
        lambda: inbox_queries.case(cast.charlie, case_id),
        lambda: inbox.set_status(cast.charlie, case_id, "done"),
        lambda: inbox.write_note(cast.charlie, case_id, "hello"),
        lambda: inbox.assign_case(cast.charlie, case_id, member_id=None, team_id=None),
        lambda: outbox.cancel(cast.charlie, outbound_id),
        lambda: outbox.retry(cast.charlie, outbound_id),
        lambda: contacts.block(cast.charlie, contact_id),
    ):
        with pytest.raises(HeardError):
            refused()


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_the_live_stream_tells_a_stranger_nothing(cast, northbridge) -> None:
    from heard.config import live

    assert live._read(cast.charlie.organization_id, 10_000) is None
    told = live._read(cast.charlie.organization_id, 0)
    ours = northbridge["inbox.Case"]
    assert told is None or not ours & set(told[1].get("cases", ()))


def test_a_file_is_found_by_its_own_company_only(cast, northbridge) -> None:
    file_id = next(iter(northbridge["media.File"]))
    assert _body(cast.browser(cast.alice).get(f"/files/{file_id}/")) == WORD
    assert cast.browser(cast.charlie).get(f"/files/{file_id}/").status_code == 404


# A colleague, and an account they may not see --------------------------------------------------------


@pytest.fixture
def hidden_line(cast, line, connect_line, network):
    """Two accounts: what is said on the first is Alice's only, and Bob works on the second."""
    identify = network.identify
    network.identify = lambda link: replace(identify(link), native_id="us-too", handle="@us-too")
    open_line = connect_line(cast.alice)
    network.identify = identify
    channels.change_access(cast.alice, line.channel_id, member_id=cast.bob.member_id, access="none")
    secret = SeenAttachment(
        "1", AttachmentKind.IMAGE, name=f"{WORD}.png", data=b"\x89PNG\r\n\x1a\n" + WORD.encode()
    )
    author = Author(WORD, f"@{WORD}", WORD.title())
    case_id = line.case(1, WORD, text=f"{WORD} text", author=author, attachments=(secret,))
    case = Case.objects.get(pk=case_id)
    outbox.submit(cast.alice, verb=Verb.REPLY, target_id=case.last_inbound_id, text=f"{WORD} answer")
    inbox.write_note(cast.alice, case_id, f"{WORD} note")
    contacts.write_note(cast.alice, case.contact_id, f"{WORD} note")
    return line, open_line


def _walk(client: Client, ids: dict[str, set[int]]) -> list[str]:
    """The addresses that show the word when they are only read."""
    slugs = ["open", "mine", "done", "all", "spam", "pending", "memory", "northbridge"]
    found = []
    for route in _addresses():
        for address in _tries(route, ids, slugs):
            response = client.get("/" + address)
            assert response.status_code < 500, (address, response.status_code)
            if WORD in _body(response):
                found.append(route)
    return sorted(set(found))


def _ids(organization_id: int) -> dict[str, set[int]]:
    models = [Case, Contact, File, Message, Outbound, Channel]
    return {
        model._meta.label: set(
            model.objects.filter(organization_id=organization_id).values_list("pk", flat=True)
        )
        for model in models
    }


def test_who_may_not_see_an_account_reads_nothing_that_came_on_it(cast, hidden_line) -> None:
    ids = _ids(cast.alice.organization_id)
    seen = _walk(cast.browser(cast.alice), ids)
    assert {"inbox/", "c/<int:case_id>", "files/<int:file_id>/", "people/<int:contact_id>"} <= set(seen)
    assert _walk(cast.browser(cast.bob), ids) == []


def test_a_case_on_two_accounts_shows_each_colleague_their_own_part(cast, hidden_line) -> None:
    """The person turns to both accounts: one case, whose newest message stands on the hidden one."""
    hidden, open_line = hidden_line
    author = Author(WORD, "@heli", "Heli")
    open_line.says(message(2, WORD, text="Seen by Bob", author=author))
    hidden.says(message(3, WORD, text=f"{WORD} again", author=author))
    case = Case.objects.get()
    bob = cast.browser(cast.bob)
    page = _body(bob.get(f"/c/{case.pk}"))
    assert "seen by bob" in page
    assert f"{WORD} text" not in page
    listed = _body(bob.get("/inbox/"))
    assert f"{WORD} again" not in listed
    assert "an account that you may not see" in listed
    assert f"{WORD} again" in _body(cast.browser(cast.alice).get("/inbox/"))


def test_a_person_and_a_file_are_seen_where_one_of_their_accounts_is(cast, hidden_line) -> None:
    _, open_line = hidden_line
    contact_id = Contact.objects.get().pk
    file_id = File.objects.get().pk
    bob = cast.browser(cast.bob)
    assert bob.get(f"/people/{contact_id}").status_code == 404
    assert bob.post(f"/people/{contact_id}/block").status_code == 404
    assert bob.get(f"/files/{file_id}/").status_code == 404
    same = SeenAttachment(
        "1", AttachmentKind.IMAGE, name=f"{WORD}.png", data=b"\x89PNG\r\n\x1a\n" + WORD.encode()
    )
    open_line.says(message(2, WORD, author=Author(WORD, "@heli", "Heli"), attachments=(same,)))
    assert File.objects.count() == 1
    assert bob.get(f"/people/{contact_id}").status_code == 200
    assert WORD in _body(bob.get(f"/files/{file_id}/"))


def test_a_case_of_before_that_one_may_not_see_is_not_named(cast, hidden_line) -> None:
    _, open_line = hidden_line
    old = Case.objects.get()
    inbox.set_status(cast.alice, old.pk, "spam")  # the next message opens another case
    open_line.says(message(2, WORD, text="Hello again", author=Author(WORD, "@heli", "Heli")))
    new = Case.objects.exclude(pk=old.pk).get()
    assert f"/c/{old.pk}" in _body(cast.browser(cast.alice).get(f"/c/{new.pk}"))
    assert f'"/c/{old.pk}"' not in _body(cast.browser(cast.bob).get(f"/c/{new.pk}"))
