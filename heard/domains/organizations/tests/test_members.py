import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress

from heard.domains.organizations import actions, queries
from heard.domains.organizations.facts import (
    InvitationWithdrawn,
    MemberForgotten,
    MemberRemoved,
    MemberRenamed,
    MemberRoleChanged,
    TeamChanged,
)
from heard.domains.organizations.models import Member, User
from heard.foundation import clock
from heard.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from heard.foundation.tenancy import Role

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def manager(cast):
    member_id = actions.add_member(cast.alice, "Mara", "mara@northbridge.example", Role.MANAGER)
    return queries.actor_of(cast.organization_id, member_id)


def test_a_role_is_changed_and_said(cast, told):
    actions.change_role(cast.alice, cast.bob.member_id, Role.MANAGER)
    assert queries.member(cast.alice, cast.bob.member_id).role is Role.MANAGER
    assert told(cast.organization_id)[-1] == MemberRoleChanged(member_id=cast.bob.member_id, role="manager")


def test_the_same_role_again_is_not_said_twice(cast, told):
    before = len(told(cast.organization_id))
    actions.change_role(cast.alice, cast.bob.member_id, Role.AGENT)
    assert len(told(cast.organization_id)) == before


def test_a_manager_raises_nobody_above_themselves(cast, manager):
    actions.change_role(manager, cast.bob.member_id, Role.MANAGER)
    with pytest.raises(Invalid) as refused:
        actions.change_role(manager, cast.bob.member_id, Role.OWNER)
    assert refused.value.field == "role"
    with pytest.raises(Invalid):
        actions.change_role(manager, manager.member_id, Role.OWNER)


def test_a_manager_neither_demotes_nor_removes_an_owner(cast, manager):
    with pytest.raises(NotAllowed):
        actions.change_role(manager, cast.alice.member_id, Role.OBSERVER)
    with pytest.raises(NotAllowed):
        actions.remove_member(manager, cast.alice.member_id)


def test_the_last_owner_stays(cast):
    with pytest.raises(Conflict):
        actions.change_role(cast.alice, cast.alice.member_id, Role.MANAGER)
    with pytest.raises(Conflict):
        actions.remove_member(cast.alice, cast.alice.member_id)
    actions.change_role(cast.alice, cast.bob.member_id, Role.OWNER)
    actions.change_role(cast.alice, cast.alice.member_id, Role.AGENT)
    assert queries.member(cast.bob, cast.alice.member_id).role is Role.AGENT


def test_an_owner_who_left_does_not_count_as_one(cast):
    actions.change_role(cast.alice, cast.bob.member_id, Role.OWNER)
    actions.remove_member(cast.alice, cast.bob.member_id)
    with pytest.raises(Conflict):
        actions.remove_member(cast.alice, cast.alice.member_id)


@pytest.mark.parametrize(
    "act", [lambda actor, who: actions.change_role(actor, who, Role.OBSERVER), actions.remove_member]
)
def test_members_of_others_cannot_be_touched(cast, act):
    act(cast.alice, cast.bob.member_id)
    with pytest.raises(NotFound):
        act(cast.alice, cast.charlie.member_id)
    with pytest.raises(NotFound):
        act(cast.alice, 10**30)


