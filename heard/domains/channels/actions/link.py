"""Opening a channel's line: its account with secrets decrypted, the guarded net, its vault."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import Error as DatabaseError
from django.db import connections, transaction

from heard.connectorkit.manifest import Manifest
from heard.connectorkit.net import Net
from heard.connectorkit.protocol import Connector, Link
from heard.connectorkit.vocabulary import Account
from heard.domains.channels import queries, rules
from heard.domains.channels.models import Channel
from heard.foundation import clock, equipment, metrics
from heard.foundation.crypto import KeyProblem, Place
from heard.foundation.db import is_postgres
from heard.foundation.errors import NotFound, Unavailable
from heard.foundation.logging import logger
from heard.foundation.net import Exchange, GuardedNet

log = logger(__name__)
_locks: dict[int, threading.RLock] = {}
_locks_guard = threading.Lock()
VAULT = 2


@dataclass(frozen=True, slots=True)
class VaultOf:
    """A channel's secrets as its connector may change them."""

    organization_id: int
    channel_id: int

    def keep(self, secrets: Mapping[str, str]) -> None:
        """Store these secrets durably, at once."""
        with transaction.atomic():
            row = Channel.objects.select_for_update().get(
                organization_id=self.organization_id, pk=self.channel_id
            )
            merged = {**queries.secrets_of(row), **secrets}
            row.secrets = seal_secrets(self.organization_id, self.channel_id, merged)
            row.save(update_fields=["secrets"])

    def current(self) -> Mapping[str, str]:
        """The secrets as stored now."""
        return queries.secrets_of(
            Channel.objects.get(organization_id=self.organization_id, pk=self.channel_id)
        )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One refresher at a time: in this process by a lock, between processes by the database's."""
        with _locks_guard:
            mine = _locks.setdefault(self.channel_id, threading.RLock())
        with mine:
            if not is_postgres():
                yield
                return
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s, %s)", [VAULT, self.channel_id])
                try:
                    yield
                finally:
                    cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [VAULT, self.channel_id])


def seal_secrets(organization_id: int, channel_id: int, secrets: Mapping[str, str]) -> str:
    """Encrypt, bound to this row: a copy in another row cannot be opened."""
    text = json.dumps(dict(secrets), ensure_ascii=False)
    return equipment.keyring().encrypt(text, Place(organization_id, "channels_channel", channel_id))


def open_link(organization_id: int, channel_id: int) -> tuple[Link, Any]:
    """(link, connector) of a channel; each request is written down in its budgets as it is made.

    Raises ``NotFound`` where there is no such channel or no connector for it, and ``Unavailable`` when no
    key opens its secrets.
    """
    metered = _opened(organization_id, channel_id)

    def spend_at_once(exchange: Exchange) -> None:
        metered.note(exchange)
        try:
            keep_spending(metered)
        except DatabaseError as error:
            # What was asked of the network is worth more than a count of it.
            log.warning("request_not_counted", channel=channel_id, error=type(error).__name__)

    return _noting(metered, spend_at_once).link, metered.connector


def _opened(organization_id: int, channel_id: int) -> Metered:
    row = Channel.objects.filter(organization_id=organization_id, pk=channel_id).first()
    if row is None:
        raise NotFound("There is no such channel here.")
    connector = queries.connector_of(row.network)
    try:
        account = queries.account_of(row, secrets=queries.secrets_of(row))
    except KeyProblem as problem:
        raise Unavailable(problem.message) from problem
    link = Link(account, _net_of(row.network), VaultOf(organization_id, channel_id), clock.now())
    return Metered(organization_id, channel_id, link, connector)


def _noting(metered: Metered, note: Callable[[Exchange], None]) -> Metered:
    net = metered.link.net
    if isinstance(net, GuardedNet):
        metered.link = replace(metered.link, net=net.for_caller(on_exchange=note))
    return metered


def _net_of(network: str, note: Callable[[Exchange], None] | None = None) -> Net:
    """The way out, counting by network: hosts are as many as mail servers, networks are few."""
    net = equipment.net()
    if not isinstance(net, GuardedNet):
        return net

    def count(exchange: Exchange) -> None:
        metrics.EXCHANGES.labels(network=network, status=str(exchange.status)).inc()
        if note is not None:
            note(exchange)

    return net.for_caller(on_exchange=count)


@dataclass(slots=True)
class Metered:
    """A channel's line that remembers what was asked of the network, for its budgets."""

    organization_id: int
    channel_id: int
    link: Link
    connector: Connector
    answers: list[Mapping[str, str]] = field(default_factory=list)

    def note(self, exchange: Exchange) -> None:
        """One request was made."""
        self.answers.append(_told(exchange))


def _told(exchange: Exchange) -> Mapping[str, str]:
    return rules.told(exchange.method, exchange.path, exchange.headers)


def open_metered(organization_id: int, channel_id: int) -> Metered:
    """``open_link``, counted in one go: hand it to ``keep_spending`` when the work is done."""
    metered = _opened(organization_id, channel_id)
    return _noting(metered, metered.note)


def keep_spending(metered: Metered) -> None:
    """Write down what a look or a sending took from the network's budgets, and what its answers said."""
    answers = list(metered.answers)
    metered.answers.clear()
    spend(metered.organization_id, metered.channel_id, metered.connector.manifest, answers)


def spend(
    organization_id: int, channel_id: int, manifest: Manifest, answers: Sequence[Mapping[str, str]]
) -> None:
    """These requests were made for a channel, each given by ``rules.told``."""
    if not answers or not rules.counted_budgets(manifest):
        return
    with transaction.atomic():
        rows = Channel.objects.select_for_update().filter(organization_id=organization_id, pk=channel_id)
        row = rows.only("budgets").first()
        if row is not None:
            row.budgets = rules.spend(manifest, row.budgets, answers, clock.now())
            row.save(update_fields=["budgets"])


def trial_link(
    network: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    answers: list[Mapping[str, str]] | None = None,
) -> Link:
    """A line to test credentials that are not saved yet; ``answers`` takes what ``spend`` needs."""
    account = Account("", "", settings=dict(settings), secrets=dict(secrets))
    kept = [] if answers is None else answers
    net = _net_of(network, lambda exchange: kept.append(_told(exchange)))
    return Link(account, net, _NoVault(dict(secrets)), clock.now())


@dataclass(slots=True)
class _NoVault:
    secrets: dict[str, str]

    def keep(self, secrets: Mapping[str, str]) -> None:
        self.secrets.update(secrets)

    def current(self) -> Mapping[str, str]:
        return self.secrets

    @contextmanager
    def lock(self) -> Iterator[None]:
        yield
