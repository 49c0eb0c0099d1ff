"""The pages: what they do, and whom they let in."""

import re
from datetime import UTC, datetime

import pytest
from django.core import mail as outgoing
from django.test import Client
from django.urls import get_resolver

from heard.domains.organizations import actions, queries
from heard.domains.organizations.models import Invitation, User
from heard.domains.organizations.tests.people import PASSWORD
from heard.foundation.errors import NotFound
from heard.foundation.tenancy import Role

NEW = "the train leaves at ten"


@pytest.fixture
def paths(cast):
    """Every page of this room that is for members, with things of Alice's, and who may open it."""
    team, brand = queries.teams(cast.alice)[0].id, queries.brands(cast.alice)[0].id
    made = actions.invite(cast.alice, email="dora@northbridge.example", role=Role.AGENT)
    return {
        "switch": ("/switch/northbridge-transit/", "POST"),
        "profile": ("/settings/profile/", "GET"),
        "sign_out_elsewhere": ("/settings/profile/sign-out-elsewhere/", "POST"),
        "journal": ("/journal/", "GET"),
        "verify_journal": ("/journal/verify/", "POST"),
        "checkpoint": ("/journal/checkpoint/", "POST"),
        "organization": ("/settings/organization/", "GET"),
        "brands": ("/settings/brands/", "GET"),
        "brand": (f"/settings/brands/{brand}/", "GET"),
        "make_default_brand": (f"/settings/brands/{brand}/default/", "POST"),
        "teams": ("/settings/teams/", "GET"),
        "team": (f"/settings/teams/{team}/", "GET"),
        "archive_team": (f"/settings/teams/{team}/archive/", "POST"),
        "restore_team": (f"/settings/teams/{team}/restore/", "POST"),
        "members": ("/settings/members/", "GET"),
        "change_role": (f"/settings/members/{cast.bob.member_id}/role/", "POST"),
        "remove_member": (f"/settings/members/{cast.bob.member_id}/remove/", "POST"),
        "withdraw_invitation": (f"/settings/invitations/{made.invitation_id}/withdraw/", "POST"),
    }


OPEN = {"setup", "sign_in_link", "invitation"}
ONES_OWN = {"switch", "profile", "sign_out_elsewhere"}
ABOUT_ALL = {"journal", "verify_journal", "checkpoint", "organization", "brands", "teams", "members"}


def test_no_page_is_missing_from_this_list(paths):
    room = next(
        part for part in get_resolver().url_patterns if getattr(part, "namespace", "") == "organizations"
    )
    assert {pattern.name for pattern in room.url_patterns} == set(paths) | OPEN


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/account/login/", "/account/password/reset/", "/account/signup/", "/account/inactive/"]
)
def test_pages_of_the_library_speak_with_our_voice(path):
    page = Client().get(path).content.decode()
    assert " placeholder=" not in page
    assert not re.search(r"contact us|we are sorry|please|\bemail\b address", page, re.IGNORECASE)
    assert "e-mail" in page.lower() or "invitation" in page


def test_whoever_is_not_signed_in_is_sent_to_sign_in(paths):
    for path, method in paths.values():
        answer = Client().generic(method, path)
        assert answer.status_code == 302, path
        assert answer["Location"].startswith("/account/login/?next="), path


