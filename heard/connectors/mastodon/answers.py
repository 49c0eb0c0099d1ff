"""What may be asked of Mastodon, of which message, within which limits. Pure.

Limits come from the server itself (``Account.limits``, kept from ``identify``): 500 characters are
usual, others allow 5,000 and more. What a server leaves out is taken from Mastodon's own defaults.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from heard.connectorkit.payload import want_int, want_list, want_mapping
from heard.connectorkit.vocabulary import (
    Account,
    ActorKind,
    Answer,
    Constraints,
    MediaLimit,
    No,
    Target,
    TextLimit,
    TextUnit,
    Verb,
    Visibility,
    Yes,
)

from .compose import can_be_mentioned, local_name
from .mapping import domain_of

DEFAULT_CHARACTERS = 500
DEFAULT_URL_COST = 23
DEFAULT_FILES = 4
DEFAULT_FILE_BYTES = 10_485_760
DEFAULT_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")

#: From the widest audience to the narrowest.
AUDIENCES = (Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS, Visibility.PRIVATE)
NOT_PRIVATE = (
    "A direct message on Mastodon is a post that only the people mentioned in it can see. It is not "
    "encrypted, the servers' administrators can read it, and every @name you add can read it too."
)
AUTOMATED = "An automated answer: the account's profile must say that it is automated (“bot”)."
_SCOPES_OF: Mapping[Verb, str] = {
    Verb.LIKE: "write:favourites",
    Verb.BLOCK: "write:blocks",
}


def answer(verb: Verb, target: Target | None, actor: ActorKind, account: Account) -> Answer:
    """May ``verb`` be asked of ``target`` by ``actor``?"""
    needed = _SCOPES_OF.get(verb)
    if needed and not granted(account, needed):
        return No(
            f"The access token lacks the permission “{needed}”.",
            remedy="Add it to the application under Preferences > Development, and connect again.",
        )
    if verb is Verb.HIDE:
        return No(
            "Mastodon has no way to hide somebody's reply.",
            remedy="You can block the person, or report the post to your server's moderators.",
        )
    if verb in (Verb.POST, Verb.DIRECT_MESSAGE):
        return _writing(verb, target, actor, account)
    if target is None:
        return No("There is no message to do this with.")
    if verb is Verb.REPLY:
        return _writing(verb, target, actor, account)
    return _acting(verb, target)


def _acting(verb: Verb, target: Target) -> Answer:
    if verb is Verb.DELETE and not target.author.is_us:
        return No(
            "On Mastodon you can delete your own posts only.",
            remedy="You can block the person, or report the post to your server's moderators.",
        )
    if verb is Verb.BLOCK and target.author.is_us:
        return No("You cannot block your own account.")
    if verb is Verb.BLOCK and not target.author.native_id:
        return No("The network did not say who wrote this.")
    return Yes()


def _writing(verb: Verb, target: Target | None, actor: ActorKind, account: Account) -> Answer:
    person = "" if target is None else handle_of(target)
    if verb is Verb.DIRECT_MESSAGE and target is not None and not person:
        return No("There is nobody to write to: this is your own post.")
    if person and not can_be_mentioned(person):
        return No("The author's handle cannot be mentioned, so they would not be told of an answer.")
    audiences = _audiences(verb, target)
    warnings = (NOT_PRIVATE,) if Visibility.PRIVATE in audiences else ()
    if actor is ActorKind.BOT:
        warnings = (*warnings, AUTOMATED)
    constraints = Constraints(
        text=text_limit(account, mentioning=local_name(person, domain_of(account))),
        media=media_limit(account),
        visibilities=audiences,
        subject=True,
        warnings=warnings,
    )
    return Yes(constraints)


def _audiences(verb: Verb, target: Target | None) -> Sequence[Visibility]:
    if verb is Verb.DIRECT_MESSAGE:
        return (Visibility.PRIVATE,)
    if verb is Verb.POST or target is None:
        return AUDIENCES[:3]
    # Never to more people than the message we answer.
    return AUDIENCES[AUDIENCES.index(target.visibility) :]


def handle_of(target: Target) -> str:
    """Whom an answer to ``target`` must mention; ``""`` for our own posts."""
    if target.author.is_us:
        return ""
    return target.author.handle or target.refs.get("acct", "")


def granted(account: Account, scope: str) -> bool:
    """Whether our token has ``scope`` (``write:blocks``), as far as the server told; unknown is yes."""
    scopes = account.limits.get("scopes")
    if not isinstance(scopes, Sequence) or isinstance(scopes, str) or not scopes:
        return True
    return covers([str(item) for item in scopes], scope)


def covers(scopes: Sequence[str], needed: str) -> bool:
    """``write`` covers ``write:blocks``."""
    return needed in scopes or needed.partition(":")[0] in scopes


def text_limit(account: Account, *, mentioning: str = "") -> TextLimit:
    """The server's limit, less the mention that ``send`` puts in front where it is missing."""
    statuses = want_mapping(account.limits, "statuses")
    maximum = want_int(statuses, "max_characters") or DEFAULT_CHARACTERS
    prefix = len(mentioning.partition("@")[0]) + 2 if mentioning else 0
    url_cost = want_int(statuses, "characters_reserved_per_url")
    return TextLimit(
        maximum=max(1, maximum - prefix),
        unit=TextUnit.GRAPHEME,
        url_cost=DEFAULT_URL_COST if url_cost is None else url_cost,
        mention_local_only=True,
    )


def media_limit(account: Account) -> MediaLimit:
    """How many files, of which types. The size is that for images: the server takes larger videos, but
    a limit holds for every type it names."""
    files = want_mapping(account.limits, "media_attachments")
    count = want_int(want_mapping(account.limits, "statuses"), "max_media_attachments")
    types = tuple(item for item in want_list(files, "supported_mime_types") if isinstance(item, str))
    return MediaLimit(
        count=DEFAULT_FILES if count is None else count,
        types=types or DEFAULT_TYPES,
        maximum_bytes=want_int(files, "image_size_limit") or DEFAULT_FILE_BYTES,
    )
