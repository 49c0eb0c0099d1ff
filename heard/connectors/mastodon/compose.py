"""What we write, and whether what stands there is what we wrote. Pure."""

from __future__ import annotations

import re
import unicodedata

from heard.connectorkit.payload import clean

#: What may follow ``@``. A handle that does not fit could smuggle further mentions into our text.
_HANDLE = re.compile(r"[\w.-]+(@[\w.-]+(:\d{1,5})?)?")
_MENTION = re.compile(r"(?<![\w/@])@([\w.-]*\w)(?:@([\w.-]*\w(?::\d{1,5})?))?")


def local_name(handle: str, domain: str) -> str:
    """``anna@our.server`` as its own people write it (``anna``); a remote handle unchanged."""
    name, _, server = handle.lstrip("@").partition("@")
    return name if server.lower() == domain.lower() else handle.lstrip("@")


def can_be_mentioned(handle: str) -> bool:
    """Whether ``@handle`` is one mention and nothing else."""
    return bool(_HANDLE.fullmatch(handle))


def addressed(text: str, handle: str, domain: str) -> str:
    """``text`` beginning with a mention of ``handle`` where it does not mention them already.

    Without it the person would not be told that we answered. ``handle`` must be one that
    ``can_be_mentioned``.
    """
    tidy = clean(text.replace("\x00", ""))
    person = local_name(handle, domain)
    if person.lower() in {local_name(found, domain).lower() for found in mentioned(tidy)}:
        return tidy
    return f"@{person} {tidy}".rstrip()


def mentioned(text: str) -> list[str]:
    """The handles in ``text``, without the leading ``@``."""
    return [f"{name}@{server}" if server else name for name, server in _MENTION.findall(text)]


def says_the_same(ours: str, theirs: str) -> bool:
    """Whether ``theirs`` is our text as a server shows it.

    Servers rewrite: they shorten mentions to the local part, turn blank lines into paragraphs, and
    some take ``*stars*`` for markup. Letters and digits survive all of that.
    """
    one, other = _essence(ours), _essence(theirs)
    if one or other:
        return one == other
    return "".join(ours.split()) == "".join(theirs.split())


def _essence(text: str) -> str:
    names_only = _MENTION.sub(r"@\1", unicodedata.normalize("NFC", text))
    return "".join(char for char in names_only.casefold() if char.isalnum())
