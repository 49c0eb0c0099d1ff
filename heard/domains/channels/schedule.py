"""The work of channels: looking at networks that are due, and retention of raw deliveries."""

from __future__ import annotations

from django.conf import settings

from heard.connectorkit import errors
from heard.connectorkit.vocabulary import Source
from heard.domains.channels import actions, queries, rules
from heard.domains.channels.actions import Metered
from heard.foundation import metrics
from heard.foundation.errors import HeardError, NotFound
from heard.foundation.logging import logger
from heard.foundation.work import Claimed, Lane, Slice, job

log = logger(__name__)
BLOCKED_SECONDS = 60
"""What only the operator can mend is tried again after this long."""


@job("channels.look", lane=Lane.NETWORK, sweep_seconds=2.0, limit=1, copies=4)
def look(turn: Slice) -> int:
    """Poll channels that are due: one page each, kept before the cursor moves."""
    claimed = actions.take_due_channels(turn.now, turn.limit)
    for item in claimed:
        look_at(item)
    return len(claimed)


def look_at(claimed: Claimed) -> None:
    """One look at one channel, unless the network's budget is kept for replies now."""
    try:
        wait_seconds = queries.seconds_until_look(claimed.id)
        if wait_seconds > 0:
            actions.put_off_look(claimed, wait_seconds)
            log.info("look_put_off", channel=claimed.id, seconds=round(wait_seconds))
            return
        line = actions.open_metered(claimed.organization_id, claimed.id)
    except NotFound:
        actions.pause_unspoken(claimed)
        log.warning("connector_missing", channel=claimed.id)
        return
    except HeardError as error:  # its secrets do not open
        actions.note_error(claimed, errors.Unreachable(error.message), poll_seconds=BLOCKED_SECONDS)
        return
    try:
        _look(claimed, line)
    finally:
        actions.keep_spending(line)


def _look(claimed: Claimed, line: Metered) -> None:
    manifest = line.connector.manifest
    pause = manifest.poll_seconds
    try:
        page = line.connector.fetch(line.link, queries.cursor(claimed.id))
    except errors.ConnectorError as error:
        actions.note_error(claimed, error, poll_seconds=pause)
        log.info("look_failed", channel=claimed.id, error=type(error).__name__)
        return
    except HeardError as error:
        actions.note_error(claimed, errors.Unreachable(error.message), poll_seconds=pause)
        return
    except Exception as error:
        # The channel's page must say so, and its next look come later and later, as with any other fault.
        log.exception("connector_broke", channel=claimed.id, network=manifest.network)
        actions.note_error(claimed, rules.broken(error), poll_seconds=pause)
        return
    actions.keep_page(claimed.organization_id, claimed.id, page.bodies, page.cursor, Source.POLL)
    metrics.DELIVERIES_RECEIVED.labels(network=manifest.network, source="poll").inc(len(page.bodies))
    actions.note_look(claimed, poll_seconds=pause, heard=bool(page.bodies), more=page.more, gap=page.gap)


@job("channels.forget_bodies", sweep_seconds=600.0)
def forget_bodies(turn: Slice) -> int:  # noqa: ARG001 - a job's signature
    """Retention: understood deliveries lose their body after its term."""
    return actions.forget_bodies(settings.HEARD_RAW_DAYS)
