"""Pictures, videos, link cards and quotes that come with a post, from its record and its view.

The record names the files; only the app view knows their addresses, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from heard.connectorkit.payload import want_int, want_list, want_mapping, want_text
from heard.connectorkit.vocabulary import Attachment, AttachmentKind

_QUOTES = {"app.bsky.embed.record", "app.bsky.embed.record#view"}
_PLAYLIST = "application/vnd.apple.mpegurl"


def attachments_of(did: str, record: Mapping[str, Any], view: Mapping[str, Any]) -> Sequence[Attachment]:
    """Whatever ``record`` embeds; what we have no word for is kept as ``UNKNOWN``. A quote is none.

    ``native_id`` is ``did/cid`` for files, so that they can be fetched where the view gave no address.
    """
    named, shown = _media(want_mapping(record, "embed")), _media(want_mapping(view, "embed"))
    kind = want_text(named, "$type") or want_text(shown, "$type").removesuffix("#view")
    if not kind or kind in _QUOTES:
        return ()
    if kind == "app.bsky.embed.images":
        return tuple(_images(did, want_list(named, "images"), want_list(shown, "images")))
    if kind == "app.bsky.embed.video":
        return (_video(did, named, shown),)
    if kind == "app.bsky.embed.external":
        return (_card(want_mapping(named, "external") or want_mapping(shown, "external")),)
    return (Attachment(native_id=kind[:200], kind=AttachmentKind.UNKNOWN, name=kind[:200]),)


def _media(embed: Mapping[str, Any]) -> Mapping[str, Any]:
    """The pictures beside a quote, else the embed itself."""
    return want_mapping(embed, "media") or embed


def _images(did: str, named: Sequence[Any], shown: Sequence[Any]) -> Iterator[Attachment]:
    for image, view in zip_longest(map(_mapping, named), map(_mapping, shown), fillvalue=_mapping(None)):
        blob = want_mapping(image, "image")
        yield Attachment(
            native_id=_file_id(did, blob),
            kind=AttachmentKind.IMAGE,
            url=_web(want_text(view, "fullsize")),
            content_type=want_text(blob, "mimeType"),
            alt=want_text(image, "alt") or want_text(view, "alt"),
            size_bytes=want_int(blob, "size"),
        )


def _video(did: str, named: Mapping[str, Any], shown: Mapping[str, Any]) -> Attachment:
    blob = want_mapping(named, "video")
    playlist = _web(want_text(shown, "playlist"))
    return Attachment(
        native_id=_file_id(did, blob) or f"{did}/{want_text(shown, 'cid')}",
        kind=AttachmentKind.VIDEO,
        url=playlist,
        content_type=_PLAYLIST if playlist else want_text(blob, "mimeType"),
        alt=want_text(named, "alt") or want_text(shown, "alt"),
        size_bytes=want_int(blob, "size"),
        # What can be fetched is a list of pieces, not the film: a copy of it would play nothing.
        cache_allowed=False,
    )


def _card(external: Mapping[str, Any]) -> Attachment:
    """A link with a title; animated pictures come as one."""
    uri = _web(want_text(external, "uri"))
    return Attachment(
        native_id=uri[:2000],
        kind=AttachmentKind.UNKNOWN,
        url=uri,
        name=want_text(external, "title"),
        content_type="text/html",
        alt=want_text(external, "description"),
        cache_allowed=False,
    )


def _file_id(did: str, blob: Mapping[str, Any]) -> str:
    cid = want_text(want_mapping(blob, "ref"), "$link") or want_text(blob, "cid")
    return f"{did}/{cid}" if cid else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _web(url: str) -> str:
    return url if url.startswith(("https://", "http://")) else ""
