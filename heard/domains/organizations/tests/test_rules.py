from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.domains.organizations import rules
from heard.domains.organizations.permissions import PERMISSIONS, Permission, may, require
from heard.domains.organizations.rules import InvitationState
from heard.foundation.errors import Invalid, NotAllowed
from heard.foundation.tenancy import Actor, Role, system

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
ROLES = st.sampled_from(list(Role))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(ROLES, ROLES)
def test_nobody_hands_out_more_than_they_have(giver, role):
    assert rules.may_give(giver, role) == (rules.rank(role) <= rules.rank(giver))
    assert (role in rules.roles_to_give(giver)) == rules.may_give(giver, role)


@given(ROLES)
def test_an_owner_may_touch_everybody_and_only_owners_touch_owners(holder):
    assert rules.may_change(Role.OWNER, holder)
    assert rules.may_change(holder, Role.OWNER) == (holder is Role.OWNER)


@given(st.sets(st.integers(1, 9), min_size=1), st.integers(1, 9), st.none() | ROLES)
def test_there_is_always_an_owner_left(owners, member, role):
    after = set(owners)
    after.discard(member)
    if role is Role.OWNER:
        after.add(member)
    assert rules.leaves_no_owner(owners, member, role) == (not after)


@given(MOMENTS, MOMENTS, st.none() | MOMENTS, st.none() | MOMENTS)
def test_an_invitation_is_open_until_something_ends_it(now, expires, accepted, withdrawn):
    state = rules.invitation_state(now=now, expires_at=expires, accepted_at=accepted, withdrawn_at=withdrawn)
    is_open = accepted is None and withdrawn is None and now < expires
    assert (state is InvitationState.OPEN) == is_open
    if accepted is not None:
        assert state is InvitationState.ACCEPTED


def test_an_invitation_ends_at_its_last_moment_and_not_before():
    ends = NOW + rules.INVITATION_LASTS
    given_ = {"expires_at": ends, "accepted_at": None, "withdrawn_at": None}
    before = rules.invitation_state(now=ends - timedelta(microseconds=1), **given_)
    assert (before, rules.invitation_state(now=ends, **given_)) == (
        InvitationState.OPEN,
        InvitationState.EXPIRED,
    )
    assert timedelta(days=7) == rules.INVITATION_LASTS


@given(st.text(max_size=300))
def test_a_name_is_one_visible_line_or_is_refused(text):
    try:
        name = rules.plain_name(text, field="name", limit=120)
    except Invalid:
        return
    assert 0 < len(name) <= 120
    assert name == name.strip()
    assert not set(name) & set("\x00\n\r\t\u202e\u2066")
    assert rules.plain_name(name, field="name", limit=120) == name


def test_names_of_the_world_stay_as_they_are():
    for name in ["Łucja Øst", "محمد علي", "山田 太郎", "O’Neill-Šimůnek", "क्षत्रिय", "👩‍👩‍👧 Ltd"]:
        assert rules.plain_name(f"  {name}\n", field="name", limit=120) == name


def test_a_name_cannot_turn_the_text_around_it():
    assert rules.plain_name("Eve\u202egnp.exe\x00", field="name", limit=120) == "Evegnp.exe"


@given(st.text(max_size=200), st.sets(st.text(max_size=60)))
def test_a_short_address_is_new_and_fits_into_an_url(name, taken):
    slug = rules.slug_of(name, taken)
    assert slug not in taken
    assert slug
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(slug) <= 60


def test_short_addresses_count_up():
    assert rules.slug_of("Söder & Sons", []) == "soder-sons"
    assert rules.slug_of("Söder & Sons", ["soder-sons", "soder-sons-2"]) == "soder-sons-3"
    assert rules.slug_of("株式会社", []) == "organization"


def test_only_time_zones_are_time_zones():
    assert rules.checked_timezone("Europe/Berlin") == "Europe/Berlin"
    for wrong in ["", "Mars/Base", "../../etc/passwd", "/etc/localtime", "Europe/Berlin\x00"]:
        with pytest.raises(Invalid) as refused:
            rules.checked_timezone(wrong)
        assert refused.value.field == "timezone"
    assert rules.known_timezones()[0] == "UTC"


# Who may what --------------------------------------------------------------------------------------


def acting(role):
    return Actor(organization_id=1, member_id=1, role=role, name="Somebody")


@given(ROLES, st.sampled_from(list(Permission)))
def test_asking_and_requiring_agree(role, permission):
    allowed = may(acting(role), permission)
    assert allowed == (permission in PERMISSIONS[role])
    if allowed:
        require(acting(role), permission)
    else:
        with pytest.raises(NotAllowed) as refused:
            require(acting(role), permission)
        assert permission.value in refused.value.message


def test_whoever_works_can_stop_everything_but_release_takes_a_manager():
    assert [role for role in Role if may(acting(role), Permission.PLACE_HOLD)] == [
        Role.OWNER,
        Role.MANAGER,
        Role.AGENT,
    ]
    assert [role for role in Role if may(acting(role), Permission.RELEASE_HOLD)] == [Role.OWNER, Role.MANAGER]


def test_an_observer_only_looks():
    assert PERMISSIONS[Role.OBSERVER] == {Permission.VIEW_INBOX}


def test_only_an_owner_changes_the_organization():
    assert [role for role in Role if may(acting(role), Permission.MANAGE_ORGANIZATION)] == [Role.OWNER]
    assert PERMISSIONS[Role.MANAGER] == set(Permission) - {Permission.MANAGE_ORGANIZATION}


def test_a_member_without_a_role_may_nothing_and_the_system_everything():
    assert not any(may(acting(None), permission) for permission in Permission)
    assert all(may(system(1), permission) for permission in Permission)
