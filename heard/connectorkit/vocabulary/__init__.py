"""The words in which every connector speaks to Heard: frozen values, no behaviour.

Text is ``str`` without NUL bytes; instants are timezone-aware UTC ``datetime``; identifiers of a
network are opaque strings. Everything here can be written as JSON by ``plain.to_plain``.
"""

from .allowed import (
    Answer,
    Constraints,
    MediaLimit,
    No,
    Target,
    TextLimit,
    Yes,
)
from .heard import (
    Attachment,
    Author,
    Event,
    MessageGone,
    MessageSeen,
    Page,
    RawDelivery,
    Receipt,
    Ref,
    UnknownEvent,
)
from .said import (
    Account,
    CannotTell,
    LookUpResult,
    NotFound,
    OutFile,
    SendOrder,
    Sent,
    WhoAmI,
)
from .words import (
    ActorKind,
    AttachmentKind,
    MessageKind,
    ReceiptState,
    Source,
    TextUnit,
    Verb,
    Visibility,
)

__all__ = [
    "Account",
    "ActorKind",
    "Answer",
    "Attachment",
    "AttachmentKind",
    "Author",
    "CannotTell",
    "Constraints",
    "Event",
    "LookUpResult",
    "MediaLimit",
    "MessageGone",
    "MessageKind",
    "MessageSeen",
    "No",
    "NotFound",
    "OutFile",
    "Page",
    "RawDelivery",
    "Receipt",
    "ReceiptState",
    "Ref",
    "SendOrder",
    "Sent",
    "Source",
    "Target",
    "TextLimit",
    "TextUnit",
    "UnknownEvent",
    "Verb",
    "Visibility",
    "WhoAmI",
    "Yes",
]
