"""How SQLite is to plan: by what an organization's tables become, not by what they are on the first day.

Without statistics SQLite takes ``organization_id = ?`` for selective, ten rows of any table. It then walks
everything an installation's one company has, where it could look forty rows up by their ids. So the
statistics are written down once, after migrating, for tables of a million rows; they also keep plans the
same from the first message to the last. PostgreSQL gathers its own.

Source of the format: https://sqlite.org/fileformat2.html#stat1tab (section 2.6.3).
"""

from __future__ import annotations

from django.db import connections

ROWS = 1_000_000
ROWS_IN_PART = 10_000
"""Rows of an index with a condition: what waits for something, or is rare."""
FEW = 10
"""Rows that share the value of a column which tells them apart well: a contact, a conversation, an id."""

SHARED = {
    "organization_id", "channel_id", "brand_id", "network", "scope", "id_scope",
    "status", "state", "kind", "direction", "lane", "name", "consumer",
}  # fmt: skip
"""Columns with few different values."""


def assume_statistics(alias: str) -> None:
    """Write the statistics of every table of an SQLite database; nothing on PostgreSQL."""
    connection = connections[alias]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sqlite_schema")  # makes the table; reads nothing of ours
        cursor.execute("DELETE FROM sqlite_stat1")
        cursor.execute(
            'SELECT t.name, i.name, i."unique", i.partial FROM sqlite_schema t, pragma_index_list(t.name) i'
            " WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'"
        )
        for table, index, is_unique, is_partial in cursor.fetchall():
            cursor.execute("SELECT name FROM pragma_index_info(%s) ORDER BY seqno", [index])
            columns = [row[0] for row in cursor.fetchall()]
            line = _line(columns, ROWS_IN_PART if is_partial else ROWS, is_unique=bool(is_unique))
            cursor.execute(
                "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (%s, %s, %s)", [table, index, line]
            )
        cursor.execute("ANALYZE sqlite_schema")  # this connection reads them now; others when they open


def _line(columns: list[str], rows: int, *, is_unique: bool) -> str:
    """Rows, then for each column how many rows share the values up to it."""
    shares, share = [], rows
    for column in columns:
        if column == "id":
            share = 1
        elif column not in SHARED:
            share = min(share, FEW)
        elif column != "organization_id":
            share = max(1, share // 4)
        shares.append(share)
    if is_unique:
        shares[-1] = 1
    return " ".join(map(str, [rows, *shares]))
