"""Back up while it runs, lose everything, restore: the same rows, files and keys, and the journal holds."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import tarfile
import threading
from contextlib import closing

import psycopg
import pytest

from heard.config.backup import embedded, restore
from heard.config.backup.archive import BackupProblem, Manifest, unpack

from .installation import Installation

# Each test starts a dozen processes of Heard.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SAID = "SELECT native_id, text FROM conversations_message ORDER BY id"


def quiet(_what, _done, _total):
    pass


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return Installation(tmp_path_factory.mktemp("company") / "data").with_customers(20)


@pytest.fixture(scope="module")
def backup(company, tmp_path_factory):
    path = tmp_path_factory.mktemp("backups") / "heard.tar.gz"
    company.works("backup", str(path))
    return path


def entries(path):
    with tarfile.open(path) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar}


def packed(path, contents):
    with tarfile.open(path, "w:gz") as tar:
        for name, data in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def test_what_is_restored_is_what_was_there(company, backup, tmp_path):
    again = Installation(tmp_path / "data")
    said = again.works("restore", str(backup))
    assert "holds" in said
    assert again.ask(SAID) == company.ask(SAID)
    assert len(again.ask(SAID)) == 20
    for table in ("journal_seal", "inbox_case", "contacts_identity", "organizations_member"):
        whole = f"SELECT * FROM {table}"
        assert again.ask(whole) == company.ask(whole) != [], table
    bodies = "SELECT id, body, state FROM channels_delivery"
    assert again.ask(bodies, "deliveries.sqlite3") == company.ask(bodies, "deliveries.sqlite3") != []
    for name in ("keys", "secret-key"):
        assert (again.data / name).read_bytes() == (company.data / name).read_bytes()
        assert (again.data / name).stat().st_mode & 0o077 == 0
    (kept,) = [path for path in (again.data / "files").rglob("*") if path.is_file()]
    assert kept.read_bytes() == b"Paid on Tuesday.\n"
    assert "holds" in again.works("journal", "verify")
    assert not any(
        "do not open" in finding["title"] for finding in json.loads(again.run("doctor", "--json").stdout)
    )


def test_nobody_else_can_read_a_backup_and_none_is_overwritten(company, backup):
    assert backup.stat().st_mode & 0o077 == 0
    before = backup.read_bytes()
    assert "never overwrites" in company.refused("backup", str(backup))
    assert backup.read_bytes() == before
    assert [path.name for path in backup.parent.iterdir()] == [backup.name], "no scratch is left"


def test_an_installation_in_use_is_not_replaced_by_accident(company, backup, tmp_path):
    again = Installation(tmp_path / "data")
    again.works("restore", "--only-files-and-rows", str(backup))
    keys = (again.data / "keys").read_bytes()
    (again.data / "keys").write_bytes(b"# something newer\n")
    assert "--force" in again.refused("restore", str(backup))
    assert (again.data / "keys").read_bytes() == b"# something newer\n"
    again.works("restore", "--force", str(backup))
    assert (again.data / "keys").read_bytes() == keys
    (aside,) = again.data.glob("replaced-*")
    assert (aside / "keys").read_bytes() == b"# something newer\n"


def spoil_byte(contents):
    body = bytearray(contents["databases/heard.sqlite3"])
    body[5000] ^= 1
    return {**contents, "databases/heard.sqlite3": bytes(body)}


def leave_out_file(contents):
    return {name: data for name, data in contents.items() if not name.startswith("files/")}


def cut_off(contents):
    return {name: data for name, data in contents.items() if name != "manifest.json"}


def count_wrongly(contents):
    manifest = json.loads(contents["manifest.json"])
    manifest["rows"]["heard.sqlite3"]["conversations_message"] += 1
    return {**contents, "manifest.json": json.dumps(manifest).encode()}


def come_from_the_future(contents):
    manifest = json.loads(contents["manifest.json"])
    manifest["migrations"].append("inbox.9999_mind_reading")
    return {**contents, "manifest.json": json.dumps(manifest).encode()}


def climb_out(contents):
    return {"../../climbed": b"out", **contents}


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (spoil_byte, "was changed"),
        (leave_out_file, "is missing"),
        (cut_off, "no manifest"),
        (count_wrongly, "conversations_message should have 21 rows and has 20"),
        (come_from_the_future, "newer"),
        (climb_out, "no plain file"),
    ],
)
def test_a_backup_that_is_not_whole_is_refused_before_anything_changes(
    backup, tmp_path, monkeypatch, spoil, word
):
    spoilt = packed(tmp_path / "spoilt.tar.gz", spoil(entries(backup)))
    data = tmp_path / "inside" / "data"
    monkeypatch.setenv("HEARD_DATA", str(data))
    monkeypatch.setenv("HEARD_DATABASE_URL", "")
    with pytest.raises(BackupProblem, match=word):
        restore(spoilt, quiet)
    assert list(data.iterdir()) == []
    assert not (tmp_path / "climbed").exists()
    assert restore(packed(tmp_path / "whole.tar.gz", entries(backup)), quiet).files == 1


def test_a_truncated_file_and_no_backup_at_all_are_refused(backup, tmp_path):
    (tmp_path / "half").write_bytes(backup.read_bytes()[: backup.stat().st_size // 2])
    (tmp_path / "text").write_bytes(b"Dear backup")
    (tmp_path / "gzip").write_bytes(gzip.compress(b"Dear backup" * 1000))
    for name in ("half", "text", "gzip"):
        (tmp_path / f"into-{name}").mkdir()
        with pytest.raises(BackupProblem, match=r"damaged|manifest"):
            unpack(tmp_path / name, tmp_path / f"into-{name}", quiet)


def test_a_manifest_of_a_later_format_is_refused():
    assert Manifest.read(b'{"version": "1", "made_at": "", "engine": "sqlite"}').engine == "sqlite"
    with pytest.raises(BackupProblem, match="newer"):
        Manifest.read(b'{"version": "9", "made_at": "", "engine": "sqlite", "format": 2}')
    with pytest.raises(BackupProblem, match="no backup"):
        Manifest.read(b'["something else"]')


def test_a_copy_is_of_one_moment_while_others_write(tmp_path):
    source, target = tmp_path / "live.sqlite3", tmp_path / "copy.sqlite3"
    with closing(sqlite3.connect(source)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE debit (amount)")
        database.execute("CREATE TABLE credit (amount, filling)")
        database.commit()
    stop = threading.Event()
    written = []

    def write():
        with closing(sqlite3.connect(source, timeout=30)) as database:
            while not stop.is_set() and len(written) < 5000:
                with database:
                    database.execute("INSERT INTO debit VALUES (1)")
                    database.execute("INSERT INTO credit VALUES (1, zeroblob(3000))")
                written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(written) < 300:
            assert writer.is_alive()
        before = len(written)
        embedded.snapshot(source, target, quiet)
    finally:
        stop.set()
        writer.join()
    found = embedded.counts(target)
    assert found["debit"] == found["credit"] >= before


def test_the_deliveries_are_copied_before_what_was_understood_of_them():
    assert embedded.DATABASES == ("deliveries.sqlite3", "heard.sqlite3")


# Rehearsing an upgrade ----------------------------------------------------------------------------


def test_a_rehearsal_migrates_a_copy_and_touches_nothing(company, tmp_path):
    database = company.data / "heard.sqlite3"
    older = Installation(tmp_path / "data")
    older.data.mkdir(mode=0o700)
    for name in ("heard.sqlite3", "deliveries.sqlite3"):
        embedded.snapshot(company.data / name, older.data / name, quiet)
    (older.data / "keys").write_bytes((company.data / "keys").read_bytes())
    (older.data / "keys").chmod(0o600)
    with closing(sqlite3.connect(older.data / "heard.sqlite3")) as connection, connection:
        last = "SELECT app, name FROM django_migrations WHERE app = 'sessions'"
        assert connection.execute(last).fetchall() == [("sessions", "0001_initial")]
        connection.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        connection.execute("DROP TABLE django_session")
    before = {path.name: path.read_bytes() for path in older.data.iterdir()}
    said = older.works("upgrade", "--rehearse", "--folder", str(tmp_path))
    assert "default:sessions.0001_initial" in said
    assert "holds" in said
    assert "The upgrade can be made." in said
    assert {path.name: path.read_bytes() for path in older.data.iterdir() if path.name in before} == before
    assert [path.name for path in tmp_path.iterdir()] == ["data"], "the copy is gone"
    older.works("upgrade")
    assert older.works("migrate", "--list") == ""
    assert database.exists()


def test_a_rehearsal_names_a_journal_that_does_not_hold(company, tmp_path):
    broken = Installation(tmp_path / "data")
    broken.data.mkdir(mode=0o700)
    for name in ("heard.sqlite3", "deliveries.sqlite3"):
        embedded.snapshot(company.data / name, broken.data / name, quiet)
    with closing(sqlite3.connect(broken.data / "heard.sqlite3")) as connection, connection:
        connection.execute("UPDATE journal_fact SET body = CAST('{}' AS BLOB) WHERE id = 3")
    done = broken.run("upgrade", "--rehearse")
    assert done.returncode == 1
    assert "BROKEN at entry 3" in done.stdout
    assert "Do not upgrade yet." in done.stdout


# PostgreSQL ---------------------------------------------------------------------------------------


def rows_of(url, statement):
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def test_a_round_trip_on_postgresql(databases, tmp_path):
    first = Installation(tmp_path / "first", databases("backup_one")).with_customers(20)
    path = tmp_path / "heard.tar.gz"
    first.works("backup", str(path))
    second = Installation(tmp_path / "second", databases("backup_two"))
    assert "holds" in second.works("restore", str(path))
    for statement in (SAID, "SELECT * FROM journal_seal", "SELECT id, body FROM channels_delivery"):
        assert (
            sorted(rows_of(second.database_url, statement))
            == sorted(rows_of(first.database_url, statement))
            != []
        )
    assert (second.data / "keys").read_bytes() == (first.data / "keys").read_bytes()
    third = Installation(tmp_path / "third", second.database_url)
    assert "not empty" in third.refused("restore", str(path))
    assert "holds" in third.works("restore", "--force", str(path))
    embedded_one = Installation(tmp_path / "fourth")
    assert "postgresql" in embedded_one.refused("restore", str(path))


def test_a_rehearsal_on_postgresql_leaves_no_database_behind(databases, tmp_path):
    company = Installation(tmp_path / "data", databases("rehearsed")).with_customers(5)
    names = "SELECT datname FROM pg_database ORDER BY 1"
    before = rows_of(company.database_url, names)
    assert "The upgrade can be made." in company.works("upgrade", "--rehearse")
    assert rows_of(company.database_url, names) == before
