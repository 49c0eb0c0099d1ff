"""Connectors are found by their folder or by an entry point; a broken one from outside stops nobody."""

from importlib.metadata import EntryPoint

import pytest

from heard.connectorkit import registry
from heard.connectorkit.protocol import Connector
from heard.connectorkit.scaffold import make_connector


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """Entry points of other packages, as this test says; the scan's memory is emptied around it."""
    make_connector("Outside Net", tmp_path)
    (tmp_path / "broken_net.py").write_text("import nothing_of_that_name", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    points: list[EntryPoint] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    registry.connectors.cache_clear()
    yield lambda name, value: points.append(EntryPoint(name, value, registry.GROUP))
    registry.connectors.cache_clear()


def test_every_folder_is_found(outside):
    found = registry.connectors()
    assert all(isinstance(connector, Connector) for connector in found.values())
    assert all(network == connector.manifest.network for network, connector in found.items())


def test_one_from_outside_is_found(outside):
    outside("outside_net", "outside_net:CONNECTOR")
    assert registry.connector("outside_net").manifest.name == "Outside Net"


@pytest.mark.parametrize("value", ["broken_net:CONNECTOR", "outside_net:NOTHING", "outside_net:connector"])
def test_a_broken_one_is_left_out_and_the_others_stay(outside, value):
    outside("a_broken_one", value)
    outside("outside_net", "outside_net:CONNECTOR")
    found = registry.connectors()
    assert "outside_net" in found
    assert "broken_net" not in found


def test_a_network_is_spoken_by_one_connector_only(outside):
    outside("one", "outside_net:CONNECTOR")
    first = registry.connector("outside_net")
    registry.connectors.cache_clear()
    outside("two", "outside_net.connector:OutsideNetConnector")
    assert registry.connector("outside_net") is first


def test_an_unknown_network_is_named(outside):
    with pytest.raises(registry.UnknownNetwork, match="myspace"):
        registry.connector("myspace")
