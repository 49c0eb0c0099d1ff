"""The form that connects an account is made from its network's manifest."""

from __future__ import annotations

import pytest

from heard.connectorkit import registry
from heard.connectorkit.manifest import Field, FieldKind, Manifest
from heard.domains.channels.forms import ConnectForm

FIELDS = (
    Field("server", "Server", FieldKind.URL, help="Such as <b>https://a.example</b> & co."),
    Field("token", "Token", FieldKind.SECRET),
    Field("mail", "Mail", FieldKind.EMAIL, required=False),
    Field("port", "Port", FieldKind.NUMBER, default="993", advanced=True),
    Field("mode", "Mode", FieldKind.CHOICE, default="b", choices=(("a", "First"), ("b", "Second"))),
    Field("live", "Live", FieldKind.BOOL, default="true", advanced=True),
    Field("note", "Note", required=False, default="hello", advanced=True),
)
MANIFEST = Manifest("test", "Test", "For tests.", fields=FIELDS)
GOOD = {"server": "a.example", "token": "s3cret", "mode": "a", "port": "143"}


def form(**changes):
    return ConnectForm({**GOOD, **changes}, manifest=MANIFEST)


def test_what_is_filled_in_arrives_as_the_connector_reads_it():
    filled = form()
    assert filled.is_valid(), filled.errors
    assert filled.values() == {
        "server": "https://a.example",
        "token": "s3cret",
        "port": 143,
        "mode": "a",
        "live": False,
    }


def test_defaults_are_offered_and_what_most_never_need_is_folded_away():
    blank = ConnectForm(manifest=MANIFEST)
    assert [field.name for field in blank.plain_fields()] == ["server", "token", "mail", "mode"]
    assert [field.name for field in blank.advanced_fields()] == ["port", "live", "note"]
    assert 'value="993"' in str(blank["port"])
    assert "selected" in str(blank["mode"]).split('value="b"')[1].split(">")[0]
    assert "checked" in str(blank["live"])


def test_a_secret_is_never_written_back():
    refused = form(server="no address at all")
    assert not refused.is_valid()
    assert "no address at all" in str(refused["server"])
    assert "s3cret" not in refused.as_p()
    known = ConnectForm(manifest=MANIFEST, initial={"token": "s3cret", "server": "https://a.example"})
    assert "s3cret" not in known.as_p()
    assert "https://a.example" in known.as_p()


def test_help_from_a_connector_is_text():
    assert "<b>" not in ConnectForm(manifest=MANIFEST).as_p()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server", "javascript:alert(1)"),
        ("server", ""),
        ("token", ""),
        ("mail", "nobody"),
        ("port", "many"),
        ("port", "-1"),
        ("mode", "c"),
        ("note", "x" * 1001),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(name, value):
    refused = form(**{name: value})
    assert not refused.is_valid()
    assert list(refused.errors) == [name]
    assert refused.is_advanced_wrong() == (name in {"port", "note"})


def test_every_network_of_this_house_has_its_form():
    for connector in registry.connectors().values():
        manifest = connector.manifest
        made = ConnectForm({}, manifest=manifest)
        needed = {field.name for field in manifest.fields if field.required}
        assert set(made.errors) == needed - {f.name for f in manifest.fields if f.kind is FieldKind.BOOL}, (
            manifest.network
        )
        secrets = [field.name for field in manifest.fields if field.kind is FieldKind.SECRET]
        assert all('type="password"' in str(made[name]) for name in secrets), manifest.network
