"""Whether a machine wrote a mail: such mail is shown, but no machine of ours may answer it."""

from __future__ import annotations

import re

from .headers import Headers

_BULK = frozenset(("auto_reply", "auto-reply", "bulk", "junk", "list"))
_MARKS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "auto-response")
#: Senders of reports. RFC 3834 asks never to answer these.
_DAEMONS = re.compile(r"(mailer-daemon|postmaster|listserv|majordomo)@|[a-z-]+-bounces@", re.IGNORECASE)
#: Away notices of older servers carry nothing but their subject.
_AWAY = re.compile(
    r"(automatic reply|auto(matic)?[- ]?(response|reply)|out of (the )?office|automatische antwort"
    r"|abwesenheits(notiz|nachricht)|réponse automatique|absence du bureau|respuesta automática"
    r"|fuera de (la )?oficina|risposta automatica|autosvar|automatisch antwoord)\b",
    re.IGNORECASE,
)


def is_automatic(headers: Headers, sender: str, subject: str, ours: frozenset[str]) -> bool:
    """True for auto-replies, bulk mail, list mail, reports and mail without a return address.

    ``ours`` are our own addresses: where the company's address is itself a list or a group (as with
    Google Groups), every customer's mail carries that list's marks and is no less a person's.
    """
    submitted = headers.first("auto-submitted").partition(";")[0].strip().lower()
    if submitted:
        return submitted != "no"
    if _through_our_list(headers, ours):
        return False
    if headers.first("precedence").strip().lower() in _BULK or headers.first("list-id"):
        return True
    if any(headers.first(name) for name in _MARKS):
        return True
    if "all" in re.split(r"[,\s]+", headers.first("x-auto-response-suppress").lower()):
        return True
    null_sender = headers.first("return-path").replace(" ", "") == "<>"
    return null_sender or bool(_DAEMONS.match(sender)) or bool(_AWAY.match(subject))


def _through_our_list(headers: Headers, ours: frozenset[str]) -> bool:
    named = headers.first("list-id").lower().rpartition("<")[2].strip(" >")
    return bool(named) and named in {address.replace("@", ".") for address in ours}
