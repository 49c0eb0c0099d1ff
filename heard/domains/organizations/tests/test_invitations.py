from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress

from heard.domains.organizations import actions, queries, rules
from heard.domains.organizations.facts import InvitationWithdrawn, MemberInvited, MemberJoined
from heard.domains.organizations.models import Invitation, User
from heard.foundation import clock
from heard.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from heard.foundation.tenancy import Role

PASSWORD = "the train leaves at ten"
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def invite(cast, **given):
    return actions.invite(cast.alice, **{"email": "dora@northbridge.example", "role": Role.AGENT, **given})


def accept(made, **given):
    return actions.accept_as_new_user(
        made.token, **{"name": "Dora", "password": PASSWORD, "is_verified": False, **given}
    )


def test_an_invited_person_joins_with_role_and_teams(cast, told):
    press = next(team for team in queries.teams(cast.alice) if team.name == "Press")
    made = invite(cast, role=Role.REVIEWER, team_ids=[press.id, queries.teams(cast.charlie)[0].id])
    organization_id, user_id = accept(made)
    assert organization_id == cast.organization_id
    dora = queries.signed_in(user_id, None).actor
    assert (dora.name, dora.role, dora.team_ids) == ("Dora", Role.REVIEWER, {press.id})
    assert User.objects.get(pk=user_id).check_password(PASSWORD)
    assert told(cast.organization_id)[-2:] == [
        MemberInvited(invitation_id=made.invitation_id, role="reviewer"),
        MemberJoined(member_id=dora.member_id, role="reviewer"),
    ]


def test_only_a_hash_of_the_token_is_kept(cast):
    made = invite(cast)
    row = Invitation.objects.values().get(pk=made.invitation_id)
    assert made.token not in str(row)
    assert len(made.token) >= 43


def test_a_link_works_once(cast):
    made = invite(cast)
    accept(made)
    with pytest.raises(Conflict):
        accept(made)
    assert queries.invitation_of(made.token).state == "accepted"


def test_a_link_ends_after_seven_days(cast):
    with clock.frozen(NOW):
        made = invite(cast)
    with clock.frozen(NOW + timedelta(days=7)), pytest.raises(Conflict):
        accept(made)
    with clock.frozen(NOW + timedelta(days=7) - timedelta(seconds=1)):
        accept(made)


def test_a_withdrawn_link_works_no_longer(cast, told):
    made = invite(cast)
    actions.withdraw_invitation(cast.alice, made.invitation_id)
    with pytest.raises(Conflict):
        accept(made)
    assert told(cast.organization_id)[-1] == InvitationWithdrawn(invitation_id=made.invitation_id)
    with pytest.raises(Conflict):
        actions.withdraw_invitation(cast.alice, made.invitation_id)


def test_inviting_again_replaces_the_link(cast):
    first, second = invite(cast), invite(cast, email="DORA@northbridge.example", role=Role.OBSERVER)
    assert queries.invitation_of(first.token).state == "withdrawn"
    assert [line.id for line in queries.open_invitations(cast.alice)] == [second.invitation_id]


def test_input_that_does_not_hold_does_not_use_the_link_up(cast):
    made = invite(cast)
    for wrong in ({"password": "short"}, {"name": " "}):
        with pytest.raises(Invalid):
            accept(made, **wrong)
    accept(made)


def test_whom_nobody_may_invite(cast):
    for wrong, field in (({"email": "nobody"}, "email"), ({"email": "bob@northbridge.example"}, "email")):
        with pytest.raises(Invalid) as refused:
            invite(cast, **wrong)
        assert refused.value.field == field
    manager_id = actions.add_member(cast.alice, "Mara", "mara@northbridge.example", Role.MANAGER)
    manager = queries.actor_of(cast.organization_id, manager_id)
    with pytest.raises(Invalid) as refused:
        actions.invite(manager, email="eve@northbridge.example", role=Role.OWNER)
    assert refused.value.field == "role"
    with pytest.raises(NotAllowed):
        actions.invite(cast.bob, email="eve@northbridge.example", role=Role.OBSERVER)
    with pytest.raises(NotAllowed):
        queries.open_invitations(cast.bob)


