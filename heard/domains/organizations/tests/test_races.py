"""Two people at the same moment: one outcome each."""

import threading

import pytest
from django.db import connections

from heard.domains.organizations import actions, queries
from heard.domains.organizations.models import Member, Organization, SignInLink
from heard.foundation.errors import HeardError
from heard.foundation.tenancy import Role, system

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def at_once(*acts):
    """Let all begin together; what each returned, or the refusal it met."""
    gate = threading.Barrier(len(acts))
    found = [None] * len(acts)

    def run(number, act):
        gate.wait(timeout=10)
        try:
            found[number] = act()
        except HeardError as refusal:
            found[number] = refusal
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return found


def refused(found):
    return [answer for answer in found if isinstance(answer, HeardError)]


def test_two_owners_who_demote_each_other_leave_one(cast):
    actions.change_role(cast.alice, cast.bob.member_id, Role.OWNER)
    for _ in range(ROUNDS):
        alice = queries.actor_of(cast.organization_id, cast.alice.member_id)
        bob = queries.actor_of(cast.organization_id, cast.bob.member_id)
        found = at_once(
            lambda a=alice, b=bob: actions.change_role(a, b.member_id, Role.AGENT),
            lambda a=alice, b=bob: actions.change_role(b, a.member_id, Role.AGENT),
        )
        assert len(refused(found)) == 1
        owners = Member.objects.filter(organization_id=cast.organization_id, role="owner")
        assert owners.count() == 1
        for member_id in (cast.alice.member_id, cast.bob.member_id):
            actions.change_role(system(cast.organization_id), member_id, Role.OWNER)


def test_of_two_who_open_one_link_one_gets_in(cast):
    for _ in range(ROUNDS):
        token = actions.make_sign_in_link(cast.user_ids["bob"]).strip("/").rpartition("/")[2]
        found = at_once(*[lambda t=token: actions.use_sign_in_link(t, on_this_machine_only=True)] * 3)
        assert len(refused(found)) == 2
    assert not SignInLink.objects.filter(used_at__isnull=True).exists()


def test_of_two_who_accept_one_invitation_one_joins(cast):
    for number in range(ROUNDS):
        made = actions.invite(cast.alice, email=f"d{number}@northbridge.example", role=Role.AGENT)
        found = at_once(
            *[
                lambda m=made: actions.accept_as_new_user(
                    m.token, name="Dora", password="the train leaves at ten", is_verified=False
                )
            ]
            * 2
        )
        assert len(refused(found)) == 1
    assert len(queries.members(cast.alice)) == 2 + ROUNDS


def test_of_two_first_runs_one_sets_up():
    token = actions.make_setup_link().partition("=")[2]

    def set_up(number):
        return actions.set_up(
            token,
            name=f"Company {number}",
            timezone="UTC",
            owner_name="Alice",
            owner_email=f"a{number}@northbridge.example",
            owner_password="the train leaves at nine",
        )

    found = at_once(lambda: set_up(1), lambda: set_up(2))
    assert len(refused(found)) == 1
    assert Organization.objects.count() == 1
