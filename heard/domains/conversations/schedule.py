"""The work of conversations: understanding deliveries, fetching context and pictures, retention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from django.conf import settings

from heard.connectorkit import errors
from heard.connectorkit.protocol import FetchesMedia, GivesContext
from heard.connectorkit.vocabulary import Attachment, AttachmentKind, Source, UnknownEvent
from heard.domains.channels import actions as channels
from heard.domains.channels import queries as channel_queries
from heard.domains.channels.actions import ArrivedDelivery, UnderstoodDelivery
from heard.domains.conversations import actions, queries
from heard.domains.conversations.actions import Incoming, TakenIn
from heard.domains.conversations.queries import PictureDue
from heard.domains.conversations.rules import ASKED_FOR
from heard.foundation import clock, metrics
from heard.foundation.errors import HeardError, Unavailable
from heard.foundation.logging import logger
from heard.foundation.work import Lane, Resting, Slice, job

log = logger(__name__)
LARGEST_PICTURE_BYTES = 10_000_000
_LATER = (errors.Unreachable, errors.RateLimited, Unavailable)
"""What may go better later: a network, or our file store, that does not answer now."""
_PUSHED = frozenset((Source.WEBHOOK, Source.STREAM))
AT_ONCE = 400
"""About how many events one transaction takes in: 50 ms, so that whoever else writes does not wait."""


@job("conversations.take_in", sweep_seconds=5.0, limit=100)
def take_in(turn: Slice) -> int:
    """Understand due deliveries: a batch per channel, messages and facts in one transaction."""
    claimed = channels.claim_deliveries(turn.now, turn.limit)
    if not claimed:
        return 0
    by_channel: dict[tuple[int, int], list[UnderstoodDelivery]] = {}
    for item in claimed:
        by_channel.setdefault((item.claimed.organization_id, item.channel_id), []).append(item)
    networks = channel_queries.networks_of(channel_id for _, channel_id in by_channel)
    for (organization_id, channel_id), items in by_channel.items():
        network = networks.get(channel_id)
        if network is None:
            for item in items:
                channels.set_unreadable(item, "Its channel no longer exists.")
            continue
        take_in_channel(organization_id, network, channel_id, items)
    return len(claimed)


def take_in_channel(
    organization_id: int, network: str, channel_id: int, items: Sequence[UnderstoodDelivery]
) -> None:
    """Understand one channel's deliveries; what cannot be read is kept, the others go on."""
    batch: list[Incoming] = []
    read: list[UnderstoodDelivery] = []
    for item, events in _read(organization_id, network, channel_id, items):
        read.append(item)
        batch += events
        if len(batch) >= AT_ONCE:
            _take_in(organization_id, network, channel_id, read, batch)
            batch, read = [], []
    if read:
        _take_in(organization_id, network, channel_id, read, batch)


def _take_in(
    organization_id: int,
    network: str,
    channel_id: int,
    read: Sequence[UnderstoodDelivery],
    batch: Sequence[Incoming],
) -> None:
    """One transaction of messages, and then their deliveries are settled."""
    try:
        result = actions.take_in(organization_id, network, channel_id, batch)
    except Exception as error:
        # Something in this batch cannot be taken in: find it alone, let the others go on.
        log.exception("intake_failed", channel=channel_id, error=type(error).__name__, deliveries=len(read))
        if len(read) == 1:
            reason = f"It could not be taken in ({type(error).__name__})."
            channels.put_off_delivery(read[0], error.message if isinstance(error, HeardError) else reason)
            return
        for item in read:
            take_in_channel(organization_id, network, channel_id, [item])
        return
    if result.refused:
        _keep_refused(channel_id, read, result)
    else:
        channels.settle_deliveries(read)
    if any(item.delivery.source in _PUSHED for item in read):
        channels.note_heard(organization_id, channel_id)  # a look says so by itself
    metrics.DELIVERIES_INGESTED.labels(network=network).inc(len(read))
    lag, now = metrics.INGEST_LAG_SECONDS.labels(network=network), clock.now()
    for item in read:
        lag.observe((now - item.delivery.received_at).total_seconds())
    metrics.MESSAGES.labels(network=network).inc(result.new)