def test_a_fragment_sends_the_whole_page_to_sign_in(paths):
    answer = Client().get("/settings/teams/", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer["HX-Redirect"].startswith("/account/login/")


def test_a_stranger_finds_nothing_of_ours(cast, paths, as_user):
    charlie = as_user("charlie")
    for name, (path, method) in paths.items():
        if name in {"profile", "sign_out_elsewhere"}:
            continue
        answer = charlie.generic(method, path)
        if name in ABOUT_ALL:
            assert answer.status_code == 200
        elif name == "change_role":
            assert answer.status_code in {302, 404}
        else:
            assert answer.status_code == 404, path
        shown = answer.content.decode()
        for word in ("Northbridge", "Alice", "Bob", "dora@"):
            assert word not in shown, path
    charlie.post(paths["change_role"][0], {"role": "observer"})
    assert queries.member(cast.alice, cast.bob.member_id).role is Role.AGENT
    assert queries.member(cast.alice, cast.bob.member_id).removed_at is None


def test_an_agent_opens_only_what_is_their_own(paths, as_user):
    bob = as_user("bob")
    for name, (path, method) in paths.items():
        status = bob.generic(method, path).status_code
        assert status == (403 if name not in ONES_OWN else 302 if method == "POST" else 200), path


def test_the_owner_opens_all_of_it(cast, paths, as_user):
    alice = as_user("alice")
    for path, method in paths.values():
        if method == "GET":
            assert alice.get(path).status_code == 200, path


def test_huge_numbers_in_addresses_are_not_found(as_user):
    alice = as_user("alice")
    for path in (f"/settings/teams/{10**40}/", f"/settings/brands/{10**40}/"):
        assert alice.get(path).status_code == 404
    assert alice.post(f"/settings/members/{10**40}/remove/").status_code == 404


def test_forms_are_guarded_against_other_sites(cast, as_user):
    alice = Client(enforce_csrf_checks=True)
    alice.cookies = as_user("alice").cookies
    assert alice.post(f"/settings/members/{cast.bob.member_id}/remove/").status_code == 403
    assert queries.member(cast.alice, cast.bob.member_id).removed_at is None


# Members ---------------------------------------------------------------------------------------------


def invite(client, **given):
    return client.post("/settings/members/", {"email": "dora@northbridge.example", "role": "agent", **given})


def link_in(page):
    return re.search(r"http://127\.0\.0\.1:8400(/invitation/[^\"]+)", page.content.decode())[1]


def test_the_link_is_shown_once_and_lets_a_new_person_in(cast, as_user, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    alice = as_user("alice")
    link = link_in(invite(alice))
    assert link not in alice.get("/settings/members/").content.decode()

    dora = Client()
    assert "Northbridge Transit" in dora.get(link).content.decode()
    answer = dora.post(link, {"name": "Dora", "password": NEW})
    assert (answer.status_code, answer["Location"]) == (302, "/inbox/")
    assert dora.get("/settings/profile/").wsgi_request.actor.role is Role.AGENT
    assert not queries.profile(dora.get("/settings/profile/").wsgi_request.actor).is_email_verified
    assert Client().get(link).status_code == 410


def test_the_mailed_link_proves_the_address_and_the_shown_one_does_not(as_user):
    shown = invite(as_user("alice"))
    (message,) = outgoing.outbox
    assert message.to == ["dora@northbridge.example"]
    assert "Alice invites you" in message.subject
    mailed = re.search(r"http://127\.0\.0\.1:8400(/invitation/\S+)", message.body)[1]
    assert mailed.startswith(link_in(shown))
    assert "mailed" not in link_in(shown)

    dora = Client()
    dora.post(mailed, {"name": "Dora", "password": NEW})
    assert queries.profile(dora.get("/settings/profile/").wsgi_request.actor).is_email_verified


def test_a_forged_proof_proves_nothing(as_user):
    link = link_in(invite(as_user("alice")))
    dora = Client()
    dora.post(f"{link}?mailed=0123456789abcdef0123456789abcdef", {"name": "Dora", "password": NEW})
    assert not queries.profile(dora.get("/settings/profile/").wsgi_request.actor).is_email_verified


def test_a_name_cannot_write_into_the_mails_head(cast, as_user):
    actions.rename_member(cast.alice, "Alice\r\nBcc: eve@evil.example")
    invite(as_user("alice"))
    (message,) = outgoing.outbox
    assert message.recipients() == ["dora@northbridge.example"]
    assert "\n" not in message.subject


def test_a_mail_that_does_not_leave_is_said_and_the_link_still_works(as_user, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    page = invite(as_user("alice"))
    assert "did not take the message" in page.content.decode()
    assert Client().get(link_in(page)).status_code == 200


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "bob@northbridge.example"}, "email"),
        ({"role": "emperor"}, "role"),
        ({"role": ""}, "role"),
        ({"teams": ["999999"]}, "teams"),
        ({"name": "x" * 500}, "name"),
        ({"name": "\x00"}, "name"),
    ],
)
def test_what_does_not_hold_is_said_beside_its_field(cast, as_user, given, field):
    page = invite(as_user("alice"), **given)
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]
    assert queries.open_invitations(cast.alice) == []


def test_a_manager_is_not_offered_more_than_they_have(cast, as_user):
    actions.change_role(cast.alice, cast.bob.member_id, Role.MANAGER)
    page = as_user("bob").get("/settings/members/")
    assert "owner" not in dict(page.context["role_choices"])
    assert invite(as_user("bob"), role="owner").status_code == 422


