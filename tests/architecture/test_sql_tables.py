from __future__ import annotations

import pytest

from .sql_tables import foreign_tables
from .tree import complaints, select

HERE = "heard/domains/inbox/sql.py"


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO inbox_case (id) VALUES (%s) ON CONFLICT (id) DO UPDATE SET status = excluded.status",
        "UPDATE inbox_case AS c SET status = 'open' FROM conversations_conversation v WHERE v.case_id = c.id",
        'DELETE FROM "inbox_case" WHERE id = %s',
        "SELECT id FROM inbox_case WHERE due_at < %s FOR UPDATE SKIP LOCKED",
        "SELECT m.id FROM conversations_message m JOIN contacts_contact c ON c.id = m.contact_id",
        "COPY inbox_staging (id, at) FROM STDIN",
        "WITH due AS (SELECT id FROM inbox_case) SELECT * FROM due",
    ],
)
def test_own_tables_are_written_and_lower_ones_read(statement):
    assert foreign_tables(HERE, f"S = {statement!r}") == []


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("INSERT OR IGNORE INTO contacts_contact (id) VALUES (1)", "contacts_contact"),
        ("UPDATE conversations_message SET case_id = 1", "conversations_message"),
        ("UPDATE ONLY conversations_message m SET case_id = 1", "conversations_message"),
        ("delete from django_session; SELECT 1", "django_session"),
        ("COPY contacts_contact FROM STDIN", "contacts_contact"),
        ("TRUNCATE outbox_outbound", "outbox_outbound"),
        ('INSERT INTO "contacts_contact" SELECT id FROM inbox_case', "contacts_contact"),
    ],
)
def test_other_rooms_tables_are_not_written(statement, table):
    assert foreign_tables(HERE, f"\nS = {statement!r}") == [
        f"{HERE}:2: inbox writes {table}: a room writes its own tables only"
    ]


@pytest.mark.parametrize("table", ["privacy_view", "crisis_incident", "publishing_post"])
def test_tables_above_or_beside_are_not_read(table):
    (complaint,) = foreign_tables(HERE, f"S = 'SELECT id FROM inbox_case JOIN {table} p ON p.id = 1'")
    assert f"inbox reads {table}: statements join downward only" in complaint


def test_statements_put_together_are_read_as_one():
    assert foreign_tables(HERE, "S = f'INSERT INTO inbox_case ({columns}) VALUES ({marks})'") == []
    assert foreign_tables(HERE, "S = f'UPDATE contacts_contact SET {column} = 1'")


def test_a_table_put_in_as_a_value_cannot_be_judged():
    (complaint,) = foreign_tables(HERE, "S = f'DELETE FROM {table} WHERE id = 1'")
    assert "write the table's name out" in complaint


def test_the_foundations_writers_are_statements_too():
    assert foreign_tables(HERE, "db.insert_rows('inbox_case', ('id',), rows)") == []
    assert foreign_tables(HERE, "db.insert_rows('contacts_contact', ('id',), rows)")


def test_sentences_are_not_statements():
    assert (
        foreign_tables(HERE, '"""Deletes from other_table: see SELECT."""\nwords = "Copy this from there"')
        == []
    )


def test_the_rooms_of_this_house_write_their_own_tables():
    assert complaints(foreign_tables, select(".py", under="heard/domains/")) == ""
