import pytest
from allauth.account.models import EmailAddress

from heard.domains.organizations import actions, queries
from heard.domains.organizations.facts import BrandAdded, MemberJoined, OrganizationFounded, TeamCreated
from heard.domains.organizations.models import Organization, User
from heard.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from heard.foundation.tenancy import Role, system

GIVEN = {
    "name": "Northbridge Transit",
    "timezone": "Europe/Berlin",
    "owner_name": "Alice",
    "owner_email": " Alice@Northbridge.example ",
    "owner_password": "the train leaves at nine",
    "teams": ["Press", "Sales", "Press"],
}


@pytest.mark.django_db
def test_a_company_begins_with_an_owner_a_brand_and_its_teams(told):
    founded = actions.found_organization(**GIVEN)
    acting = system(founded.organization_id)

    assert queries.company(acting).slug == "northbridge-transit"
    assert [(brand.name, brand.is_default) for brand in queries.brands(acting)] == [
        ("Northbridge Transit", True)
    ]
    assert [team.name for team in queries.teams(acting)] == ["Press", "Sales"]
    (owner,) = queries.members(acting)
    assert (owner.name, owner.email, owner.role) == ("Alice", "alice@northbridge.example", Role.OWNER)
    assert [type(fact) for fact in told(founded.organization_id)] == [
        OrganizationFounded,
        BrandAdded,
        TeamCreated,
        TeamCreated,
        MemberJoined,
    ]


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("name", "  ", "name"),
        ("name", "x" * 121, "name"),
        ("timezone", "Mars/Base", "timezone"),
        ("owner_name", "\x00", "owner_name"),
        ("owner_email", "nobody", "email"),
        ("owner_email", "a@" + "b" * 300 + ".example", "email"),
        ("owner_password", "short", "password"),
        ("owner_password", "password12", "password"),
        ("owner_password", "alice@northbridge", "password"),
        ("teams", [" "], "teams"),
    ],
)
@pytest.mark.django_db
def test_what_does_not_hold_is_named_and_nothing_is_left_behind(field, value, named):
    with pytest.raises(Invalid) as refused:
        actions.found_organization(**{**GIVEN, field: value})
    assert refused.value.field == named
    assert not Organization.objects.exists()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_second_company_of_the_same_owner_leaves_the_password_alone():
    first = actions.found_organization(**GIVEN)
    second = actions.found_organization(**{**GIVEN, "owner_password": None})
    assert first.user_id == second.user_id
    assert User.objects.get(pk=first.user_id).check_password(GIVEN["owner_password"])
    assert queries.company(system(second.organization_id)).slug == "northbridge-transit-2"


@pytest.mark.django_db
def test_set_up_takes_the_token_once():
    token = actions.make_setup_link().partition("=")[2]
    actions.set_up(token, **GIVEN)
    with pytest.raises(NotAllowed):
        actions.set_up(token, **{**GIVEN, "owner_email": "eve@northbridge.example"})
    assert Organization.objects.count() == 1


@pytest.mark.django_db
def test_set_up_is_over_once_a_company_exists():
    actions.found_organization(**GIVEN)
    token = actions.make_setup_link().partition("=")[2]
    with pytest.raises(NotFound):
        actions.set_up(token, **{**GIVEN, "owner_email": "eve@northbridge.example"})
    assert Organization.objects.count() == 1


@pytest.mark.django_db
def test_input_that_does_not_hold_does_not_use_the_token_up():
    token = actions.make_setup_link().partition("=")[2]
    with pytest.raises(Invalid):
        actions.set_up(token, **{**GIVEN, "owner_password": "short"})
    actions.set_up(token, **GIVEN)


@pytest.mark.django_db
def test_a_newer_set_up_link_ends_the_older_one():
    older = actions.make_setup_link().partition("=")[2]
    newer = actions.make_setup_link().partition("=")[2]
    assert not queries.setup_token_holds(older)
    assert queries.setup_token_holds(newer)


def test_a_member_can_be_added_without_an_invitation(cast, told):
    press = next(team for team in queries.teams(cast.alice) if team.name == "Press")
    foreign = queries.teams(cast.charlie)[0]
    dora = actions.add_member(
        cast.alice, "Dora", "DORA@northbridge.example", Role.REVIEWER, [press.id, foreign.id]
    )
    line = queries.member(cast.alice, dora)
    assert (line.email, line.role, line.team_ids) == ("dora@northbridge.example", Role.REVIEWER, (press.id,))
    assert told(cast.organization_id)[-1] == MemberJoined(member_id=dora, role="reviewer")
    assert not EmailAddress.objects.get(email="dora@northbridge.example").verified


def test_adding_a_member_twice_is_refused(cast):
    with pytest.raises(Conflict):
        actions.add_member(cast.alice, "Bob", "bob@northbridge.example", Role.OBSERVER)


def test_an_agent_adds_nobody(cast):
    with pytest.raises(NotAllowed):
        actions.add_member(cast.bob, "Eve", "eve@northbridge.example", Role.OBSERVER)
