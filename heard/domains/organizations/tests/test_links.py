from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator

from heard.domains.organizations import actions
from heard.domains.organizations.facts import MemberReset
from heard.domains.organizations.models import SignInLink, User
from heard.domains.organizations.rules import LinkPurpose
from heard.foundation import clock
from heard.foundation.errors import NotFound

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def token_of(path):
    return path.strip("/").rpartition("/")[2]


def use(path, *, here=True):
    return actions.use_sign_in_link(token_of(path), on_this_machine_only=here)


def test_a_link_signs_in_once(cast):
    path = actions.make_sign_in_link(cast.user_ids["bob"])
    assert use(path).user_id == cast.user_ids["bob"]
    with pytest.raises(NotFound):
        use(path)


def test_a_link_ends(cast):
    with clock.frozen(NOW):
        path = actions.make_sign_in_link(cast.user_ids["bob"], 10)
    with clock.frozen(NOW + timedelta(minutes=10)), pytest.raises(NotFound):
        use(path)
    with clock.frozen(NOW + timedelta(minutes=9, seconds=59)):
        use(path)


def test_a_demo_link_works_again_where_nobody_else_can_reach_it(cast):
    path = actions.make_sign_in_link(cast.user_ids["alice"], 60, purpose=LinkPurpose.DEMO)
    for _ in range(3):
        assert use(path).user_id == cast.user_ids["alice"]
    assert use(path, here=False).user_id == cast.user_ids["alice"]
    with pytest.raises(NotFound):
        use(path)


def test_a_reset_link_ends_the_old_password_when_it_is_used_and_not_before(cast, told):
    path = actions.reset_member("ALICE@northbridge.example")
    user = User.objects.get(pk=cast.user_ids["alice"])
    assert user.has_usable_password()
    assert use(path).purpose is LinkPurpose.RESET
    user.refresh_from_db()
    assert not user.has_usable_password()
    assert told(cast.organization_id)[-1] == MemberReset(member_id=cast.alice.member_id)


@pytest.mark.parametrize(("without", "left"), [(False, 1), (True, 0)])
def test_second_factors_stay_unless_the_operator_says_so(cast, without, left):
    user = User.objects.get(pk=cast.user_ids["alice"])
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    actions.reset_member("alice@northbridge.example", without_second_factor=without)
    assert Authenticator.objects.filter(user=user).count() == left


def test_there_is_no_way_in_for_strangers_and_former_members(cast):
    actions.reset_member("bob@northbridge.example")
    path = actions.make_sign_in_link(cast.user_ids["bob"])
    actions.remove_member(cast.alice, cast.bob.member_id)
    with pytest.raises(NotFound):
        use(path)
    for nobody in ("bob@northbridge.example", "eve@northbridge.example", ""):
        with pytest.raises(NotFound):
            actions.reset_member(nobody)


def test_a_set_up_token_signs_nobody_in(cast):
    token = actions.make_setup_link().partition("=")[2]
    with pytest.raises(NotFound):
        actions.use_sign_in_link(token, on_this_machine_only=True)


def test_only_a_hash_is_kept(cast):
    path = actions.make_sign_in_link(cast.user_ids["bob"])
    assert token_of(path) not in str(list(SignInLink.objects.values()))


def test_links_that_are_over_are_dropped(cast):
    with clock.frozen(NOW):
        actions.make_sign_in_link(cast.user_ids["bob"])
    with clock.frozen(NOW + timedelta(days=30)):
        actions.make_sign_in_link(cast.user_ids["bob"])
    assert SignInLink.objects.count() == 1
