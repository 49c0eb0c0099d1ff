"""From SQLite to PostgreSQL: the same rows, the same hashes, and life goes on."""

from __future__ import annotations

import json

import psycopg
import pytest

from .installation import Installation

# Each test starts a dozen processes of Heard.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def rows_of(url, statement):
    with psycopg.connect(url) as connection:
        return [
            tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
            for row in connection.execute(statement).fetchall()
        ]


def test_everything_moves_and_life_goes_on(databases, tmp_path):
    small = Installation(tmp_path / "data").with_customers(20)
    before = {name: (small.data / name).read_bytes() for name in ("keys", "secret-key")}
    url = databases("moved")
    said = small.works("move", "--to", url)
    assert "are the same on both sides" in said
    assert ": holds\n" in said
    same = (
        "SELECT organization_id, position, fact_id, hash FROM journal_seal ORDER BY 1, 2",
        "SELECT id, body FROM journal_fact ORDER BY id",
        "SELECT id, native_id, text FROM conversations_message ORDER BY id",
        "SELECT id, secrets, hook_token FROM channels_channel ORDER BY id",
    )
    for statement in same:
        assert rows_of(url, statement) == small.ask(statement) != []
    deliveries = "SELECT id, body FROM channels_delivery ORDER BY id"
    assert rows_of(url, deliveries) == small.ask(deliveries, "deliveries.sqlite3") != []
    shown = "to_char(sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
    there = rows_of(url, f"SELECT {shown} FROM conversations_message ORDER BY id")
    assert there == small.ask("SELECT substr(sent_at, 1, 19) FROM conversations_message ORDER BY id")
    assert {name: (small.data / name).read_bytes() for name in before} == before

    large = Installation(small.data, url)
    found = json.loads(large.run("doctor", "--json").stdout)
    assert [finding["title"] for finding in found if finding["level"] == "wrong"] == []
    ((highest,),) = rows_of(url, "SELECT MAX(id) FROM organizations_organization")
    large.with_customers(3)  # a second company: new ids in every table
    assert rows_of(url, "SELECT MAX(id) FROM organizations_organization") == [(highest + 1,)]
    assert large.works("journal", "verify").count("holds") == 2

    assert "not empty" in small.refused("move", "--to", url)
    assert "PostgreSQL already" in large.refused("move", "--to", url)


def test_a_target_that_cannot_be_is_refused_in_words(tmp_path, databases):
    small = Installation(tmp_path / "data").with_customers(1)
    assert "postgresql://" in small.refused("move", "--to", "mysql://somewhere/else")
    said = small.refused("move", "--to", "postgresql://somebody:hunter2@127.0.0.1:1/nowhere")
    assert "does not answer" in said
    assert "hunter2" not in said
    empty = Installation(tmp_path / "nowhere")
    assert "There is no installation" in empty.refused("move", "--to", databases("unused"))
