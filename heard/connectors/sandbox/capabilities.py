"""What may be asked of the Sandbox, per message and per kind of actor; pure."""

from __future__ import annotations

from heard.connectorkit.payload import want_int, want_list
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
    Verb,
    Visibility,
    Yes,
)

TEXT_MAXIMUM = 500
URL_COST = 23
MEDIA_COUNT = 4
MEDIA_MAXIMUM_BYTES = 8_000_000
MEDIA_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf")


def supports(verb: Verb, target: Target | None, actor: ActorKind, account: Account) -> Answer:
    """Whether ``verb`` may be asked of ``target`` by ``actor``, and within which limits."""
    if verb is Verb.BLOCK:
        return No("Nobody can be blocked on the Sandbox.")
    if verb is Verb.POST:
        return Yes(_writing(account, Visibility.PUBLIC))
    if verb is Verb.DIRECT_MESSAGE:
        return _direct_message(target, actor, account)
    if target is None:
        return No("There is no message that this could be done to.")
    if verb is Verb.REPLY:
        return _reply(target, account)
    return _small_act(verb, target)


def _direct_message(target: Target | None, actor: ActorKind, account: Account) -> Answer:
    if target is None and actor is ActorKind.BOT:
        return No(
            "A bot may write privately only to somebody who has spoken to us.",
            remedy="Let a person write the first message.",
        )
    return Yes(_writing(account, Visibility.PRIVATE))


def _reply(target: Target, account: Account) -> Answer:
    if target.visibility is Visibility.PRIVATE:
        return Yes(_writing(account, Visibility.PRIVATE))
    return Yes(_writing(account, Visibility.PUBLIC, Visibility.PRIVATE))


def _small_act(verb: Verb, target: Target) -> Answer:
    if verb is Verb.HIDE and (target.kind is not MessageKind.COMMENT or target.author.is_us):
        return No("Only comments under our own posts can be hidden.")
    if verb is Verb.DELETE and not target.author.is_us:
        return No("Only our own posts can be deleted.", remedy="A comment under our posts can be hidden.")
    return Yes()


def _writing(account: Account, *visibilities: Visibility) -> Constraints:
    """The limits the server told us when the account was connected, ours where it did not."""
    limits = account.limits
    types = [kind for kind in want_list(limits, "media_types") if isinstance(kind, str)]
    return Constraints(
        text=TextLimit(
            maximum=want_int(limits, "text") or TEXT_MAXIMUM, url_cost=want_int(limits, "url") or URL_COST
        ),
        media=MediaLimit(
            count=want_int(limits, "media_count") or MEDIA_COUNT,
            types=tuple(types or MEDIA_TYPES),
            maximum_bytes=want_int(limits, "media_bytes") or MEDIA_MAXIMUM_BYTES,
        ),
        visibilities=visibilities,
    )
