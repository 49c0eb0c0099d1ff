"""The verbs of the inbox."""

from .arrive import bring_to_cases, note_answered, note_not_delivered, note_split_off
from .drafts import end_draft, keep_draft
from .snooze import snooze_case, wake_due
from .work import assign_case, erase_contact, mark_seen, set_status, write_note

__all__ = [
    "assign_case",
    "bring_to_cases",
    "end_draft",
    "erase_contact",
    "keep_draft",
    "mark_seen",
    "note_answered",
    "note_not_delivered",
    "note_split_off",
    "set_status",
    "snooze_case",
    "wake_due",
    "write_note",
]