def test_the_last_owner_is_told_why_they_stay(cast, as_user):
    alice = as_user("alice")
    page = alice.post(f"/settings/members/{cast.alice.member_id}/remove/", follow=True)
    assert "last owner" in page.content.decode()
    page = alice.post(f"/settings/members/{cast.alice.member_id}/role/", {"role": "agent"}, follow=True)
    assert "last owner" in page.content.decode()


def test_roles_change_and_members_leave_from_the_page(cast, as_user):
    alice = as_user("alice")
    alice.post(f"/settings/members/{cast.bob.member_id}/role/", {"role": "reviewer"})
    assert queries.member(cast.alice, cast.bob.member_id).role is Role.REVIEWER
    alice.post(f"/settings/members/{cast.bob.member_id}/role/", {"role": "emperor"})
    assert queries.member(cast.alice, cast.bob.member_id).role is Role.REVIEWER
    alice.post(f"/settings/members/{cast.bob.member_id}/remove/")
    with pytest.raises(NotFound):
        queries.actor_of(cast.organization_id, cast.bob.member_id)


def test_an_invitation_is_withdrawn_from_the_page(cast, as_user):
    alice = as_user("alice")
    link = link_in(invite(alice))
    (line,) = queries.open_invitations(cast.alice)
    alice.post(f"/settings/invitations/{line.id}/withdraw/")
    answer = Client().get(link)
    assert answer.status_code == 410
    assert "withdrawn" in answer.content.decode()
    assert Client().post(link, {"name": "Dora", "password": NEW}).status_code == 410
    assert not User.objects.filter(email="dora@northbridge.example").exists()


# Invitations for people who have an account ----------------------------------------------------------


@pytest.fixture
def link(cast):
    return actions.invite(cast.alice, email="charlie@southgate.example", role=Role.OBSERVER).path


def test_with_an_account_one_signs_in_first_and_joins_then(cast, link):
    charlie = Client()
    assert link in charlie.get(link).context["sign_in_url"]
    assert (
        charlie.post(link, {"name": "Eve", "password": NEW}).status_code == 200
    )  # no way around the password
    answer = charlie.post(
        charlie.get(link).context["sign_in_url"], {"login": "charlie@southgate.example", "password": PASSWORD}
    )
    assert answer["Location"] == link
    assert charlie.get(link).context["may_join"]
    assert charlie.post(link)["Location"] == "/inbox/"
    assert charlie.get("/settings/profile/").wsgi_request.actor.organization_id == cast.organization_id


def test_somebody_else_is_told_whose_invitation_it_is(cast, link, as_user):
    bob = as_user("bob")
    assert bob.get(link).context["other_email"] == "bob@northbridge.example"
    assert bob.post(link)["Location"] == link  # signs out, and asks again
    assert "sign_in_url" in bob.get(link).context
    assert len(queries.members(cast.alice)) == 2


def test_an_unknown_link_is_not_found(cast):
    assert Client().get("/invitation/" + "x" * 43 + "/").status_code == 404
    assert Client().post("/invitation/x/", {"name": "Eve", "password": NEW}).status_code == 404


@pytest.mark.parametrize(
    ("given", "field"), [({"password": "short"}, "password"), ({"name": "\u202e"}, "name")]
)
def test_accepting_names_what_does_not_hold(cast, given, field):
    path = actions.invite(cast.alice, email="dora@northbridge.example", role=Role.AGENT).path
    answer = Client().post(path, {"name": "Dora", "password": NEW, **given})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]


# Two organizations -----------------------------------------------------------------------------------


def test_one_switches_between_ones_organizations_and_to_no_other(cast, as_user):
    actions.add_member(cast.charlie, "Bob", "bob@northbridge.example", Role.OWNER)
    bob = as_user("bob")

    def here():
        return bob.get("/settings/profile/").wsgi_request.actor

    assert (here().organization_id, here().role) == (cast.organization_id, Role.AGENT)
    bob.post("/switch/southgate-bakery/")
    assert (here().organization_id, here().role) == (cast.charlie.organization_id, Role.OWNER)
    assert bob.get("/settings/organization/").status_code == 200
    assert bob.post("/switch/somebody-elses/").status_code == 404
    assert bob.get("/switch/northbridge-transit/").status_code == 405
    bob.post("/switch/northbridge-transit/")
    assert bob.get("/settings/organization/").status_code == 403
    assert as_user("alice").post("/switch/southgate-bakery/").status_code == 404


