"""The verbs of the outbox."""

from .gate import (
    OrderToSend,
    ask_person,
    expire_sending,
    let_through,
    note_found,
    note_not_found,
    put_off,
    reject,
    release_held,
    set_unknown,
    settle_sent,
    take_unknown,
)
from .holds import Placed, ask_release, place_hold, release_hold
from .submit import cancel, decide, erase_contact, retry, submit

__all__ = [
    "OrderToSend",
    "Placed",
    "ask_person",
    "ask_release",
    "cancel",
    "decide",
    "erase_contact",
    "expire_sending",
    "let_through",
    "note_found",
    "note_not_found",
    "place_hold",
    "put_off",
    "reject",
    "release_held",
    "release_hold",
    "retry",
    "set_unknown",
    "settle_sent",
    "submit",
    "take_unknown",
]
