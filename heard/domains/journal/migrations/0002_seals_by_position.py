"""On SQLite the seals stand in the order of their chain (WITHOUT ROWID): one tree less to write and to walk."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def rebuild(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "sqlite":
        return
    for statement in (
        'CREATE TABLE "journal_seal_new" ("organization_id" bigint NOT NULL, "position" bigint NOT NULL,'
        ' "fact_id" bigint NOT NULL UNIQUE, "hash" BLOB NOT NULL,'
        ' PRIMARY KEY ("organization_id", "position")) WITHOUT ROWID',
        'INSERT INTO "journal_seal_new" ("organization_id", "position", "fact_id", "hash")'
        ' SELECT "organization_id", "position", "fact_id", "hash" FROM "journal_seal"'
        ' ORDER BY "organization_id", "position"',
        'DROP TABLE "journal_seal"',
        'ALTER TABLE "journal_seal_new" RENAME TO "journal_seal"',
    ):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("journal", "0001_initial")]
    operations = [migrations.RunPython(rebuild, migrations.RunPython.noop)]
