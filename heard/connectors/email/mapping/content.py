"""What a mail says and what it carries: the text, the HTML, the files."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from heard.connectorkit.text import html_to_text
from heard.connectorkit.vocabulary import Attachment, AttachmentKind

from .charsets import decode, one_line, tidy
from .headers import file_name, media_type, split_head
from .structure import Part

#: Characters of text and of HTML that are shown; the rest of a longer part is kept as a file.
LONGEST_TEXT = 500_000
LONGEST_HTML = 1_000_000
MOST_ATTACHMENTS = 300

_KINDS = {
    "image": AttachmentKind.IMAGE,
    "video": AttachmentKind.VIDEO,
    "audio": AttachmentKind.AUDIO,
}
_CONTENT_ID = re.compile(r"<?([^<>\s]{1,250})>?")
_ENDINGS = {"text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "message/rfc822": ".eml"}


@dataclass(slots=True)
class Content:
    """What was found, in its order. ``pieces`` are (text, HTML), either may be empty."""

    pieces: list[tuple[str, str]] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The whole text, as plain text."""
        texts = [text.strip("\n") for text, _ in self.pieces if text.strip()]
        return "\n\n".join(texts)[:LONGEST_TEXT]

    @property
    def html(self) -> str:
        """The whole as HTML where some of it came as HTML, else ``""``. It is not sanitised."""
        if not any(html for _, html in self.pieces):
            return ""
        shown = [html or f"<pre>{entities.escape(text)}</pre>" for text, html in self.pieces]
        return "\n".join(shown)[:LONGEST_HTML]


def read_content(mail: Part) -> Content:
    """The content of a mail. Where it offers alternatives, the plain text and the HTML are both kept."""
    content = Content()
    _read(mail, content)
    shown = unquote(content.html)
    content.attachments = [
        replace(file, inline=True) if file.url and file.url in shown else file for file in content.attachments
    ]
    return content


def _read(part: Part, content: Content) -> None:
    if part.content_type == "multipart/alternative" and part.is_multipart:
        _read_alternatives(part, content)
    elif part.is_multipart:
        for child in part.children:
            _read(child, content)
    elif _is_text(part):
        _say(part, content)
    else:
        _attach(part, content)


def _read_alternatives(part: Part, content: Content) -> None:
    """The alternatives say one thing: they become one piece; what is no text goes to the files."""
    inner = Content()
    for child in part.children:
        _read(child, inner)
    text = next((text for text, html in inner.pieces if text.strip() and not html), "")
    html = next((html for _, html in reversed(inner.pieces) if html), "")
    spoken = text or next((text for text, _ in inner.pieces if text.strip()), "")
    if spoken or html:
        content.pieces.append((spoken, html))
    content.attachments += inner.attachments[: MOST_ATTACHMENTS - len(content.attachments)]


def _is_text(part: Part) -> bool:
    if part.unopened or part.content_type not in ("text/plain", "text/html", "text/enriched"):
        return False
    disposition = part.disposition
    named = disposition.get("filename") or part.parameters.get("name")
    return disposition.value != "attachment" and not (named and disposition.value != "inline")


def _say(part: Part, content: Content) -> None:
    data = part.data()
    # Bytes: four for a character at most. Beyond that, decoding is work for nothing.
    text = decode(data[: LONGEST_HTML * 4], part.parameters.get("charset"))
    if part.content_type == "text/html":
        content.pieces.append((tidy(html_to_text(text)), text[:LONGEST_HTML]))
        too_long = len(text) > LONGEST_HTML
    else:
        content.pieces.append((_unflowed(text, part), ""))
        too_long = len(text) > LONGEST_TEXT
    if too_long:
        _attach(part, content)


def _unflowed(text: str, part: Part) -> str:
    """``text`` with the soft line breaks of ``format=flowed`` (RFC 3676) undone."""
    if part.parameters.get("format").lower() != "flowed":
        return text
    joiner = "" if part.parameters.get("delsp").lower() == "yes" else " "
    lines: list[str] = []
    flowing = False
    for line in text.split("\n"):
        plain = line.removeprefix(" ")
        quoted = plain.startswith(">")
        if flowing and not quoted:
            lines[-1] += plain
        else:
            lines.append(line if quoted else plain)
        flowing = plain.endswith(" ") and plain != "-- " and not quoted
        if flowing:
            lines[-1] = lines[-1][:-1] + joiner
    return "\n".join(lines)


def _attach(part: Part, content: Content) -> None:
    if len(content.attachments) >= MOST_ATTACHMENTS:
        return
    data = part.body if part.unopened else part.data()
    if not data and not part.headers.pairs:
        return
    disposition = part.disposition
    content_id = _content_id(part)
    name = file_name(disposition.get("filename"), part.parameters.get("name"), _subject(part))
    content.attachments.append(
        Attachment(
            native_id=part.section or "1",
            kind=kind_of(part.content_type),
            url=f"cid:{content_id}" if content_id else "",
            name=name or f"file-{part.section or '1'}{_ENDINGS.get(part.content_type, '')}",
            content_type=part.content_type,
            alt=part.headers.words("content-description", 500),
            size_bytes=len(data),
            data=data,
        )
    )


def _content_id(part: Part) -> str:
    found = _CONTENT_ID.fullmatch(part.headers.first("content-id"))
    return found[1] if found else ""


def _subject(part: Part) -> str:
    """A mail inside a mail is called by its subject."""
    if part.content_type != "message/rfc822":
        return ""
    subject = split_head(part.body)[0].words("subject", 100)
    return f"{subject}.eml".replace("/", "-").replace("\\", "-") if subject else ""


def kind_of(content_type: str) -> AttachmentKind:
    """The coarse kind of a media type."""
    return _KINDS.get(content_type.partition("/")[0], AttachmentKind.FILE)


def omitted_attachments(entries: Any, size_bytes: int | None) -> Sequence[Attachment]:
    """What a delivery says it left on the server: each with its size, none with its bytes.

    ``entries`` come from our own envelope, but a kept envelope may be of any age or shape.
    """
    known = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    found = [_omitted(entry) for entry in known[:MOST_ATTACHMENTS]]
    if not found and size_bytes is not None:
        name = "The rest of this mail was too large to fetch"
        found = [Attachment(native_id="rest", kind=AttachmentKind.UNKNOWN, name=name, size_bytes=size_bytes)]
    return found


def _omitted(entry: dict[str, Any]) -> Attachment:
    content_type = media_type(str(entry.get("content_type", "")).lower(), "application/octet-stream")
    size = entry.get("size")
    fits = isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**53
    return Attachment(
        native_id=one_line(str(entry.get("pointer", "")), 500) or "rest",
        kind=kind_of(content_type),
        name=file_name(str(entry.get("name", ""))) or "A file too large to fetch",
        content_type=content_type,
        size_bytes=size if fits else None,
    )
