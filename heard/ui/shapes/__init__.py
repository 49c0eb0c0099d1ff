"""What the parts of a page are handed: frozen values that views fill and templates only read.

Times are aware UTC datetimes; ``tint`` is 0 to 5 (``tint_of``); every ``url`` is a path on this
site unless said otherwise; labels are already translated. A part never asks the database.
"""

from heard.ui.shapes.desk import (
    Attachment,
    Bubble,
    Choice,
    Composer,
    ConversationPart,
    IdentityLine,
    Mode,
    PastCase,
    Person,
    Present,
    Row,
    Thread,
)
from heard.ui.shapes.frame import (
    TINTS,
    Action,
    Banner,
    Column,
    DataTable,
    Filter,
    Health,
    HoldLine,
    NavItem,
    NavSection,
    Shell,
    View,
    Viewer,
    initials_of,
    tint_of,
)

__all__ = [
    "TINTS",
    "Action",
    "Attachment",
    "Banner",
    "Bubble",
    "Choice",
    "Column",
    "Composer",
    "ConversationPart",
    "DataTable",
    "Filter",
    "Health",
    "HoldLine",
    "IdentityLine",
    "Mode",
    "NavItem",
    "NavSection",
    "PastCase",
    "Person",
    "Present",
    "Row",
    "Shell",
    "Thread",
    "View",
    "Viewer",
    "initials_of",
    "tint_of",
]
