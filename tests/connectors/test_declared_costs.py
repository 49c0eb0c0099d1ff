"""What a sending takes of a network's allowances, by the recorded exchanges of the conformance suite."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from heard.connectorkit import registry
from heard.domains.channels import rules

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CONNECTORS = Path(registry.__file__).parents[1] / "connectors"

BLUESKY = {
    "reply_in_thread": 3,
    "like": 3,
    "block": 3,
    "delete_own": 1,
    "hide_first": 2,
    "hide_beside_others": 4,  # somebody else hid something at the same moment: written twice
    "session_refreshed": 6,  # the first try counts over there too
    "post_with_picture": 3,  # a picture is no change to the repository
    "same_key_again": 3,
    "direct_message_to_a_commenter": 0,  # chat is another server's
}
MASTODON = {
    "reply": (0, 0),
    "like": (0, 0),
    "block": (0, 0),
    "post_with_a_picture": (1, 0),
    "picture_that_takes_time": (1, 0),  # asking whether it is ready is a request like any other
    "delete": (0, 1),
    "delete_of_what_is_gone": (0, 1),
}


def taken(network: str, case: str) -> dict[str, int]:
    """{allowance: what the recorded exchange took of it}"""
    manifest = registry.connector(network).manifest
    exchanges = json.loads((CONNECTORS / network / "fixtures" / "sent" / case / "exchange.json").read_text())
    asked = [exchange["request"] for exchange in exchanges]
    told = [rules.told(request["method"], urlsplit(request["url"]).path, {}) for request in asked]
    kept = rules.spend(manifest, {}, told, NOW)
    found = rules.counted_budgets(manifest)
    left = {name: rules.budget_left(declared, kept[name], NOW) for name, declared in found.items()}
    assert left["requests"] == found["requests"].amount - len(asked)
    return {name: found[name].amount - number for name, number in left.items() if name != "requests"}


@pytest.mark.parametrize("case", BLUESKY)
def test_what_a_change_takes_of_blueskys_points(case: str) -> None:
    points = BLUESKY[case]
    assert taken("bluesky", case) == {"writes in an hour": points, "writes in a day": points}


@pytest.mark.parametrize("case", MASTODON)
def test_what_a_sending_takes_of_mastodons_uploads_and_deletions(case: str) -> None:
    uploads, deletions = MASTODON[case]
    assert taken("mastodon", case) == {"media": uploads, "deletions": deletions}


def test_every_recorded_change_to_our_repository_takes_points() -> None:
    """A new way to write has to be declared before it is used."""
    for folder in sorted((CONNECTORS / "bluesky" / "fixtures" / "sent").iterdir()):
        asked = [item["request"] for item in json.loads((folder / "exchange.json").read_text())]
        calls = {urlsplit(request["url"]).path for request in asked if request["method"] == "POST"}
        changes = {call for call in calls if "com.atproto.repo." in call and not call.endswith("uploadBlob")}
        assert (taken("bluesky", folder.name)["writes in an hour"] > 0) == bool(changes), folder.name
