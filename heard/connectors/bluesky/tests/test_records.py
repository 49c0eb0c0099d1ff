"""Marks in texts and records, against the official client; shapes of pictures."""

from __future__ import annotations

import json
import struct

import pytest
from atproto import client_utils, models
from hypothesis import given, settings
from hypothesis import strategies as st

from heard.connectorkit.testing import NOW, read_json
from heard.connectorkit.vocabulary import OutFile
from heard.connectors.bluesky import records
from heard.connectors.bluesky.facets import facets_for, find_spans
from heard.connectors.bluesky.pictures import size_of

from .played import ANNA, CID, FOLDER


def built(builder):
    return [facet.model_dump(by_alias=True, exclude_none=True) for facet in builder.build_facets()]


def plain_facets(facets):
    """Without the names of types that one side writes and the other leaves to the reader."""
    return [(facet["index"]["byteStart"], facet["index"]["byteEnd"], facet["features"]) for facet in facets]


WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="@#＃", exclude_categories=("Cs", "Cc")), max_size=12
)


@given(WORDS, WORDS, WORDS, WORDS)
def test_facets_are_those_of_the_official_builder(before, between, then, after):
    builder = client_utils.TextBuilder()
    builder.text(before + " ").mention("@anna.test", ANNA).text(" " + between + " ")
    builder.link("https://example.com/ä?b=c#d", "https://example.com/ä?b=c#d").text(" " + then + " ")
    builder.tag("#Überfällig", "Überfällig").text(" " + after)
    found = facets_for(builder.build_text(), {"anna.test": ANNA})
    ours = [facet for facet in plain_facets(found) if "nothing else" not in str(facet)]
    for expected in plain_facets(built(builder)):
        assert expected in ours


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://example.com.", [("link", "https://example.com")]),
        ("(https://example.com/a_(b)).", [("link", "https://example.com/a_(b)")]),
        ("„https://example.com/ü“", [("link", "https://example.com/ü")]),
        ("https://", []),
        ("HTTPS://EXAMPLE.com/A", [("link", "HTTPS://EXAMPLE.com/A")]),
        ("ftp://example.com", []),
        ("mail me at care@nordwind.test", []),
        ("@Anna.Test: thanks", [("mention", "anna.test")]),
        ("@anna.test. @anna.test", [("mention", "anna.test"), ("mention", "anna.test")]),
        ("@anna", []),
        ("@@anna.test", []),
        ("https://bsky.app/@anna.test #1", [("link", "https://bsky.app/@anna.test")]),
        ("#help", [("tag", "help")]),
        ("#help, #2026 #2026er #", [("tag", "help"), ("tag", "2026er")]),
        ("＃日本 a#b", [("tag", "日本")]),
        ("#\ufe0f\u20e3 keycap", []),
        ("#" + "a" * 65, []),
        ("#" + "a" * 64, [("tag", "a" * 64)]),
        ("", []),
    ],
)
def test_what_is_marked_and_what_is_not(text, expected):
    assert [(span.kind, span.value) for span in find_spans(text)] == expected


@given(st.text())
@settings(max_examples=300)
def test_marks_stay_inside_the_text_and_apart(text):
    spans = find_spans(text)
    ends = [0, *(edge for span in spans for edge in (span.start, span.end)), len(text)]
    assert ends == sorted(ends)
    assert all(span.start < span.end for span in spans)


def test_a_text_made_to_be_slow_is_not():
    for text in ("#" * 20_000, "@a." * 10_000, "https://a)" * 5_000, "e" + "\u0301" * 65_536, "a-" * 20_000):
        find_spans(text)


def test_what_we_write_fits_the_official_models():
    reference = records.reference(f"at://{ANNA}/app.bsky.feed.post/3n2vzj53qmc26", CID)
    text = "Grüße @anna.test #Hilfe https://example.com"
    blob = {"$type": "blob", "ref": {"$link": "bafkreiczrgy72d33k4rcqgavtep2oyo4xgraegpln2svtjtzzrjwxmkedq"},
            "mimeType": "image/png", "size": 100}  # fmt: skip
    picture = records.picture(blob, OutFile("a.png", "image/png", png(3, 2), "A picture"))
    written = {
        models.AppBskyFeedPost.Record: records.post(
            text, NOW, facets=facets_for(text, {"anna.test": ANNA}), parent=reference, pictures=[picture]
        ),
        models.AppBskyFeedLike.Record: records.like(reference, NOW),
        models.AppBskyGraphBlock.Record: records.block(ANNA, NOW),
        models.AppBskyFeedThreadgate.Record: records.gate(reference["uri"], [reference["uri"]], NOW, None),
    }
    for model, record in written.items():
        read = models.get_or_create(record, model, strict=True, strict_string_format=True)
        assert isinstance(read, model)
        assert json.loads(read.model_dump_json(by_alias=True, exclude_none=True)).keys() >= record.keys()


@pytest.mark.parametrize(
    ("case", "model"),
    [
        ("video", models.AppBskyFeedGetPosts.Response),
        ("link_card", models.AppBskyFeedGetPosts.Response),
        ("quote_with_picture", models.AppBskyFeedGetPosts.Response),
        ("new_embed", models.AppBskyFeedGetPosts.Response),
        ("gated_by_a_bot", models.AppBskyFeedGetPosts.Response),
        ("chat_message", models.ChatBskyConvoGetLog.Response),
        ("chat_own_message", models.ChatBskyConvoGetLog.Response),
        ("chat_deleted_and_begun", models.ChatBskyConvoGetLog.Response),
        ("chat_conversations", models.ChatBskyConvoListConvos.Response),
    ],
)
def test_payloads_shaped_by_hand_are_what_the_lexicons_say(case, model):
    payload = read_json(FOLDER / "fixtures" / "received" / case / "payload.json")
    payload.pop("profiles", None)
    assert models.get_or_create(payload, model, strict=True)


def png(width, height):
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + struct.pack(">II", width, height)
        + b"\x08\x02"
    )


def test_the_shape_of_a_picture_is_read_or_left_out():
    jpeg = b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"\0" * 14
    frame = b"\xff\xc2" + struct.pack(">HBHH", 17, 8, 480, 640) + b"\0" * 10
    assert size_of(png(3, 2)) == (3, 2)
    assert size_of(b"GIF89a" + struct.pack("<HH", 5, 7)) == (5, 7)
    assert size_of(jpeg + frame) == (640, 480)
    for other in (
        b"",
        b"\xff\xd8",
        jpeg,
        jpeg + frame[:5],
        png(0, 2),
        b"RIFF0000WEBPVP8 ",
        b"\x89PNG\r\n\x1a\n",
    ):
        assert size_of(other) is None


@given(st.binary(max_size=200))
def test_no_bytes_break_the_look_at_a_picture(data):
    size_of(b"\xff\xd8" + data)
    size_of(data)
