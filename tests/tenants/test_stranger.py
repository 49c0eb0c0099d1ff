"""Tenants never meet (invariant 10): a stranger walks over every address with somebody else's ids.

Everything of Northbridge carries one secret word. Charlie of Southbank asks every address of the
product for every id that Northbridge has, by GET and by POST, and must never read the word, never get
through, and never change a row.
"""

from __future__ import annotations

import inspect
import itertools
import pkgutil
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec

import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client

from heard import domains
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


def _meant(name: str, ids: dict[str, set[int]]) -> list[int]:
    """The ids of Northbridge that a parameter of this name speaks of; they may be far from all others."""
    kind = name.removesuffix("s").removesuffix("_id").removesuffix("_target").replace("_", "")
    kind = {"target": "message", "besides": "case", "beside": "case"}.get(kind, kind)
    return next((sorted(found)[:5] for label, found in ids.items() if label.lower().endswith(f".{kind}")), [])


def _tries(route: str, ids: dict[str, set[int]], slugs: list[str]) -> list[str]:
    """The address with every id of Northbridge in each place."""
    numbers = sorted({number for found in ids.values() for number in found})[:9]
    tried = [route]
    for converter, name in re.findall(r"<(?:(\w+):)?(\w+)>", route):
        values = [str(number) for number in _meant(name, ids) or numbers] if converter == "int" else slugs
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


ROOMS = [room.name for room in pkgutil.iter_modules(domains.__path__)]
GIVEN = {
    "access": "none", "decision": "sent", "email": "fay@southbank.example", "key": "first", "mode": "note",
    "name": "Fay", "native_id": "us", "network": "memory", "purpose": "", "reason": "A drill",
    "role": Role.AGENT, "scope": "",
    "status": "done", "suppress": False, "text": "Hello", "timezone": "UTC",
    "until": datetime(2027, 11, 1, tzinfo=UTC), "upto": datetime(2026, 11, 22, tzinfo=UTC),
    "up_to": 10**9, "values": {"token": "right"}, "verb": Verb.REPLY, "wanted": inbox_queries.Wanted("all"),
}  # fmt: skip
"""What is given for a parameter that is no id of anything."""


def _asked_by_an_actor() -> Iterator[tuple[str, Callable[..., object]]]:
    """Every verb and question of every room that somebody asks for: those whose first word is an actor."""
    for room, door in itertools.product(ROOMS, ("actions", "queries")):
        place = f"heard.domains.{room}.{door}"
        for name, found in sorted(vars(import_module(place)).items() if find_spec(place) else ()):
            whole = inspect.unwrap(found) if callable(found) else None
            if not inspect.isfunction(whole) or not whole.__module__.startswith(place) or name[0] == "_":
                continue
            if next(iter(inspect.signature(whole).parameters), "") == "actor":
                yield f"{room}.{door}.{name}", found


def _with_their_ids(
    asked: Callable[..., object], ids: dict[str, set[int]]
) -> Iterator[tuple[list[object], dict[str, object]]]:
    """The ways to ask for what is Northbridge's: its ids wherever an id is asked for."""
    parameters = list(inspect.signature(asked).parameters.values())[1:]
    choices: list[list[object]] = []
    for one in parameters:
        theirs: list[object] = list(_meant(one.name, ids))
        if one.name.endswith("_ids") and theirs:
            choices.append([theirs])
        elif one.name.endswith("_id") and theirs:
            choices.append(theirs)
        elif one.default is inspect.Parameter.empty:
            choices.append([GIVEN[one.name]])  # a name that is not known here is to be added, and walked
        else:
            choices.append([one.default])
    for values in itertools.islice(itertools.product(*choices), 30):
        pairs = list(zip(parameters, values, strict=True))
        yield (
            [value for one, value in pairs if one.kind is not inspect.Parameter.KEYWORD_ONLY],
            {one.name: value for one, value in pairs if one.kind is inspect.Parameter.KEYWORD_ONLY},
        )


def _in_words(told: object) -> str:
    """All that an answer holds. What was opened for it is closed."""
    parts = list(told) if isinstance(told, Iterator | tuple) else [told]
    for part in parts:
        getattr(part, "close", lambda: None)()
    return repr(parts).lower()


def test_no_verb_and_no_question_crosses_from_one_company_to_another(cast, northbridge) -> None:
    def theirs() -> dict[str, list[str]]:
        mark = f"('organization_id', {cast.alice.organization_id})"
        return {label: [row for row in rows if mark in row] for label, rows in _rows().items()}

    before, walked = theirs(), set()
    for name, asked in _asked_by_an_actor():
        for values, named in _with_their_ids(asked, northbridge):
            with suppress(HeardError), transaction.atomic():  # any other error is a door that was not closed
                said = _in_words(asked(cast.charlie, *values, **named))
                for word in (WORD, "northbridge", "alice archer", "bob baker"):
                    assert word not in said, f"{name} tells a stranger of {word}"
                assert theirs() == before, f"{name} changes what is a stranger's"
                transaction.set_rollback(True)
            walked.add(name)
    assert len(walked) > 70
    assert theirs() == before


def test_the_walk_over_verbs_would_see_what_is_theirs(cast, northbridge) -> None:
    """Alice, asking the same, is told of it and changes it; else the walk above is worth nothing."""
    seen = set()
    for name, asked in _asked_by_an_actor():
        for values, named in _with_their_ids(asked, northbridge):
            with suppress(HeardError), transaction.atomic():
                if WORD in _in_words(asked(cast.alice, *values, **named)):
                    seen.add(name.partition(".")[0])
                transaction.set_rollback(True)
    assert {"inbox", "outbox", "contacts", "organizations", "privacy"} <= seen


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_the_live_stream_tells_a_stranger_nothing(cast, northbridge) -> None:
    from heard.config import live

    assert live._read(cast.charlie, 10_000) is None
    told = live._read(cast.charlie, 0)
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
