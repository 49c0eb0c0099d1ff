"""The verbs of conversations."""

from .changes import (
    erase_contact,
    erase_sent,
    forget_raw,
    keep_attachment,
    mark_context_done,
    set_attachment_problem,
    split_off,
)
from .intake import Incoming, TakenIn, take_in
from .sent import SentMessage, conversation_for_new, record_sent

__all__ = [
    "Incoming",
    "SentMessage",
    "TakenIn",
    "conversation_for_new",
    "erase_contact",
    "erase_sent",
    "forget_raw",
    "keep_attachment",
    "mark_context_done",
    "record_sent",
    "set_attachment_problem",
    "split_off",
    "take_in",
]