def _read(
    organization_id: int, network: str, channel_id: int, items: Sequence[UnderstoodDelivery]
) -> Iterator[tuple[UnderstoodDelivery, list[Incoming]]]:
    """The deliveries that can be read, with their events; the others are kept aside."""
    account = channel_queries.account(organization_id, channel_id)
    connector = channel_queries.connector_of(network)
    for item in items:
        try:
            events = connector.receive(account, item.delivery)
        except errors.Unreadable as error:
            _set_unreadable(network, item, error.message)
            continue
        except Exception as error:
            # A connector that breaks on one delivery must not hold up those of everybody else.
            log.exception("connector_broke", network=network, channel=item.channel_id)
            _set_unreadable(network, item, f"The connector broke on it ({type(error).__name__}).")
            continue
        known = []
        for event in events:
            if isinstance(event, UnknownEvent):
                log.info("event_without_a_word", network=network, kind=event.kind[:60])
            else:
                known.append(Incoming(event, item.delivery.source, item.delivery.received_at))
        yield item, known


def _set_unreadable(network: str, item: UnderstoodDelivery, reason: str) -> None:
    channels.set_unreadable(item, reason)
    metrics.DELIVERIES_UNREADABLE.labels(network=network).inc()


def _keep_refused(channel_id: int, read: Sequence[UnderstoodDelivery], result: TakenIn) -> None:
    """Something in these deliveries cannot be a message: say so, and keep a delivery that was only that."""
    reason = "; ".join(result.refused[:3])
    log.warning("message_refused", channel=channel_id, reason=reason)
    if len(read) == 1 and not (result.new or result.seen_before or result.changed):
        channels.set_unreadable(read[0], reason)
    else:
        channels.settle_deliveries(read)


CONTEXTS, PICTURES = Resting(), Resting()


@job("conversations.context", lane=Lane.NETWORK, sweep_seconds=5.0, limit=20)
def fetch_context(turn: Slice) -> int:
    """Fetch what stands above messages whose parent we were not shown; how many were settled."""
    done = 0
    for item in queries.context_due(CONTEXTS.items()):
        if turn.is_over or done == turn.limit:
            break
        if CONTEXTS.rests(item.channel_id, item.message_id):
            continue
        try:
            link, connector = channels.open_link(item.organization_id, item.channel_id)
            bodies = connector.context(link, item.ref) if isinstance(connector, GivesContext) else ()
        except _LATER as error:
            if turn.now - item.received_at < ASKED_FOR:
                CONTEXTS.rest(item.channel_id, item.message_id, error)
                continue
            bodies = ()
        except (errors.ConnectorError, HeardError) as error:
            log.info("context_not_given", channel=item.channel_id, error=type(error).__name__)
            bodies = ()
        except Exception as error:
            log.exception("context_broke", channel=item.channel_id, error=type(error).__name__)
            bodies = ()
        now = clock.now()
        channels.receive(
            [
                ArrivedDelivery(item.organization_id, item.channel_id, Source.CONTEXT, body, now)
                for body in bodies
            ]
        )
        actions.mark_context_done(item.organization_id, [item.message_id])
        done += 1
    return done


@job("conversations.pictures", lane=Lane.NETWORK, sweep_seconds=5.0, limit=10)
def fetch_pictures(turn: Slice) -> int:
    """Hold copies of pictures we may hold, so that a page never loads anything from outside."""
    done = 0
    for item in queries.pictures_due(PICTURES.items()):
        if turn.is_over or done == turn.limit:
            break
        host = urlsplit(item.url).netloc
        if PICTURES.rests(host, item.attachment_id):
            continue
        try:
            _fetch_picture(item)
        except _LATER as error:
            if turn.now - item.received_at < ASKED_FOR:
                PICTURES.rest(host, item.attachment_id, error)
                continue
            actions.set_attachment_problem(item.organization_id, item.attachment_id, error.message)
        except (errors.ConnectorError, HeardError) as error:
            actions.set_attachment_problem(item.organization_id, item.attachment_id, error.message)
        except Exception as error:
            log.exception("picture_broke", channel=item.channel_id, attachment=item.attachment_id)
            problem = f"The connector broke on it ({type(error).__name__})."
            actions.set_attachment_problem(item.organization_id, item.attachment_id, problem)
        done += 1
    return done


def _fetch_picture(item: PictureDue) -> None:
    link, connector = channels.open_link(item.organization_id, item.channel_id)
    if not isinstance(connector, FetchesMedia):
        raise errors.Unsupported("This network gives no copies.")
    attachment = Attachment(item.native_id, AttachmentKind.IMAGE, url=item.url)
    data = connector.fetch_media(link, attachment, LARGEST_PICTURE_BYTES)
    actions.keep_attachment(item.organization_id, item.attachment_id, data)


@job("conversations.forget_raw", sweep_seconds=900.0)
def forget_raw(turn: Slice) -> int:  # noqa: ARG001 - a job's signature
    """Retention: the raw form of understood messages goes after its term."""
    return actions.forget_raw(settings.HEARD_RAW_DAYS)
