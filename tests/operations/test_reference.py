from __future__ import annotations

import pytest
from click.testing import CliRunner

from heard.config import options, reference
from heard.connectorkit import registry


def test_every_generated_page_says_what_the_code_says():
    assert list(reference.stale()) == [], "run make docs"


def test_every_setting_command_network_and_fact_stands_in_its_page():
    settings = reference.settings()
    assert all(f"`{option.name}`" in settings for option in options.OPTIONS)
    commands = reference.commands()
    for path in ("heard up", "heard worker", "heard journal verify", "heard key rotate"):
        assert f"## {path}\n" in commands
    connectors = reference.connectors()
    for name in ("sandbox", "email", "mastodon", "bluesky"):
        assert f"## {registry.connector(name).manifest.name}\n" in connectors
    assert "`channels.ChannelConnected`" in reference.facts()


@pytest.fixture
def pages(tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    return tmp_path


def test_a_stale_page_is_named_and_written_anew(pages):
    runner = CliRunner()
    assert runner.invoke(reference.main, []).exit_code == 0
    assert runner.invoke(reference.main, ["--check"]).exit_code == 0
    page = pages / "settings.md"
    page.write_text(page.read_text().replace("HEARD_DATA", "HEARD_DATE"))
    refused = runner.invoke(reference.main, ["--check"])
    assert refused.exit_code == 1
    assert "settings.md is stale" in refused.output
    assert "commands.md" not in refused.output
    assert "HEARD_DATE" in page.read_text(), "a check writes nothing"
    assert runner.invoke(reference.main, []).exit_code == 0
    assert "HEARD_DATE" not in page.read_text()