def test_a_forged_choice_in_the_session_leads_home(cast, as_user):
    bob = as_user("bob")
    session = bob.session
    session["organization_id"] = cast.charlie.organization_id
    session.save()
    assert bob.get("/settings/profile/").wsgi_request.actor == cast.bob


# Structure -------------------------------------------------------------------------------------------


def test_teams_brands_and_the_company_are_changed_from_their_pages(cast, as_user):
    alice = as_user("alice")
    alice.post("/settings/organization/", {"name": "Northbridge", "timezone": "UTC"})
    assert queries.company(cast.alice).name == "Northbridge"

    alice.post("/settings/brands/", {"name": "Night Bus"})
    night = next(brand for brand in queries.brands(cast.alice) if brand.name == "Night Bus")
    alice.post(f"/settings/brands/{night.id}/default/")
    alice.post(f"/settings/brands/{night.id}/", {"name": "Night Line"})
    first, *_others = queries.brands(cast.alice)
    assert (first.name, first.is_default) == ("Night Line", True)

    alice.post("/settings/teams/", {"name": "Product", "purpose": "Ideas", "members": [cast.bob.member_id]})
    product = next(team for team in queries.teams(cast.alice) if team.name == "Product")
    assert product.member_ids == (cast.bob.member_id,)
    alice.post(f"/settings/teams/{product.id}/", {"name": "Product", "purpose": ""})
    assert queries.team_member_ids(cast.alice, product.id) == []
    alice.post(f"/settings/teams/{product.id}/archive/")
    assert "Restore Product" in re.sub(r"<[^>]+>", "", alice.get("/settings/teams/").content.decode())
    alice.post(f"/settings/teams/{product.id}/restore/")
    assert product.id in [team.id for team in queries.teams(cast.alice)]


@pytest.mark.parametrize(
    ("path", "given", "field"),
    [
        ("/settings/organization/", {"name": "", "timezone": "UTC"}, "name"),
        ("/settings/organization/", {"name": "N", "timezone": "Mars/Base"}, "timezone"),
        ("/settings/brands/", {"name": "Northbridge Transit"}, "name"),
        ("/settings/teams/", {"name": "Press"}, "name"),
        ("/settings/teams/", {"name": "x", "purpose": "x" * 300}, "purpose"),
        ("/settings/teams/", {"name": "x", "members": ["1000000"]}, "members"),
        ("/settings/profile/", {"name": "\u202e"}, "name"),
    ],
)
def test_pages_name_what_does_not_hold(cast, as_user, path, given, field):
    page = as_user("alice").post(path, given)
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]


def test_what_people_type_is_text_and_never_markup(cast, as_user):
    alice = as_user("alice")
    alice.post("/settings/teams/", {"name": "<script>alert(1)</script>"})
    actions.rename_member(cast.bob, "<img src=x onerror=alert(1)>")
    for path in ("/settings/teams/", "/settings/members/"):
        page = alice.get(path).content.decode()
        assert "<script>alert" not in page
        assert "<img" not in page


def test_pages_need_few_questions(cast, as_user, django_assert_max_num_queries):
    alice = as_user("alice")
    alice.get("/settings/profile/")
    with django_assert_max_num_queries(4):  # session, user, who acts, and the query of the page itself
        alice.post("/switch/somebody-elses/")


def test_the_settings_menu_shows_what_one_may_open(cast):
    from heard.domains.organizations import panels

    assert [item.title for item in panels.company_pages(cast.alice)] == [
        "Organization",
        "Members",
        "Teams",
        "Brands",
    ]
    assert list(panels.company_pages(cast.bob)) == []
    assert [item.url for item in panels.own_pages(cast.bob)] == ["/settings/profile/"]


@pytest.mark.parametrize(("zone", "words"), [("Asia/Tokyo", "21:30"), ("America/New_York", "07:30")])
def test_pages_say_times_as_the_organizations_clocks_do(cast, as_user, zone, words):
    actions.change_organization(cast.alice, name="Northbridge Transit", timezone=zone)
    actions.invite(cast.alice, email="dora@northbridge.example", role=Role.AGENT)
    Invitation.objects.update(expires_at=datetime(2099, 11, 22, 12, 30, tzinfo=UTC))
    page = as_user("alice").get("/settings/members/").content.decode()
    assert f"Works until 22 November 2099, {words}" in page
