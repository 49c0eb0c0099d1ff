"""What people said and what stands on the network, compared with what Heard has on record."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .installation import Installation
from .pusher import Pushed
from .record import Record

ARRIVED = "SELECT body FROM journal_fact WHERE kind = 'conversations.MessagesArrived'"
FINAL = {"sent", "rejected", "cancelled", "asked"}
MESSAGES = """
    SELECT m.id, m.channel_id, m.native_id, m.direction, m.state, m.text, m.conversation_id,
        (SELECT count(*) FROM inbox_caseconversation k WHERE k.conversation_id = m.conversation_id)
    FROM conversations_message m
"""


@dataclass(slots=True)
class Verdict:
    """Counts for the table, and a sentence for each thing that is not as it has to be."""

    counts: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.wrong


def listed(found: Installation, path: str, **query: Any) -> list[dict[str, Any]]:
    """Every post of a control list, page by page."""
    posts: list[dict[str, Any]] = []
    while True:
        page = found.control("GET", path, limit=5000, after=posts[-1]["id"] if posts else 0, **query)
        posts += page["posts"]
        if not page["more"]:
            return posts


def compare(
    found: Installation,
    record: Record,
    submitted: dict[str, str],
    lines: dict[str, dict[str, Any]],
    pushed: Pushed,
) -> Verdict:
    """The whole comparison; ``lines`` are the settings of each brand's channel that is answered on."""
    verdict = Verdict()
    said = listed(found, "said")
    rows = record.rows(MESSAGES)
    brands = {str(number): brand for brand, number in found.company["channels"].items()}
    _inbound(verdict, said, rows)
    _by_webhook(verdict, pushed, rows, record)
    _outbound(verdict, found, record, submitted, lines, brands)
    _echoes(verdict, found, rows, brands)
    verdict.counts["reactions given up"] = record.given_up()
    verdict.counts["deliveries unreadable"] = record.unreadable_deliveries()
    if verdict.counts["reactions given up"]:
        verdict.wrong.append("a reaction was given up")
    if verdict.counts["deliveries unreadable"]:
        verdict.wrong.append("a delivery could not be read")
    checked = found.run("heard", "journal", "verify")
    verdict.counts["journal entries"] = int(record.one("SELECT count(*) FROM journal_seal"))
    if checked.returncode:
        verdict.wrong.append(f"the journal does not hold: {checked.stdout}{checked.stderr}"[:500])
    return verdict


def _inbound(verdict: Verdict, said: list[dict[str, Any]], rows: list[tuple[Any, ...]]) -> None:
    by_native: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_native.setdefault(row[2], []).append(row)
    verdict.counts["said"] = len(said)
    verdict.counts["said and deleted"] = sum(post["deleted"] for post in said)
    lost = twice = stale = homeless = risen = 0
    for post in said:
        held = by_native.get(post["id"], [])
        if post["deleted"]:
            # Who was away from its first word to its deletion need not know that it ever stood.
            risen += any(row[4] == "visible" for row in held)
            twice += len(held) > 1
            continue
        lost += not held
        twice += len(held) > 1
        for row in held[:1]:
            stale += row[5] != post["text"]
            homeless += row[3] != "in" or row[6] is None or row[7] != 1
    _note(verdict, "messages lost", lost)
    _note(verdict, "messages twice", twice)
    _note(verdict, "edits not followed", stale)
    _note(verdict, "messages without exactly one case", homeless)
    _note(verdict, "deleted messages still shown", risen)


def _by_webhook(verdict: Verdict, pushed: Pushed, rows: list[tuple[Any, ...]], record: Record) -> None:
    """Nothing else brings these: a 200 before the commit, and then a kill, would lose them."""
    held: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        if row[2] in pushed.given:
            held.setdefault(row[2], []).append(row)
    announced: Counter[int] = Counter()
    for (body,) in record.rows(ARRIVED):
        announced.update(json.loads(bytes(body))["data"]["message_ids"])
    alone = [row for (row, *more) in held.values() if not more]
    verdict.counts["pushed"] = len(pushed.given)
    verdict.counts["pushed, repeats for want of a 200"] = pushed.repeats
    _note(verdict, "pushed and never acknowledged", len(pushed.given.keys() - pushed.acknowledged))
    _note(verdict, "pushed, acknowledged with 200 and lost", len(pushed.acknowledged - held.keys()))
    _note(verdict, "pushed and there twice", len(held) - len(alone))
    _note(verdict, "pushed and not announced once", sum(announced[row[0]] != 1 for row in alone))
    _note(verdict, "pushed and not as it was said", sum(row[5] != pushed.given[row[2]] for row in alone))
    homeless = sum(row[3] != "in" or row[6] is None or row[7] != 1 for row in alone)
    _note(verdict, "pushed and without exactly one case", homeless)


def _outbound(
    verdict: Verdict,
    found: Installation,
    record: Record,
    submitted: dict[str, str],
    lines: dict[str, dict[str, Any]],
    brands: dict[str, str],
) -> None:
    stands: Counter[str] = Counter()
    for brand in lines:
        stands.update(post["text"] for post in listed(found, "posts", author=brand))
    rows = {
        text: (state, brands[str(channel)])
        for text, state, channel in record.rows("SELECT text, state, channel_id FROM outbox_outbound")
    }
    verdict.counts["answers acknowledged"] = len(submitted)
    for state, number in sorted(record.outbound_states().items()):
        verdict.counts[f"answers {state}"] = number
    unfinished = sum(state not in FINAL for state, _ in rows.values())
    forgotten = sum(text not in rows for text in submitted)
    twice = sum(number > 1 for number in stands.values())
    foreign = sum(text not in rows for text in stands)
    missing = surprising = astray = undone = 0
    for text, (state, brand) in rows.items():
        missing += state == "sent" and stands[text] != 1
        surprising += state in {"cancelled", "rejected"} and stands[text] != 0
        # Where a key is taken, or the network can be looked at, nobody needs to be asked.
        astray += state == "asked" and any(lines[brand].values())
        undone += submitted.get(text) == "taken back" and state != "cancelled"
    _note(verdict, "answers forgotten after their acknowledgement", forgotten)
    _note(verdict, "answers without an end", unfinished)
    _note(verdict, "answers standing twice", twice)
    _note(verdict, "answers said to be sent that do not stand", missing)
    _note(verdict, "answers standing though taken back or refused", surprising)
    _note(verdict, "answers asked about though the network could tell", astray)
    _note(verdict, "answers taken back that left", undone)
    _note(verdict, "posts of ours that nobody asked for", foreign)


def _echoes(
    verdict: Verdict, found: Installation, rows: list[tuple[Any, ...]], brands: dict[str, str]
) -> None:
    """Each post of ours is one message of ours, whether the receipt or the echo came first."""
    ours = Counter(row[2] for row in rows if row[3] == "out")
    wrong = 0
    for brand in brands.values():
        wrong += sum(ours[post["id"]] != 1 for post in listed(found, "posts", author=brand))
    _note(verdict, "posts of ours that are not exactly one message", wrong)


def _note(verdict: Verdict, what: str, number: int) -> None:
    verdict.counts[what] = number
    if number:
        verdict.wrong.append(f"{what}: {number}")
