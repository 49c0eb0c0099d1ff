"""A mail too large to fetch whole: its head, its text, and a list of what stays on the server."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from heard.connectorkit.errors import Rejected, Unreachable, Unsupported
from heard.connectorkit.vocabulary import Attachment

from .client import MailStore
from .mapping.charsets import decode
from .mapping.envelope import folder_scope
from .mapping.headers import file_name, lenient_base64, media_type, parameters

#: As much of the text as is fetched of such a mail, in bytes as they were sent.
TEXT_BYTES = 500_000
_HEAD_BYTES = 64_000
MOST_LEAVES = 200
_DEEPEST = 20
_FIELD = re.compile(rb"[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*")
_ABOUT_CONTENT = re.compile(rb"content-|mime-version", re.IGNORECASE)
_POINTER = re.compile(r"(?P<scope>.+)/(?P<uid>\d{1,10})/(?P<section>\d+(\.\d+)*)/(?P<encoding>[a-z0-9-]*)")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One part that holds content, as the server describes it. ``size_bytes`` counts what was sent."""

    section: str
    content_type: str
    encoding: str
    size_bytes: int
    name: str
    attached: bool

    @property
    def is_text(self) -> bool:
        """Whether it is something to read rather than a file."""
        return self.content_type in ("text/plain", "text/html") and not self.attached and not self.name


def fetch_partly(store: MailStore, uid: int, id_scope: str) -> tuple[bytes, Sequence[dict[str, Any]]]:
    """The mail as one text part under its own head, and the parts left out (``pointer, name, size …``)."""
    head, structure = store.outline(uid)
    leaves = list(_leaves(structure, "", 0))[:MOST_LEAVES]
    text = next((leaf for kind in ("plain", "html") for leaf in leaves if _reads(leaf, kind)), None)
    left = [leaf for leaf in leaves if not leaf.is_text or leaf.size_bytes > TEXT_BYTES]
    omitted = [_described(leaf, id_scope, uid) for leaf in left]
    if text is None:
        return _only(head, own=False) + b"Content-Type: text/plain\r\n\r\n", omitted
    content = store.section(uid, text.section, TEXT_BYTES)
    if len(leaves) == 1 and text.section == "1":
        return head.rstrip(b"\r\n") + b"\r\n\r\n" + content, omitted
    about = store.section(uid, f"{text.section}.MIME", _HEAD_BYTES)
    return _only(head, own=False) + _only(about, own=True) + b"\r\n" + content, omitted


def fetch_part(store: MailStore, attachment: Attachment, maximum_bytes: int) -> bytes:
    """The content of a part that was left out.

    Raises ``Rejected`` where it is larger than allowed or its folder was renumbered since.
    """
    pointer = _POINTER.fullmatch(attachment.native_id)
    if pointer is None:
        raise Unsupported("This file did not stay on the mail server.")
    folder = store.open_folder(pointer["scope"].rpartition(";")[0])
    if folder_scope(folder.name, folder.uidvalidity) != pointer["scope"]:
        raise Rejected("The mail server renumbered its folder, so this file can no longer be found.")
    # Base64 takes four bytes for three, and line ends.
    most = maximum_bytes * 3 // 2 + 1_000
    sent = store.section(int(pointer["uid"]), pointer["section"], most)
    if not sent:
        raise Unreachable("The mail server no longer has this file.")
    data = _decoded(sent, pointer["encoding"])
    if len(sent) >= most or len(data) > maximum_bytes:
        raise Rejected("This file is larger than Heard fetches.")
    return data


def _decoded(sent: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return lenient_base64(sent)
    return binascii.a2b_qp(sent) if encoding == "quoted-printable" else sent


def _reads(leaf: Leaf, kind: str) -> bool:
    return leaf.is_text and leaf.content_type == f"text/{kind}"


def _described(leaf: Leaf, id_scope: str, uid: int) -> dict[str, Any]:
    return {
        "pointer": f"{id_scope}/{uid}/{leaf.section}/{leaf.encoding}",
        "name": leaf.name,
        "content_type": leaf.content_type,
        "size": leaf.size_bytes,
    }


def _only(head: bytes, *, own: bool) -> bytes:
    """The header fields that say what the content is (``own``), or all the others."""
    fields = _FIELD.findall(head)
    return b"".join(field for field in fields if field.strip() and bool(_ABOUT_CONTENT.match(field)) == own)


def _leaves(body: Any, section: str, depth: int) -> Iterator[Leaf]:
    """The leaves of a ``BODYSTRUCTURE``; what has another shape than RFC 3501 gives is passed over."""
    if not isinstance(body, tuple) or not body or depth > _DEEPEST:
        return
    if isinstance(body[0], list):
        prefix = f"{section}." if section else ""
        for number, child in enumerate(body[0], start=1):
            yield from _leaves(child, f"{prefix}{number}", depth + 1)
    elif len(body) >= 7:
        yield _leaf(body, section or "1")


def _leaf(body: tuple[Any, ...], section: str) -> Leaf:
    content_type = media_type(f"{_word(body[0])}/{_word(body[1])}", "application/octet-stream")
    # The disposition is a pair of a word and its parameters; nothing else in a leaf looks like that.
    pairs = (item for item in body[7:] if isinstance(item, tuple) and len(item) == 2)
    disposition = next((item for item in pairs if _word(item[0]) in ("attachment", "inline")), (b"", None))
    name = file_name(_parameter(disposition[1], "filename"), _parameter(body[2], "name"))
    encoding = re.sub(r"[^a-z0-9-]", "", _word(body[5]))
    size = body[6] if isinstance(body[6], int) else 0
    return Leaf(section, content_type, encoding, size, name, _word(disposition[0]) == "attachment")


def _word(value: Any) -> str:
    return decode(value).lower()[:100] if isinstance(value, bytes) else ""


def _parameter(pairs: Any, name: str) -> str:
    if not isinstance(pairs, tuple):
        return ""
    words = [decode(item)[:1_000] if isinstance(item, bytes) else "" for item in pairs]
    given = zip(words[::2], words[1::2], strict=False)
    written = [f"{key}={value}" if key.endswith("*") else f'{key}="{value}"' for key, value in given]
    return parameters("; ".join(["x", *written])).get(name)