def test_invitations_of_others_do_not_exist(cast):
    made = invite(cast)
    with pytest.raises(NotFound):
        actions.withdraw_invitation(cast.charlie, made.invitation_id)
    with pytest.raises(NotFound):
        queries.invitation_of("x" * 43)


def test_an_existing_account_joins_a_second_company_with_what_it_has(cast):
    made = invite(cast, email="charlie@southgate.example")
    assert queries.invitation_of(made.token).has_user
    with pytest.raises(NotAllowed):
        actions.accept_as_user(made.token, cast.user_ids["bob"])
    with pytest.raises(Invalid):
        accept(made)
    actions.accept_as_user(made.token, cast.user_ids["charlie"])
    found = queries.signed_in(cast.user_ids["charlie"], cast.organization_id)
    assert (found.actor.organization_id, found.actor.name) == (cast.organization_id, "Charlie")
    assert [membership.slug for membership in found.memberships] == [
        "southgate-bakery",
        "northbridge-transit",
    ]


def test_a_removed_member_comes_back_by_a_new_invitation_under_the_same_id(cast):
    actions.remove_member(cast.alice, cast.bob.member_id)
    made = invite(cast, email="bob@northbridge.example", role=Role.OBSERVER)
    actions.accept_as_user(made.token, cast.user_ids["bob"])
    line = queries.member(cast.alice, cast.bob.member_id)
    assert (line.removed_at, line.role, line.team_ids) == (None, Role.OBSERVER, ())


def test_a_verified_address_joins_where_it_was_invited(cast):
    north = invite(cast)
    actions.invite(cast.charlie, email="dora@northbridge.example", role=Role.OBSERVER)
    user = actions.accept_by_verified_email("Dora@Northbridge.example", name="Dora D.")
    found = queries.signed_in(user.pk, cast.organization_id)
    assert len(found.memberships) == 2
    assert found.actor.name == "Dora D."
    assert not user.has_usable_password()
    assert EmailAddress.objects.get(user=user).verified
    assert queries.invitation_of(north.token).state == "accepted"
    assert actions.accept_by_verified_email("dora@northbridge.example", name="Dora D.") is None


def test_a_verified_address_that_nobody_invited_joins_nothing(cast):
    made = invite(cast)
    actions.withdraw_invitation(cast.alice, made.invitation_id)
    assert actions.accept_by_verified_email("dora@northbridge.example", name="") is None
    with clock.frozen(NOW):
        invite(cast, email="late@northbridge.example")
    with clock.frozen(NOW + rules.INVITATION_LASTS):
        assert actions.accept_by_verified_email("late@northbridge.example", name="") is None
    assert not User.objects.filter(
        email__in=["dora@northbridge.example", "late@northbridge.example"]
    ).exists()


def test_whoever_shows_to_own_an_address_ends_what_a_stranger_prepared(cast):
    # Charlie, who invites, opens the link himself and waits for Dora to come.
    made = actions.invite(cast.charlie, email="dora@northbridge.example", role=Role.OBSERVER)
    _organization_id, user_id = accept(made)
    user = User.objects.get(pk=user_id)
    before = user.get_session_auth_hash()

    assert actions.claim_by_verified_email(user_id)
    user.refresh_from_db()
    assert not user.check_password(PASSWORD)
    assert user.get_session_auth_hash() != before
    assert not actions.claim_by_verified_email(user_id)


def test_an_address_that_was_shown_by_mail_keeps_its_password(cast):
    _organization_id, user_id = accept(invite(cast), is_verified=True)
    assert not actions.claim_by_verified_email(user_id)
    assert User.objects.get(pk=user_id).check_password(PASSWORD)
