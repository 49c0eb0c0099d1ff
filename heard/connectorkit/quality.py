"""The quality rules every connector answers in its ``quality.toml``: done, todo or exempt, and why."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

#: Every rule with what "done" means. A rule whose done can be seen by a machine is looked at by the
#: conformance suite; the others are a word given by whoever writes "done".
RULES: Mapping[str, str] = {
    "manifest": "Every field has a label and a help text, and the steps lead a newcomer to a token.",
    "fixtures-received": "Payloads of every kind the network sends are kept with what they mean.",
    "fixtures-sent": "Every verb we offer has a recorded exchange.",
    "fixtures-refused": "Refusals of the network are kept with the error they become.",
    "real-server": "It has met the network's own server, or the official contract.",
    "capabilities-per-message": "supports() answers for each message, with reasons for people.",
    "texts-counted": "The text limit counts as the network counts.",
    "errors-named": "Every failure becomes the error that says what to do next.",
    "rate-limits": "Pauses the network asks for are read from its own headers.",
    "sends-once": "The network takes a key of ours, so that a second send is harmless.",
    "look-up": "We can look whether a send of unknown outcome stands on the network.",
    "back-fill": "After an outage everything missed is fetched, or the gap is named.",
    "streaming": "The network's open line is used.",
    "push": "The network's webhooks are taken, with their signatures checked.",
    "edits": "An edit on the network is seen, and an older version never wins.",
    "deletions": "A deletion on the network is seen.",
    "echoes": "What we said elsewhere with the same account is recognised as ours.",
    "context": "The messages above one we were shown are fetched.",
    "media": "Attachments that need our credentials are fetched.",
    "rotation": "Rotated credentials are stored before they are used.",
    "terms": "The network's terms for its data are declared.",
    "guide": "The README leads an administrator through set-up, limits and quirks.",
}


class Standing(StrEnum):
    """Where a connector stands with a rule."""

    DONE = "done"
    TODO = "todo"
    EXEMPT = "exempt"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of ``quality.toml``; ``reason`` is a sentence unless done."""

    name: str
    standing: Standing
    reason: str = ""


def read_quality(path: Path) -> Mapping[str, Rule]:
    """The rules as a connector answers them.

    ``name = "done"`` or ``name = { standing = "todo", reason = "…" }`` under ``[rules]``. Raises
    ``ValueError`` naming the line that does not fit.
    """
    table = tomllib.loads(path.read_text(encoding="utf-8")).get("rules", {})
    return {name: _rule(name, answer) for name, answer in table.items()}


def _rule(name: str, answer: object) -> Rule:
    if isinstance(answer, str):
        return Rule(name, Standing(answer))
    if isinstance(answer, dict):
        return Rule(name, Standing(answer.get("standing", "")), str(answer.get("reason", "")))
    raise ValueError(f"{name}: neither a word nor a table")


def is_sentence(text: str) -> bool:
    """Whether ``text`` reads like a sentence: some words, an end."""
    return len(text.split()) >= 3 and text.strip()[-1] in ".!?…"
