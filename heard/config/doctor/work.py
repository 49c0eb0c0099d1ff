"""Whether the work gets done: channels, deliveries, the outbox, the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from heard.config.doctor.findings import Finding, count_of, fine, look, span_of, wrong

if TYPE_CHECKING:  # rooms can be imported only once the settings were understood
    from heard.domains.channels.queries import ChannelView

LATE_LOOK_SECONDS = 60.0
LATE_WRONG_SECONDS = 600.0
OVERDUE_SECONDS = 300.0


def _late(text: str, oldest: datetime | None, now: datetime, what_to_do: str) -> Finding:
    seconds = (now - oldest).total_seconds() if oldest else 0.0
    if seconds >= LATE_WRONG_SECONDS:
        return wrong(f"{text}, the oldest for {span_of(seconds)}.", what_to_do)
    if seconds >= LATE_LOOK_SECONDS:
        return look(f"{text}, the oldest for {span_of(seconds)}.", what_to_do)
    return fine(f"{text}.")


def backlog(waiting: int, oldest: datetime | None, now: datetime) -> Finding:
    """Deliveries that wait to be understood."""
    return _late(
        f"{count_of(waiting, 'delivery waits', 'deliveries wait')} to be understood",
        oldest,
        now,
        "See that heard worker runs, and what its log says. More workers help where it runs all the time.",
    )


def unsealed(waiting: int, oldest: datetime | None, now: datetime) -> Finding:
    """Facts that have no place in the journal's chain yet."""
    return _late(
        f"{count_of(waiting, 'fact waits', 'facts wait')} for a seal",
        oldest,
        now,
        "See that heard worker runs. On PostgreSQL, look for a transaction that never ends.",
    )


def reactions(lag: int, given_up: Sequence[tuple[str, int, int, str]]) -> list[Finding]:
    """``given_up``: (reaction, organization, position, error) that need a person."""
    found = [
        wrong(
            f"{name} gave up on entry {position} of organization {organization}: {error}",
            "Report it with the worker's log; the entry is kept and can be run again.",
        )
        for name, organization, position, error in given_up[:5]
    ]
    if len(given_up) > 5:
        found.append(wrong(f"There are {len(given_up) - 5} more of these.", "The first ones say why."))
    if lag > 10_000:
        found.append(
            look(f"A reaction has {lag:,} entries of the journal still to read.", "Let heard worker run.")
        )
    return found or [fine("Everything that follows from the journal has followed.")]


def channels(troubled: Sequence[ChannelView], unreadable: int) -> list[Finding]:
    """Channels that cannot listen, and what could not be read."""
    found = []
    for view in troubled:
        name = f"{view.network_name} {view.handle or view.name} (channel {view.channel_id})"
        if view.state == "refused":
            found.append(
                wrong(
                    f"{name} refuses its credentials: {view.state_reason}",
                    "Connect it again under Settings, Channels.",
                )
            )
        else:
            found.append(look(f"{name}: {view.error}", "Heard goes on trying; its health page says more."))
    if unreadable:
        found.append(
            look(
                f"{count_of(unreadable, 'delivery', 'deliveries')} could not be read, and are kept.",
                "Replay them from the channel's health page after an upgrade, or report one.",
            )
        )
    return found or [fine("All channels listen.")]


def looks(overdue: int) -> list[Finding]:
    """Channels that no worker looks at."""
    if not overdue:
        return []
    return [
        wrong(
            f"{count_of(overdue, 'channel')} should have been looked at at least "
            f"{span_of(OVERDUE_SECONDS)} ago, and no worker did.",
            "Start a worker: heard up starts one; with systemd, see what heard-worker says.",
        )
    ]


def unspoken(networks: Mapping[str, int]) -> list[Finding]:
    """Channels by network, where no connector speaks it."""
    return [
        wrong(
            f"{count_of(count, 'channel')} of “{network}” cannot listen: its connector is not installed.",
            "Install the package that brings it, or disconnect the channel.",
        )
        for network, count in networks.items()
    ]


def locked(found: Sequence[tuple[ChannelView, str]]) -> list[Finding]:
    """Channels whose secrets do not open."""
    return [
        wrong(
            f"The secrets of {view.network_name} {view.handle} do not open. {reason}",
            "Restore the keys from a backup (heard restore), or connect the channel again.",
        )
        for view, reason in found
    ] or [fine("The secrets of all channels open.")]


def locked_factors(count: int, reason: str) -> Finding:
    """Second factors whose secrets do not open: their owners cannot sign in."""
    if not count:
        return fine("The secrets of all second factors open.")
    do = "does not open" if count == 1 else "do not open"
    return wrong(
        f"{count_of(count, 'second factor')} {do}, so that their owners cannot sign in. {reason}",
        "Restore the keys from a backup (heard restore), or let them in anew: "
        "heard member reset EMAIL --without-second-factor",
    )


def outbox(unknown: int, asked: int) -> Finding:
    """What may or may not have been sent."""
    if asked:
        return look(
            f"{count_of(asked, 'message')} may or may not have been sent; only a person can tell.",
            "Their authors find them in the inbox, marked “Needs your decision”.",
        )
    if unknown:
        return fine(f"{count_of(unknown, 'message is', 'messages are')} being looked up on the network.")
    return fine("Nothing waits for a decision on whether it was sent.")
