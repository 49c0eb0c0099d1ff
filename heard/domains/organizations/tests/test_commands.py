import pytest
from allauth.mfa.models import Authenticator
from click.testing import CliRunner
from django.test import Client

from heard.domains.organizations import actions, commands
from heard.domains.organizations.models import User


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    commands.console.width = 200

    def run_(*words, group=commands.member, answer=None):
        with commands.console.capture() as table:
            result = CliRunner().invoke(group, list(words), input=answer)
        return result.exit_code, table.get() + result.output

    return run_


@pytest.fixture
def factor(cast):
    user = User.objects.get(pk=cast.user_ids["alice"])
    return Authenticator.objects.create(user=user, type="totp", data={"secret": "x"})


def test_reset_prints_a_link_that_works(cast, run):
    code, said = run("reset", "bob@northbridge.example")
    assert code == 0
    url = next(line for line in said.splitlines() if line.startswith("http"))
    client = Client()
    client.get(url.removeprefix("http://127.0.0.1:8400"))
    assert client.get("/settings/profile/").wsgi_request.actor.name == "Bob"


def test_reset_keeps_the_second_factor(factor, run):
    assert run("reset", "alice@northbridge.example")[0] == 0
    assert Authenticator.objects.filter(pk=factor.pk).exists()


@pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 1, True), ("y\n", 0, False), ("", 1, True)])
def test_dropping_the_second_factor_asks_first(factor, run, answer, code, left):
    assert run("reset", "alice@northbridge.example", "--without-second-factor", answer=answer)[0] == code
    assert Authenticator.objects.filter(pk=factor.pk).exists() is left


def test_reset_of_nobody_says_so(cast, run):
    code, said = run("reset", "eve@northbridge.example")
    assert code == 1
    assert "No member has the address eve@northbridge.example" in said


def test_members_are_listed_per_organization(cast, run):
    code, said = run("list")
    assert code == 1
    assert "northbridge-transit, southgate-bakery" in said
    code, said = run("list", "--organization", "northbridge-transit")
    assert code == 0
    assert "bob@northbridge.example" in said
    assert "charlie" not in said
    code, said = run("list", "--organization", "nowhere")
    assert code == 1
    assert "There is no organization" in said


@pytest.mark.django_db
def test_one_organization_needs_no_name(run):
    assert "No organization is set up" in run("list")[1]
    actions.found_organization(
        name="Solo", timezone="UTC", owner_name="Sol", owner_email="sol@solo.example", owner_password=None
    )
    assert "sol@solo.example" in run("list")[1]


def test_organizations_are_listed(cast, run):
    code, said = run("list", group=commands.organization)
    assert code == 0
    for name in ("northbridge-transit", "southgate-bakery"):
        assert name in said


def test_a_removed_member_is_forgotten_and_nobody_else(cast, run):
    words = ("forget", "bob@northbridge.example", "--organization", "northbridge-transit")
    code, said = run(*words, "--yes")
    assert code == 1
    assert "No removed member" in said
    actions.remove_member(cast.alice, cast.bob.member_id)
    assert run("forget", "bob@northbridge.example", "--organization", "southgate-bakery", "--yes")[0] == 1
    assert run(*words, answer="n\n")[0] == 1
    assert User.objects.filter(email="bob@northbridge.example").exists()
    assert run(*words, answer="y\n")[0] == 0
    assert not User.objects.filter(email="bob@northbridge.example").exists()
    assert run(*words, "--yes")[0] == 1
