"""What the inbox does when something happened."""

from __future__ import annotations

from collections.abc import Sequence

from heard.connectorkit.vocabulary import ReceiptState
from heard.domains.conversations.facts import MessagesArrived, MessageSent, MessageSplitOff, ReceiptHeard
from heard.domains.inbox import actions
from heard.domains.journal.facts import Sealed, on


@on("inbox.cases", MessagesArrived, MessageSent, MessageSplitOff, ReceiptHeard)
def cases(sealed: Sequence[Sealed]) -> None:
    """Messages reach their cases; our answers end the waiting, unless they come back. In the order in which
    they happened.
    """
    arrived: list[int] = []

    def bring() -> None:
        if arrived:
            actions.bring_to_cases(sealed[0].organization_id, arrived)
            arrived.clear()

    for fact in sealed:
        if fact.kind == MessagesArrived.kind:
            arrived.extend(fact.data["message_ids"])
        elif fact.data["conversation_id"]:
            bring()
            _FOLLOW[fact.kind](fact)
    bring()


def _sent(fact: Sealed) -> None:
    told = fact.data
    actions.note_answered(
        fact.organization_id, fact.actor, told["conversation_id"], told["message_id"], fact.at
    )


def _split_off(fact: Sealed) -> None:
    told = fact.data
    actions.note_split_off(fact.organization_id, told["conversation_id"], told["from_conversation_id"])


def _receipt(fact: Sealed) -> None:
    told = fact.data
    if told["state"] == ReceiptState.FAILED.value:
        actions.note_not_delivered(fact.organization_id, told["conversation_id"], told["message_id"], fact.at)


_FOLLOW = {MessageSent.kind: _sent, MessageSplitOff.kind: _split_off, ReceiptHeard.kind: _receipt}