def test_agents_change_nobody(cast):
    for act in (
        lambda: actions.change_role(cast.bob, cast.bob.member_id, Role.OBSERVER),
        lambda: actions.remove_member(cast.bob, cast.bob.member_id),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_a_removed_member_keeps_the_row_and_loses_everything_else(cast, told):
    user = User.objects.get(pk=cast.user_ids["bob"])
    before = user.get_session_auth_hash()
    actions.remove_member(cast.alice, cast.bob.member_id)

    line = queries.member(cast.alice, cast.bob.member_id)
    assert line.removed_at is not None
    assert line.team_ids == ()
    assert queries.signed_in(user.pk, cast.organization_id) is None
    assert [member.name for member in queries.members(cast.alice)] == ["Alice"]
    assert [member.name for member in queries.members(cast.alice, with_removed=True)] == ["Alice", "Bob"]
    assert queries.member_names(cast.alice, [cast.bob.member_id, cast.charlie.member_id]) == {
        cast.bob.member_id: "Bob"
    }
    user.refresh_from_db()
    assert user.get_session_auth_hash() != before
    assert told(cast.organization_id)[-1] == MemberRemoved(member_id=cast.bob.member_id)
    with pytest.raises(NotFound):
        actions.remove_member(cast.alice, cast.bob.member_id)
    with pytest.raises(NotFound):
        queries.actor_of(cast.organization_id, cast.bob.member_id)


def test_whoever_works_elsewhere_too_stays_signed_in_there(cast):
    actions.add_member(cast.charlie, "Bob", "bob@northbridge.example", Role.OBSERVER)
    user = User.objects.get(pk=cast.user_ids["bob"])
    before = user.get_session_auth_hash()
    actions.remove_member(cast.alice, cast.bob.member_id)
    user.refresh_from_db()
    assert user.get_session_auth_hash() == before
    found = queries.signed_in(user.pk, cast.organization_id)
    assert found is not None
    assert found.actor.organization_id == cast.charlie.organization_id


def test_links_that_a_removed_member_made_end_with_them(cast, manager, told):
    made = actions.invite(manager, email="eve@northbridge.example", role=Role.MANAGER)
    actions.remove_member(cast.alice, manager.member_id)
    with pytest.raises(Conflict):
        actions.accept_as_new_user(
            made.token, name="Eve", password="a way back into the house", is_verified=False
        )
    assert InvitationWithdrawn(invitation_id=made.invitation_id) in told(cast.organization_id)


def test_links_above_a_new_lower_role_end_with_the_old_one(cast, manager):
    high = actions.invite(manager, email="eve@northbridge.example", role=Role.MANAGER)
    low = actions.invite(manager, email="dan@northbridge.example", role=Role.OBSERVER)
    actions.change_role(cast.alice, manager.member_id, Role.AGENT)
    assert [line.id for line in queries.open_invitations(cast.alice)] == [low.invitation_id]
    assert queries.invitation_of(high.token).state == "withdrawn"


def test_everybody_names_themselves(cast, told):
    actions.rename_member(cast.bob, "  Bob\tBuilder ")
    assert queries.member(cast.alice, cast.bob.member_id).name == "Bob Builder"
    assert told(cast.organization_id)[-1] == MemberRenamed(member_id=cast.bob.member_id)
    with pytest.raises(Invalid):
        actions.rename_member(cast.bob, "\u202e")


def test_forgetting_takes_name_and_address_and_leaves_the_id(cast, told):
    actions.invite(cast.alice, email="dora@northbridge.example", role=Role.AGENT)
    made = actions.invite(cast.alice, email="dora@northbridge.example", role=Role.AGENT, name="Dora")
    actions.accept_as_new_user(made.token, name="Dora", password="the train leaves at ten", is_verified=True)
    dora = next(line for line in queries.members(cast.alice) if line.name == "Dora")
    with pytest.raises(Conflict):
        actions.forget_member(cast.alice, dora.id)
    actions.remove_member(cast.alice, dora.id)
    actions.forget_member(cast.alice, dora.id)

    line = queries.member(cast.alice, dora.id)
    assert (line.name, line.email) == ("Former member", "")
    assert not User.objects.filter(email="dora@northbridge.example").exists()
    assert not EmailAddress.objects.filter(email="dora@northbridge.example").exists()
    assert not Member.objects.filter(name="Dora").exists()
    facts = told(cast.organization_id)
    assert facts[-1] == MemberForgotten(member_id=dora.id)
    assert not any("dora" in str(dataclasses.asdict(fact)).lower() for fact in facts)


def test_who_works_elsewhere_too_is_forgotten_here_only(cast):
    actions.add_member(cast.charlie, "Bob", "bob@northbridge.example", Role.OBSERVER)
    actions.remove_member(cast.alice, cast.bob.member_id)
    actions.forget_member(cast.alice, cast.bob.member_id)
    assert queries.member(cast.alice, cast.bob.member_id).email == ""
    assert [line.email for line in queries.members(cast.charlie)] == [
        "bob@northbridge.example",
        "charlie@southgate.example",
    ]


def test_last_seen_is_kept_to_a_quarter_of_an_hour(cast):
    with clock.frozen(NOW):
        actions.note_seen(cast.bob)
    with clock.frozen(NOW + timedelta(minutes=5)):
        actions.note_seen(cast.bob)
        assert queries.member(cast.alice, cast.bob.member_id).last_seen_at == NOW
    with clock.frozen(NOW + timedelta(minutes=16)):
        actions.note_seen(cast.bob)
    assert queries.member(cast.alice, cast.bob.member_id).last_seen_at == NOW + timedelta(minutes=16)


# Teams, brands, the organization -----------------------------------------------------------------


def test_a_team_is_made_filled_renamed_and_archived(cast, told):
    team_id = actions.create_team(
        cast.alice, name="Product", purpose="Ideas", member_ids=[cast.bob.member_id, cast.charlie.member_id]
    )
    assert queries.team_member_ids(cast.alice, team_id) == [cast.bob.member_id]
    assert team_id in queries.actor_of(cast.organization_id, cast.bob.member_id).team_ids
    actions.change_team(cast.alice, team_id, name="Products", purpose="", member_ids=[cast.alice.member_id])
    assert told(cast.organization_id)[-1] == TeamChanged(team_id=team_id, member_ids=(cast.alice.member_id,))
    actions.archive_team(cast.alice, team_id)
    assert "Products" not in [team.name for team in queries.teams(cast.alice)]
    with pytest.raises(Conflict):
        actions.archive_team(cast.alice, team_id)
    actions.restore_team(cast.alice, team_id)
    assert "Products" in [team.name for team in queries.teams(cast.alice)]


def test_two_teams_cannot_share_a_name_but_two_companies_can(cast):
    with pytest.raises(Invalid) as refused:
        actions.create_team(cast.alice, name="Press")
    assert refused.value.field == "name"
    actions.create_team(cast.charlie, name="Press")
    sales = queries.teams(cast.charlie)
    with pytest.raises(Invalid):
        actions.change_team(cast.charlie, sales[0].id, name=sales[1].name, purpose="", member_ids=[])


def test_teams_and_brands_of_others_do_not_exist(cast):
    foreign_team, foreign_brand = queries.teams(cast.charlie)[0], queries.brands(cast.charlie)[0]
    for act in (
        lambda: actions.change_team(cast.alice, foreign_team.id, name="Mine", purpose="", member_ids=[]),
        lambda: actions.archive_team(cast.alice, foreign_team.id),
        lambda: actions.rename_brand(cast.alice, foreign_brand.id, "Mine"),
        lambda: actions.make_default_brand(cast.alice, foreign_brand.id),
    ):
        with pytest.raises(NotFound):
            act()
    assert queries.team_member_ids(cast.alice, foreign_team.id) == []


def test_one_brand_is_the_default(cast):
    second = actions.add_brand(cast.alice, "Northbridge Night Bus")
    actions.make_default_brand(cast.alice, second)
    assert [(brand.name, brand.is_default) for brand in queries.brands(cast.alice)] == [
        ("Northbridge Night Bus", True),
        ("Northbridge Transit", False),
    ]
    assert [brand.is_default for brand in queries.brands(cast.charlie)] == [True]
    with pytest.raises(Invalid):
        actions.rename_brand(cast.alice, second, "Northbridge Transit")


def test_only_owners_rename_the_company(cast, manager):
    actions.change_organization(cast.alice, name="Northbridge", timezone="UTC")
    assert (queries.company(cast.bob).name, queries.company(cast.bob).slug) == (
        "Northbridge",
        "northbridge-transit",
    )
    for actor in (manager, cast.bob):
        with pytest.raises(NotAllowed):
            actions.change_organization(actor, name="Mine", timezone="UTC")
    assert queries.company(cast.charlie).name == "Southgate Bakery"
