"""The work of the gate: sending what is due, and looking for what may have been sent."""

from __future__ import annotations

from heard.connectorkit import errors
from heard.connectorkit.protocol import LooksUp, may_repeat
from heard.connectorkit.vocabulary import NotFound, SendOrder, Sent
from heard.domains.channels import actions as channels
from heard.domains.channels.actions import Metered
from heard.domains.media import queries as media
from heard.domains.outbox import actions, queries, rules
from heard.foundation import clock, metrics
from heard.foundation.errors import HeardError
from heard.foundation.logging import logger
from heard.foundation.work import Claimed, Lane, Slice, job

log = logger(__name__)


def _line(claimed: Claimed) -> tuple[Metered, SendOrder]:
    files = media.contents(claimed.organization_id, queries.file_ids_of(claimed.organization_id, claimed.id))
    order, channel_id = queries.order_of(claimed.organization_id, claimed.id, files)
    return channels.open_metered(claimed.organization_id, channel_id), order


@job("outbox.send", lane=Lane.NETWORK, sweep_seconds=1.0, limit=1, copies=4)
def send(turn: Slice) -> int:
    """Let one due outbound through the gate and say it."""
    passed = actions.let_through(turn.now)
    if passed is None:
        return 0
    if passed.attempt:
        send_now(passed.claimed)
    return 1


def send_now(claimed: Claimed) -> None:
    """Hand one outbound that passed the gate to its network, and write down what became of it."""
    try:
        line, order = _line(claimed)
    except HeardError as error:
        actions.put_off(claimed, error.message)
        return
    if queries.is_in_doubt(claimed.organization_id, claimed.id) and not _takes_same_key(line, order):
        # Held back for too long, or the channel was set up anew: its key would be a second message by now.
        actions.set_unknown(claimed, "It may stand there, and the network does not know its key any more.")
        return
    network = line.connector.manifest.network
    try:
        with metrics.SEND_SECONDS.labels(network=network).time():
            sent = line.connector.send(line.link, order)
    except errors.ConnectorError as error:
        outcome = _failed(claimed, error)
    except Exception as error:
        outcome = "unknown"
        log.exception("send_broke", outbound=claimed.id, network=network)
        actions.set_unknown(claimed, f"The connector broke ({type(error).__name__}).")
    else:
        outcome = "sent"
        if not actions.settle_sent(claimed, sent):
            log.warning("lease_lost_after_send", outbound=claimed.id)
    metrics.SENDS.labels(network=network, outcome=outcome).inc()
    # Last: what became of the message is worth more than a count.
    channels.keep_spending(line)


def _failed(claimed: Claimed, error: errors.ConnectorError) -> str:
    """What a connector's error means for the outbound; anything unclear is unknown."""
    match error:
        case errors.RateLimited():
            actions.put_off(claimed, _later(error), pause_seconds=error.retry_after_seconds)
            return "put_off"
        case errors.Unreachable():
            actions.put_off(claimed, _later(error))
            return "put_off"
        case errors.CredentialsRefused():
            actions.reject(claimed, f"{error.message} Connect the account again, then retry.")
            channel_id = queries.order_of(claimed.organization_id, claimed.id, ())[1]
            channels.refuse_channel(claimed.organization_id, channel_id, error)
            return "rejected"
        case errors.Rejected() | errors.Unsupported():
            actions.reject(claimed, error.message)
            return "rejected"
        case _:
            actions.set_unknown(claimed, error.message)
            return "unknown"


def _later(error: errors.ConnectorError) -> str:
    """Why it waits, with what happens next."""
    return f"{error.message} Heard tries again by itself."


@job("outbox.expire", sweep_seconds=5.0)
def expire(turn: Slice) -> int:
    """What was being sent when its worker died is now unknown."""
    return actions.expire_sending(turn.now)


@job("outbox.look", lane=Lane.NETWORK, sweep_seconds=5.0, limit=5, copies=2)
def look(turn: Slice) -> int:
    """Look on the network for what may have been sent."""
    claimed = actions.take_unknown(turn.now, turn.limit)
    for item in claimed:
        look_for(item)
    return len(claimed)


def look_for(claimed: Claimed) -> None:
    """One look. A network that takes our key gets it again instead; never beyond its lifetime."""
    try:
        line, order = _line(claimed)
    except HeardError as error:
        actions.ask_person(claimed, error.message, look_again=True)
        return
    try:
        _look_for(claimed, line, order)
    finally:
        # A look is a request like any other: it leaves less of the network's budget for what comes next.
        channels.keep_spending(line)


def _look_for(claimed: Claimed, line: Metered, order: SendOrder) -> None:
    connector, manifest = line.connector, line.connector.manifest
    if isinstance(connector, LooksUp):
        try:
            found = connector.look_up(line.link, order)
        except errors.ConnectorError as error:
            actions.ask_person(claimed, error.message, look_again=True)
            return
        except Exception as error:
            log.exception("look_broke", outbound=claimed.id, network=manifest.network)
            reason = f"The connector broke while it looked ({type(error).__name__})."
            actions.ask_person(claimed, reason, look_again=True)
            return
        if isinstance(found, Sent):
            actions.note_found(claimed, found)
            return
        if isinstance(found, NotFound):
            actions.note_not_found(claimed)
            return
        reason = found.reason
    else:
        reason = f"{manifest.name} cannot be asked whether it stands there."
    if _takes_same_key(line, order):
        actions.note_not_found(claimed, in_doubt=True)
        return
    # "Cannot tell" is an answer: looking again would only keep the person waiting.
    actions.ask_person(claimed, reason, look_again=False)


def _takes_same_key(line: Metered, order: SendOrder) -> bool:
    """Would the network know this order again, so that handing it over once more says nothing twice?"""
    return rules.is_key_alive(
        takes_key=may_repeat(line.connector, line.link.account, order),
        lifetime_seconds=line.connector.manifest.key_lifetime_seconds,
        first_attempt_at=order.first_attempt_at,
        now=clock.now(),
    )
