"""The inbox's pages: list | thread | person, and what people do there."""

from .pages import case_page, conversation, inbox_page
from .writing import (
    answer,
    assign,
    block,
    cancel,
    count_text,
    decide,
    draft,
    retry,
    snooze,
    split_off,
    status,
)

__all__ = [
    "answer",
    "assign",
    "block",
    "cancel",
    "case_page",
    "conversation",
    "count_text",
    "decide",
    "draft",
    "inbox_page",
    "retry",
    "snooze",
    "split_off",
    "status",
]
