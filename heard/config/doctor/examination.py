"""All examinations in order. One that cannot be made because of an earlier one is left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta

from heard.config import options
from heard.config.doctor import databases, files, ground, work
from heard.config.doctor.findings import Finding, fine, wrong


def examine() -> list[Finding]:
    """Look at everything. Changes nothing, and makes nothing where there is no installation."""
    found = list(_ground())
    if os.path.isdir(options.data_folder()) and not ground.is_ours(options.data_folder()):
        return found  # said already, and nothing else can be seen from here
    if not _is_there():
        found.append(
            wrong(
                f"There is no installation in {options.data_folder()}.",
                "Name the right folder with --data, or make one: heard up",
            )
        )
        return found
    problem = _settings()
    if problem is not None:
        return [*found, problem]
    found += _databases()
    return found


def _is_there() -> bool:
    return bool(options.DATABASE_URL.value) or os.path.exists(options.data_folder() / "heard.sqlite3")


def _ground() -> Iterator[Finding]:
    path = options.data_folder()
    yield ground.folder(path)
    if ground.is_ours(path):
        yield from ground.secret_files(path)
        yield ground.disk(path)
    yield ground.memory()
    if not options.DATABASE_URL.value:
        yield ground.sqlite()
    yield ground.address(options.address(), behind_proxy=options.TRUST_PROXY.is_on)
    yield from ground.hosts(options.HOSTS.value)
    yield from ground.libraries(wants_s3=bool(options.S3.value))


def _settings() -> Finding | None:
    """Whether the settings make sense together: the first thing any process needs."""
    from django.core.exceptions import ImproperlyConfigured

    from heard.config import startup

    try:
        startup.start()
        _ = options.WEB_THREADS.number, options.NETWORK_THREADS.number
    except (ValueError, KeyError, ImproperlyConfigured) as error:
        return wrong(
            f"A setting cannot be understood: {error}", "The reference of settings says how it looks."
        )
    except OSError as error:
        return wrong(
            f"The data folder cannot be used: {error.strerror}.", "Give it to the user that runs Heard."
        )
    return _way_out()


def _way_out() -> Finding | None:
    from heard.foundation import equipment
    from heard.foundation.net.sockets import tls_context

    try:
        equipment.net()
        tls_context(options.EXTRA_CA.value or None)
    except ValueError as error:
        return wrong(str(error), "Give hosts, host:port or networks, separated by commas.")
    except OSError as error:
        return wrong(
            f"HEARD_EXTRA_CA ({options.EXTRA_CA.value}) cannot be used: {error.strerror or error}.",
            "Name a PEM file with certificates that the user who runs Heard may read.",
        )
    return None


def _databases() -> Iterator[Finding]:
    from heard.config import prepare

    answers = databases.answering()
    yield from answers
    yield from databases.broker(options.BROKER_URL.value)
    if any(answer.what_to_do for answer in answers):
        return
    missing = prepare.missing_migrations()
    yield databases.migrated(missing)
    if missing:
        return
    yield from _work()


def _work() -> Iterator[Finding]:
    from heard.domains.channels import queries as channels
    from heard.domains.journal import queries as journal
    from heard.domains.outbox import queries as outbox
    from heard.foundation import clock

    now = clock.now()
    theirs = databases.database_time()
    if theirs is not None:
        yield databases.skew(now, theirs)
    yield from _keys()
    yield from _files()
    yield from work.unspoken(channels.without_connector())
    yield from work.looks(channels.not_looked_at(now - timedelta(seconds=work.OVERDUE_SECONDS)))
    yield from work.channels(channels.troubled(), channels.unreadable())
    yield work.backlog(*channels.backlog(), now)
    yield work.outbox(*outbox.stuck())
    yield work.unsealed(*journal.unsealed(), now)
    given_up = [
        (problem.consumer, problem.organization_id, problem.position, problem.error)
        for problem in journal.given_up()
    ]
    yield from work.reactions(journal.lag(), given_up)


def _files() -> Iterator[Finding]:
    from heard.domains.media import queries as media

    if options.S3.value:
        if ground.libraries(wants_s3=True):
            return  # said above
        problems = files.store()
        yield from problems
        if problems:
            return
    yield files.kept(media.lost, media.unforgotten())


def _keys() -> Iterator[Finding]:
    from heard.domains.channels import queries as channels
    from heard.domains.organizations import queries as organizations
    from heard.foundation import equipment
    from heard.foundation.crypto import KeyProblem

    if (
        not options.KEYS.value
        and not (options.data_folder() / "keys").exists()
        and (channels.key_ids_in_use() or organizations.factor_key_ids())
    ):
        yield wrong(
            "The keys file is missing, and channels or second factors have secrets under it.",
            "Put the file “keys” back from a backup before anything is started.",
        )
        return
    try:
        ring = equipment.keyring()
    except KeyProblem as problem:
        yield wrong(problem.message, "Put the file “keys” back from a backup, or correct HEARD_KEYS.")
        return
    count = len(ring.key_ids)
    yield fine(f"{count} encryption {'key is' if count == 1 else 'keys are'} here.")
    yield from work.locked(channels.locked())
    yield work.locked_factors(*organizations.locked_factors())
