"""What we say, as records of the AT Protocol: pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from heard.connectorkit.payload import clean
from heard.connectorkit.vocabulary import OutFile, SendOrder, Sent, Verb

from .client import BLOCK, GATE, LIKE, POST, post_address
from .pictures import size_of
from .syntax import at_uri, format_datetime, parse_datetime

Reference = Mapping[str, str]


def reference(uri: str, cid: str) -> dict[str, str]:
    """Names one version of one record."""
    return {"uri": uri, "cid": cid}


def post(
    text: str,
    at: datetime,
    *,
    facets: Sequence[Mapping[str, Any]] = (),
    parent: Reference | None = None,
    root: Reference | None = None,
    pictures: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """A post, or with ``parent`` a reply below ``root`` (the parent itself if that is the top)."""
    record: dict[str, Any] = {"$type": POST, "text": text, "createdAt": format_datetime(at)}
    if facets:
        record["facets"] = list(facets)
    if parent:
        record["reply"] = {"root": dict(root or parent), "parent": dict(parent)}
    if pictures:
        record["embed"] = {"$type": "app.bsky.embed.images", "images": list(pictures)}
    return record


def picture(blob: Mapping[str, Any], file: OutFile) -> dict[str, Any]:
    """One picture of a post; its shape lets apps leave room for it."""
    image: dict[str, Any] = {"image": dict(blob), "alt": file.alt}
    size = size_of(file.data)
    if size:
        image["aspectRatio"] = {"width": size[0], "height": size[1]}
    return image


def like(subject: Reference, at: datetime) -> dict[str, Any]:
    """We like this post."""
    return {"$type": LIKE, "subject": dict(subject), "createdAt": format_datetime(at)}


def block(did: str, at: datetime) -> dict[str, Any]:
    """We block this account; everybody can see that."""
    return {"$type": BLOCK, "subject": did, "createdAt": format_datetime(at)}


def gate(
    root_uri: str, hidden: Sequence[str], at: datetime, before: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Which replies are hidden below our own post; who may reply stays as it was ``before``."""
    kept = dict(before or {"$type": GATE, "post": root_uri, "createdAt": format_datetime(at)})
    return {**kept, "hiddenReplies": list(hidden)}


def sent(uri: str, cid: str, record: Mapping[str, Any]) -> Sent:
    """What stands on the network under ``uri``, from the record that is there."""
    parts = at_uri(uri)
    is_post = parts is not None and parts.collection == POST
    root = (record.get("reply") or {}).get("root") or {}
    refs = {"cid": cid, "root_uri": root.get("uri", ""), "root_cid": root.get("cid", "")}
    return Sent(
        native_id=uri,
        canonical_id=uri if is_post else "",
        url=post_address(parts.authority, parts.rkey) if parts and is_post else "",
        sent_at=parse_datetime(record.get("createdAt")),
        refs={name: value for name, value in refs.items() if value},
    )


def says(order: SendOrder, record: Mapping[str, Any]) -> bool:
    """Whether ``record`` is what ``order`` asked for, whenever it was written."""
    about = order.target.native_id if order.target else ""
    parent = ((record.get("reply") or {}).get("parent") or {}).get("uri", "")
    subject = record.get("subject")
    if order.verb is Verb.LIKE:
        return isinstance(subject, Mapping) and subject.get("uri") == about
    if order.verb is Verb.BLOCK:
        return order.target is not None and subject == order.target.author.native_id
    return record.get("text") == clean(order.text) and parent == (about if order.verb is Verb.REPLY else "")
