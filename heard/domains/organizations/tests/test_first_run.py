"""The first-run page, guarded by the printed token."""

import pytest
from django.test import Client

from heard.domains.organizations import actions, queries
from heard.foundation.tenancy import system

GIVEN = {
    "name": "Northbridge Transit",
    "timezone": "Europe/Berlin",
    "owner_name": "Alice",
    "email": "alice@northbridge.example",
    "password": "the train leaves at nine",
    "teams": ["Press", "Sales"],
}


@pytest.fixture
def path(db):
    return actions.make_setup_link()


def post(path, **given):
    client = Client()
    return client, client.post("/setup/", {"token": path.partition("=")[2], **GIVEN, **given})


def test_the_printed_link_shows_the_form(path):
    page = Client().get(path)
    assert page.status_code == 200
    assert "form" in page.context
    assert b"Europe/Berlin" in page.content


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong"])
def test_without_the_token_there_is_only_a_question_for_it(path, query):
    page = Client().get(f"/setup/{query}")
    assert page.status_code == (403 if "wrong" in query else 200)
    assert "Set-up token" in page.content.decode()
    assert "Your e-mail address" not in page.content.decode()


def test_a_wrong_token_sets_nothing_up(path):
    client, answer = post("x=wrong")
    assert answer.status_code == 403
    assert not queries.is_set_up()
    assert "_auth_user_id" not in client.session


def test_setting_up_makes_the_company_and_signs_the_owner_in(path):
    client, answer = post(path)
    assert (answer.status_code, answer["Location"]) == (302, "/inbox/")
    (line,) = queries.every_organization()
    assert (line.name, line.timezone, line.member_count) == ("Northbridge Transit", "Europe/Berlin", 1)
    assert [team.name for team in queries.teams(system(line.id))] == ["Press", "Sales"]
    assert client.get("/settings/organization/").status_code == 200


def test_then_the_page_is_gone(path):
    post(path)
    assert Client().get(path).status_code == 404
    assert Client().get(actions.make_setup_link()).status_code == 404
    _client, answer = post(actions.make_setup_link(), email="eve@northbridge.example")
    assert answer.status_code == 404
    assert len(queries.every_organization()) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "\u202e"),
        ("timezone", "Mars/Base"),
        ("owner_name", ""),
        ("email", "nobody"),
        ("password", "short"),
        ("password", "password123"),
        ("name", "x" * 5000),
        ("teams", ["Not one of them"]),
    ],
)
def test_what_does_not_hold_is_said_beside_its_field(path, field, value):
    _client, answer = post(path, **{field: value})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not queries.is_set_up()
    # What was typed is still there, and the token still holds.
    _client, answer = post(path)
    assert answer.status_code == 302


def test_the_password_does_not_come_back_in_the_page(path):
    _client, answer = post(path, email="nobody")
    assert GIVEN["password"].encode() not in answer.content
