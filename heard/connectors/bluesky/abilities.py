"""What may be asked of Bluesky, of which message: pure, read by the composer, the checks and ``send``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from heard.connectorkit.vocabulary import (
    Account,
    Answer,
    Constraints,
    No,
    Target,
    Verb,
    Visibility,
    Yes,
)

from .limits import CHAT_TEXT, PICTURES, POST_TEXT
from .syntax import is_did, record_uri

_PUBLIC = Constraints(
    text=POST_TEXT,
    media=PICTURES,
    visibilities=(Visibility.PUBLIC,),
    warnings=("Describe every picture for people who cannot see it.", "Bluesky posts cannot be edited."),
)
_PRIVATE = Constraints(text=CHAT_TEXT, visibilities=(Visibility.PRIVATE,))
_NO_MESSAGE = No("Choose the message that this is about.")


def wants_direct_messages(account: Account) -> bool:
    """Whether the administrator switched direct messages on; forms hand over words."""
    return str(account.settings.get("direct_messages", "")).strip().lower() in {"true", "on", "yes", "1"}


def answer(verb: Verb, target: Target | None, account: Account) -> Answer:
    """``Yes`` with its constraints, or ``No`` with a reason for people."""
    return _QUESTIONS[verb](target, account)


def _post(target: Target | None, account: Account) -> Answer:
    del target, account
    return Yes(_PUBLIC)


def _reply(target: Target | None, account: Account) -> Answer:
    del account
    if target is None:
        return _NO_MESSAGE
    if target.visibility is Visibility.PRIVATE:
        return No("A private message is not answered in public.", remedy="Send a direct message instead.")
    if not record_uri(target.native_id):
        return No("This is not a post on Bluesky.")
    if "reply_disabled" in target.refs:
        return No("The author has limited who may reply, and this account is not among them.")
    if "blocked_by" in target.refs:
        return No("The author blocks this account, so a reply would not be seen.")
    return Yes(_PUBLIC)


def _direct_message(target: Target | None, account: Account) -> Answer:
    if not wants_direct_messages(account):
        return No(
            "Direct messages are switched off for this channel.",
            remedy="An administrator can switch them on in the channel's settings.",
        )
    if target is not None and not is_did(target.author.native_id) and not target.thread_key:
        return No("This person is not known to Bluesky.")
    return Yes(_PRIVATE)


def _like(target: Target | None, account: Account) -> Answer:
    del account
    if target is None:
        return _NO_MESSAGE
    if target.visibility is Visibility.PRIVATE or not record_uri(target.native_id):
        return No("Only public posts can be liked.")
    return Yes()


def _hide(target: Target | None, account: Account) -> Answer:
    if target is None:
        return _NO_MESSAGE
    root = record_uri(target.root.native_id) if target.root else None
    if target.visibility is Visibility.PRIVATE or root is None or not record_uri(target.native_id):
        return No("Only a reply below a post can be hidden.")
    if root.authority != account.native_id:
        return No("Only replies below this account's own posts can be hidden.")
    return Yes(Constraints(warnings=("Hidden replies stay readable behind a click.",)))


def _delete(target: Target | None, account: Account) -> Answer:
    if target is None:
        return _NO_MESSAGE
    uri = record_uri(target.native_id)
    if uri is None or uri.authority != account.native_id:
        return No("Only this account's own posts can be deleted.")
    return Yes()


def _block(target: Target | None, account: Account) -> Answer:
    if target is None:
        return _NO_MESSAGE
    if not is_did(target.author.native_id):
        return No("This person is not known to Bluesky.")
    if target.author.native_id == account.native_id:
        return No("An account cannot block itself.")
    return Yes(Constraints(warnings=("On Bluesky everybody can see whom an account blocks.",)))


_QUESTIONS: Mapping[Verb, Callable[[Target | None, Account], Answer]] = {
    Verb.POST: _post,
    Verb.REPLY: _reply,
    Verb.DIRECT_MESSAGE: _direct_message,
    Verb.LIKE: _like,
    Verb.HIDE: _hide,
    Verb.DELETE: _delete,
    Verb.BLOCK: _block,
}
