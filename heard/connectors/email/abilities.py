"""What can be asked of a mailbox, of which message, by whom. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from heard.connectorkit.vocabulary import (
    Account,
    ActorKind,
    Answer,
    Constraints,
    MediaLimit,
    MessageKind,
    No,
    Target,
    TextLimit,
    TextUnit,
    Verb,
    Visibility,
    Yes,
)

from .mapping.addresses import is_address
from .settings import own_addresses

#: What servers usually take, where they do not say it themselves (EHLO SIZE).
USUAL_BYTES = 25_000_000
LONGEST_TEXT = 100_000
MOST_FILES = 20
#: Head, text and boundaries beside the files; and base64 writes 78 bytes for 57.
_BESIDE_FILES = 500_000

_NEVER: Mapping[Verb, str] = {
    Verb.POST: "A mailbox has no public to post to.",
    Verb.LIKE: "An e-mail cannot be liked.",
    Verb.HIDE: "An e-mail cannot be hidden from the person who wrote it.",
    Verb.DELETE: "An e-mail that was sent cannot be taken back.",
    Verb.BLOCK: "A mailbox cannot keep somebody from writing. Mark the conversation as spam instead.",
}


def answer_to(verb: Verb, target: Target | None, actor: ActorKind, account: Account) -> Answer:
    """Whether ``verb`` can be asked of ``target`` by ``actor``, and within which limits."""
    if verb in _NEVER:
        return No(_NEVER[verb])
    if verb is Verb.REPLY and (target is None or target.kind is not MessageKind.EMAIL):
        return No("Only an e-mail can be answered by e-mail.", remedy="Write a new e-mail instead.")
    if target is not None and target.kind is MessageKind.EMAIL:
        address = target.refs.get("reply_to") or target.author.handle
        if not is_address(address):
            return No("This e-mail names no address to answer to.", remedy="Write to an address you know.")
        if address.lower() in own_addresses(account):
            return No(
                "This e-mail names only ourselves to answer to.",
                remedy="Let the form that sent it put the customer's address into Reply-To.",
            )
        if actor is ActorKind.BOT and target.refs.get("automatic"):
            return No(
                "A machine wrote this e-mail, and machines must not answer each other without end.",
                remedy="A person can answer it.",
            )
    return Yes(_constraints(account))


def _constraints(account: Account) -> Constraints:
    known = account.limits.get("smtp_bytes")
    room = room_for_mail(known if isinstance(known, int) else 0)
    largest_file = max(0, room - _BESIDE_FILES) * 57 // 78
    return Constraints(
        text=TextLimit(LONGEST_TEXT, TextUnit.CODEPOINT),
        media=MediaLimit(MOST_FILES, ("*/*",), largest_file),
        visibilities=(Visibility.PRIVATE,),
        subject=True,
        warnings=tuple(_warnings(account)),
    )


def _warnings(account: Account) -> Iterator[str]:
    if account.settings.get("smtp_security") == "none":
        yield "This mailbox sends without encryption, so others on the way can read along."


def room_for_mail(said_bytes: int) -> int:
    """The largest whole mail a server takes, from what it said (0: nothing)."""
    return said_bytes or USUAL_BYTES
