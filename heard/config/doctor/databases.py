"""Whether the databases and the broker answer, are at this version, and agree on the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from heard.config.doctor.findings import Finding, fine, look, span_of, wrong

SKEW_LOOK_SECONDS = 2.0
SKEW_WRONG_SECONDS = 30.0


def answering() -> list[Finding]:
    """Every database answers."""
    from django.db import Error, connections

    found = []
    for alias in connections:
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error as error:
            found.append(
                wrong(
                    f"The database ({alias}) does not answer: {_first_line(error)}",
                    "Put the last backup back (heard restore), and look at the disk."
                    if connections[alias].vendor == "sqlite"
                    else "See that it runs, and that HEARD_DATABASE_URL and its password are right.",
                )
            )
    return found or [fine("The databases answer.")]


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _reason(error: BaseException, password: str) -> str:
    said = _first_line(error)
    return said.replace(password, "…") if password else said


def migrated(missing: Sequence[str]) -> Finding:
    """``missing``: names of migrations that are not applied."""
    if missing:
        shown = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
        return wrong(
            f"The databases are older than this Heard: {len(missing)} changes are missing ({shown}).",
            "Make a backup, stop everything, and run: heard migrate",
        )
    return fine("The databases are at this version.")


def skew(ours: datetime, theirs: datetime) -> Finding:
    """This machine's clock against the database's."""
    seconds = abs((ours - theirs).total_seconds())
    text = f"This machine's clock and the database's are {span_of(seconds)} apart."
    if seconds >= SKEW_WRONG_SECONDS:
        return wrong(text, "Set both by NTP: leases and undo windows are counted by these clocks.")
    if seconds >= SKEW_LOOK_SECONDS:
        return look(text, "Set both by NTP.")
    return fine("This machine's clock agrees with the database's.")


def database_time() -> datetime | None:
    """The time the database has; ``None`` on SQLite, which uses ours."""
    from heard.foundation import db

    if not db.is_postgres():
        return None
    found: datetime = db.fetch_all("SELECT clock_timestamp()")[0][0]
    return found


def broker(url: str) -> list[Finding]:
    """RabbitMQ, where one is set."""
    if not url:
        return []
    from kombu import Connection
    from kombu.exceptions import OperationalError

    parts = urlsplit(url)
    if parts.scheme not in {"amqp", "amqps"} or not parts.hostname:
        return [
            wrong(
                "HEARD_BROKER_URL is no address of a RabbitMQ.",
                "Set it like amqp://user:password@host:5672/vhost",
            )
        ]
    try:
        with Connection(url, connect_timeout=3) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=4)
    except (OperationalError, OSError) as error:
        return [
            wrong(
                f"RabbitMQ at {parts.hostname} does not answer ({_reason(error, parts.password or '')}).",
                "See that it runs, and that HEARD_BROKER_URL is right. Meanwhile nothing is lost: workers "
                "look for themselves, and everything takes some seconds longer.",
            )
        ]
    return [fine("RabbitMQ answers.")]
