import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from heard.domains.journal import actions as journal
from heard.domains.journal import queries as record
from heard.domains.notifications import actions, panels, queries, rules
from heard.domains.notifications.facts import MemberNotified, NotificationsRead
from heard.domains.organizations import actions as organizations
from heard.foundation.errors import NotFound
from heard.foundation.tenancy import system


def tell(actor, **given_):
    what = {"kind": "case_assigned", "url": "/c/7", "subject_id": 7, **given_}
    actions.notify(actor.organization_id, actor.member_id, **what)


def facts_of(actor):
    journal.seal_all(actor.organization_id)
    entries = record.sealed_after(actor.organization_id, 0, 1000)
    return [entry.as_fact() for entry in entries if entry.kind.startswith("notifications.")]


def test_a_member_is_told_once_until_they_read_it(cast):
    for _ in range(3):
        tell(cast.bob)
    assert queries.unread(cast.bob) == 1
    (line,) = queries.latest(cast.bob)
    assert (line.kind, line.subject_id, line.url, line.is_read) == ("case_assigned", 7, "/c/7", False)
    assert facts_of(cast.bob) == [
        MemberNotified(member_id=cast.bob.member_id, told_kind="case_assigned", subject_id=7)
    ]
    actions.open_one(cast.bob, line.notification_id)
    tell(cast.bob)
    assert queries.unread(cast.bob) == 1
    assert len(queries.latest(cast.bob)) == 2


def test_only_the_member_it_is_for_sees_it(cast):
    tell(cast.bob)
    for other in (cast.alice, cast.charlie, system(cast.bob.organization_id)):
        assert queries.latest(other) == []
        assert queries.unread(other) == 0
        assert actions.mark_read(other, up_to=10**9) == 0
    with pytest.raises(NotFound):
        actions.open_one(cast.alice, queries.latest(cast.bob)[0].notification_id)
    assert queries.unread(cast.bob) == 1


def test_nobody_is_told_who_is_not_a_member_here(cast):
    actions.notify(cast.alice.organization_id, cast.charlie.member_id, kind="case_assigned", url="/c/7")
    organizations.remove_member(cast.alice, cast.bob.member_id)
    tell(cast.bob)
    assert queries.unread(cast.charlie) == queries.unread(cast.bob) == 0
    assert facts_of(cast.alice) == []


def test_reading_leaves_what_came_meanwhile_new(cast):
    tell(cast.bob)
    seen = queries.latest(cast.bob)[0].notification_id
    tell(cast.bob, subject_id=8, url="/c/8")
    assert actions.mark_read(cast.bob, up_to=seen) == 1
    assert [line.subject_id for line in queries.latest(cast.bob) if not line.is_read] == [8]
    assert facts_of(cast.bob)[-1] == NotificationsRead(member_id=cast.bob.member_id, count=1)
    assert actions.mark_read(cast.bob, up_to=seen) == 0
    assert len(facts_of(cast.bob)) == 3


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "//evil.example/", "/\\evil.example", "c/7", "", "/" + "x" * 200]
)
def test_a_notification_never_leads_off_this_site(cast, url):
    with pytest.raises(ValueError, match="this site"):
        tell(cast.bob, url=url)
    assert queries.unread(cast.bob) == 0


@given(st.text(max_size=220))
def test_what_counts_as_here_begins_with_one_slash(url):
    if rules.is_local(url):
        assert url[0] == "/"
        assert url[1:2] not in {"/", "\\"}
        assert len(url) <= 200


def test_a_kind_has_its_sentence_and_an_unknown_one_a_plain_one(cast):
    actions.register([actions.Kind("test_kind", "The kettle is on.", "clock")])
    tell(cast.bob, kind="test_kind")
    tell(cast.bob, kind="of_a_room_that_is_gone")
    assert [line.sentence for line in queries.latest(cast.bob)] == [
        "Something needs you.",
        "The kettle is on.",
    ]


# Pages -----------------------------------------------------------------------------------------------


def test_the_page_lists_opens_and_marks_read(cast):
    bob = cast.browser(cast.bob)
    assert "Nothing to tell you" in bob.get("/notifications/").content.decode()
    tell(cast.bob)
    tell(cast.bob, subject_id=8, url="/c/8")
    first, second = bob.get("/notifications/").context["lines"]
    assert bob.post(f"/notifications/{first.notification_id}/open/")["Location"] == "/c/8"
    assert queries.unread(cast.bob) == 1
    bob.post("/notifications/read/", {"up_to": second.notification_id})
    assert queries.unread(cast.bob) == 0


def test_the_page_goes_on_to_older_ones(cast):
    for number in range(60):
        tell(cast.bob, subject_id=number, url=f"/c/{number}")
    bob = cast.browser(cast.bob)
    page = bob.get("/notifications/")
    seen = [line.subject_id for line in page.context["lines"]]
    older = bob.get(f"/notifications/{page.context['older_url']}")
    assert seen + [line.subject_id for line in older.context["lines"]] == list(range(59, -1, -1))
    assert older.context["older_url"] == ""


@pytest.mark.parametrize(
    "given_", ["?before=x", "?before=-1", "?before=9" + "9" * 30, "?before=٣", "?before=%00"]
)
def test_a_broken_address_shows_the_newest(cast, given_):
    tell(cast.bob)
    page = cast.browser(cast.bob).get(f"/notifications/{given_}")
    assert page.status_code == 200
    assert len(page.context["lines"]) == 1


def test_a_stranger_opens_nothing_and_nobody_is_sent_to_sign_in(cast):
    tell(cast.bob)
    found = queries.latest(cast.bob)[0].notification_id
    charlie = cast.browser(cast.charlie)
    assert charlie.post(f"/notifications/{found}/open/").status_code == 404
    assert charlie.post(f"/notifications/{10**40}/open/").status_code == 404
    charlie.post("/notifications/read/", {"up_to": found})
    assert charlie.get("/notifications/").context["lines"] == []
    assert queries.unread(cast.bob) == 1
    for path, method in (
        ("/notifications/", "GET"),
        (f"/notifications/{found}/open/", "POST"),
        ("/notifications/read/", "POST"),
    ):
        answer = Client().generic(method, path)
        assert (answer.status_code, answer["Location"][:15]) == (302, "/account/login/")


def test_the_bell_counts_what_is_new(cast):
    (door,) = panels.bell(cast.bob)
    assert (door.url, door.count) == ("/notifications/", None)
    tell(cast.bob)
    (door,) = panels.bell(cast.bob)
    assert door.count == 1
