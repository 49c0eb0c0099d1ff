"""What the inbox does when something happened."""

from __future__ import annotations

from collections.abc import Sequence

from heard.connectorkit.vocabulary import ReceiptState
from heard.domains.conversations.facts import MessagesArrived, MessageSent, ReceiptHeard
from heard.domains.inbox import actions
from heard.domains.journal.facts import Sealed, on


@on("inbox.cases", MessagesArrived, MessageSent, ReceiptHeard)
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
        elif fact.kind == ReceiptHeard.kind:
            if fact.data["state"] == ReceiptState.FAILED.value and fact.data["conversation_id"]:
                bring()
                actions.note_not_delivered(
                    fact.organization_id, fact.data["conversation_id"], fact.data["message_id"], fact.at
                )
        elif fact.data["conversation_id"]:
            bring()
            actions.note_answered(
                fact.organization_id,
                fact.actor,
                fact.data["conversation_id"],
                fact.data["message_id"],
                fact.at,
            )
    bring()
