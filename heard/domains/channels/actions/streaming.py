"""Keeping the lines open of networks that stream: one thread per channel, one holder per line.

A line is leased (``streaming_until``) so that of several machines one holds it. The keeper renews the
leases of all its lines at once, and gives them back when it is told to stop. When a line is lost, and when
one opens, the channel is due to be looked at at once: polling back-fills, so there is no gap and, messages
being once, no duplicate.
"""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections
from django.db.models import Q

from heard.connectorkit import errors
from heard.connectorkit.protocol import Streams
from heard.connectorkit.vocabulary import Source
from heard.domains.channels import queries
from heard.domains.channels.actions.deliveries import ArrivedDelivery, receive
from heard.domains.channels.actions.health import keep_lines, note_streaming, refuse_channel
from heard.domains.channels.actions.link import open_link
from heard.domains.channels.models import Channel, ChannelState
from heard.foundation import clock, metrics
from heard.foundation.errors import HeardError
from heard.foundation.logging import logger

log = logger(__name__)
HOLD_SECONDS = 45.0
"""A killed holder's channels are deaf between looks for at most this long."""
RENEW_SECONDS = 15.0
LOOK_SECONDS = 3.0
BROKEN_SECONDS = 300.0
STATE_SECONDS = 1.0
"""Who pauses a channel hears at most this long of what still comes in on the open line."""


def take_line(organization_id: int, channel_id: int) -> bool:
    """Lease a channel's line; false while somebody else holds it."""
    now = clock.now()
    rows = Channel.objects.filter(organization_id=organization_id, pk=channel_id, state=ChannelState.ACTIVE)
    free = rows.filter(Q(streaming_until__isnull=True) | Q(streaming_until__lte=now))
    return bool(free.update(streaming_until=now + timedelta(seconds=HOLD_SECONDS)))


class StreamKeeper:
    """Opens a line for each active channel whose network streams, and opens it again when it is lost."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._threads: dict[int, threading.Thread] = {}
        self._not_before: dict[int, float] = {}
        self._failures: dict[int, int] = {}
        self._held: set[int] = set()
        self._lock = threading.Lock()
        self._renew_at = 0.0

    def run(self) -> None:
        """Keep lines until told to stop; then others may have them at once."""
        while not self._stop.is_set():
            try:
                self._open_missing()
                self._renew()
            except DatabaseError:
                log.warning("streams_lost_database")
            finally:
                close_old_connections()
            self._stop.wait(LOOK_SECONDS)
        self._let_go()
        connections.close_all()

    def _renew(self) -> None:
        if self._renew_at > time.monotonic():
            return
        self._renew_at = time.monotonic() + RENEW_SECONDS
        with self._lock:  # a line that is being given back must not be leased anew
            keep_lines(self._held, seconds=HOLD_SECONDS)

    def _let_go(self) -> None:
        try:
            with self._lock:
                keep_lines(self._held, seconds=0)
                self._held.clear()
        except DatabaseError:
            log.warning("lines_not_given_back")
        finally:
            close_old_connections()

    def _open_missing(self) -> None:
        for organization_id, channel_id, network in queries.streaming_candidates():
            running = self._threads.get(channel_id)
            if running is not None and running.is_alive():
                continue
            if self._not_before.get(channel_id, 0.0) > time.monotonic():
                continue
            if not isinstance(queries.connector_of(network), Streams) or not take_line(
                organization_id, channel_id
            ):
                continue
            thread = threading.Thread(
                target=self._hold,
                args=(organization_id, channel_id, network),
                name=f"line-{channel_id}",
                daemon=True,
            )
            self._threads[channel_id] = thread
            thread.start()

    def _hold(self, organization_id: int, channel_id: int, network: str) -> None:
        pause = 2.0
        with self._lock:
            self._held.add(channel_id)
        try:
            with metrics.STREAMS_OPEN.labels(network=network).track_inprogress():
                self._listen(organization_id, channel_id, network)
        except errors.Unsupported:
            pause = 3600.0
        except errors.CredentialsRefused as error:
            refuse_channel(organization_id, channel_id, error)
        except errors.RateLimited as error:
            pause = error.retry_after_seconds
        except (errors.ConnectorError, HeardError, DatabaseError) as error:
            failures = self._failures[channel_id] = self._failures.get(channel_id, 0) + 1
            pause = min(300.0, 2.0 * 2.0 ** min(failures, 8))
            log.info("line_lost", channel=channel_id, error=type(error).__name__)
        except Exception as error:
            # Python would print whatever the error says, and the line would be opened again at once.
            pause = BROKEN_SECONDS
            log.exception("connector_broke", channel=channel_id, network=network, error=type(error).__name__)
        finally:
            self._not_before[channel_id] = time.monotonic() + pause
            with self._lock:
                self._held.discard(channel_id)
            try:
                note_streaming(organization_id, channel_id, seconds=0)
            finally:
                connections.close_all()  # this thread ends

    def _listen(self, organization_id: int, channel_id: int, network: str) -> None:
        link, connector = open_link(organization_id, channel_id)
        looked_at = 0.0
        is_open = False
        for body in connector.stream(link):
            self._failures.pop(channel_id, None)
            if not is_open:
                # A stream begins now; what was said while there was none is looked for behind it.
                is_open = True
                note_streaming(organization_id, channel_id, seconds=HOLD_SECONDS, look=True)
            if self._stop.is_set():
                return
            if time.monotonic() - looked_at > STATE_SECONDS:
                looked_at = time.monotonic()
                state = Channel.objects.filter(pk=channel_id).values_list("state", flat=True).first()
                if state != ChannelState.ACTIVE:
                    return  # what came just now is not lost: the next look, after a resume, brings it
            if body:
                receive([ArrivedDelivery(organization_id, channel_id, Source.STREAM, body, clock.now())])
                metrics.DELIVERIES_RECEIVED.labels(network=network, source="stream").inc()
