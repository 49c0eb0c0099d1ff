"""What is peculiar to Bluesky, and the suite that every connector passes."""

import base64
import dataclasses
import json
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from atproto import client_utils, models
from hypothesis import given, settings
from hypothesis import strategies as st

from heard.connectorkit.conformance import ConnectorConformance
from heard.connectorkit.errors import (
    CredentialsRefused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unreachable,
    Unreadable,
    Unsupported,
)
from heard.connectorkit.plain import from_plain, to_plain
from heard.connectorkit.testing import (
    NOW,
    FakeVault,
    RecordedNet,
    account_for,
    full_url,
    link,
    read_json,
)
from heard.connectorkit.vocabulary import (
    ActorKind,
    Attachment,
    AttachmentKind,
    Author,
    MessageKind,
    No,
    OutFile,
    RawDelivery,
    Ref,
    SendOrder,
    Sent,
    Source,
    Target,
    Verb,
    Visibility,
    Yes,
)

from . import CONNECTOR, records
from .answers import Refused
from .backlog import OVERLAP, PAGES_PER_CALL, REMEMBERED_AT_MOST, Track, read_back
from .facets import facets_for, find_spans
from .pictures import size_of
from .session import ACCESS, PASSWORD, REFRESH
from .syntax import (
    at_uri,
    format_datetime,
    is_did,
    is_handle,
    is_nsid,
    is_record_key,
    is_tid,
    parse_datetime,
    record_key_for,
    record_uri,
)

FOLDER = Path(__file__).parent
INTEROP = FOLDER.parents[3] / "shared" / "specs" / "atproto-interop"
US = "did:plc:nordwindnordwindnordwind"
ANNA = "did:plc:annabergannabergannaberga"
OTHER = "did:plc:somebodysomebodysomebody"
CID = "bafyreifu3x4g7pajsysm7pjevqxouxcif3k337jkef5ssvkhy3ob4krsri"
XRPC = "https://bsky.social/xrpc/"


def our_account(**changes):
    setting = {"handle": "nordwind.test", "service": "https://bsky.social", **changes.pop("settings", {})}
    base = account_for(CONNECTOR.manifest, native_id=US, handle="nordwind.test", settings=setting)
    return dataclasses.replace(base, **changes)


class TestBluesky(ConnectorConformance):
    connector = CONNECTOR
    folder = FOLDER

    @property
    def account(self):
        return our_account()

    @pytest.mark.parametrize(
        "case", sorted((FOLDER / "fixtures" / "looked").iterdir()), ids=lambda case: case.name
    )
    def test_looked(self, case):
        """Each kept look asks exactly what is recorded, and a second attempt finds what stands."""
        order, exchange = self._order(case), read_json(case / "exchange.json")
        net = RecordedNet(exchange)
        found = CONNECTOR.look_up(link(self._account_of(case), net), order)
        net.finished()
        assert to_plain(found) == read_json(case / "expected.json")
        if order.attempt > 1:
            assert isinstance(found, Sent)
            again = RecordedNet(exchange)
            assert CONNECTOR.send(link(self._account_of(case), again), order) == found
            again.finished()


# --- identifiers


def cases(name):
    if not INTEROP.is_dir():
        return [pytest.param(None, id="missing")]
    # Spaces at the ends are part of a case.
    lines = (INTEROP / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    return [pytest.param(line, id=line[:40]) for line in lines if line and not line.startswith("#")]


SYNTAX = {
    "handle": is_handle,
    "did": is_did,
    "nsid": is_nsid,
    "recordkey": is_record_key,
    "tid": is_tid,
    "aturi": lambda text: at_uri(text) is not None,
    "atidentifier": lambda text: is_did(text) or is_handle(text),
    "datetime": lambda text: parse_datetime(text) is not None,
}
INTEROP_CASES = [
    pytest.param(name, expected, *case.values, id=f"{name}-{expected}-{case.id}")
    for name in SYNTAX
    for expected in ("valid", "invalid")
    for case in cases(f"{name}_syntax_{expected}")
] + [
    pytest.param("datetime", "invalid", *case.values, id=f"parse-{case.id}")
    for case in cases("datetime_parse_invalid")
]


@pytest.mark.contract
@pytest.mark.parametrize(("name", "expected", "text"), INTEROP_CASES)
def test_the_protocols_own_cases(name, expected, text):
    if text is None:
        pytest.skip("the protocol's interoperability files are not beside this checkout (../shared/specs)")
    assert SYNTAX[name](text) is (expected == "valid")


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_key_names_one_record_for_ever(one, other):
    assert record_key_for(one) == record_key_for(one)
    assert (record_key_for(one) == record_key_for(other)) is (one == other)
    assert is_tid(record_key_for(one))


@given(st.text(max_size=40))
def test_a_key_never_meets_one_that_a_clock_gave(key):
    alphabet = "234567abcdefghijklmnopqrstuvwxyz"
    number = 0
    for letter in record_key_for(key):
        number = number * 32 + alphabet.index(letter)
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=number >> 10)
    assert at < datetime(2006, 1, 1, tzinfo=UTC)


def test_the_key_of_a_message_may_never_change():
    # Messages under way when Heard is upgraded are looked up under this very key.
    assert record_key_for("key-1") == "2rsorcp5dj5lr"


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_survives_the_way_out_and_back(at):
    back = parse_datetime(format_datetime(at))
    assert back is not None
    assert timedelta(0) <= at - back < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T10:30:00.5+01:00", datetime(2026, 3, 2, 9, 30, 0, 500_000, tzinfo=UTC)),
        ("1601-01-01T00:00:00Z", datetime(1601, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999999Z", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("9999-12-31T23:59:59-14:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("2026-03-02T10:30:00", None),
        ("٢٠٢٦-03-02T10:30:00Z", None),
        (1772443800, None),
        (None, None),
    ],
)
def test_times_are_read_or_not_never_guessed(text, expected):
    assert parse_datetime(text) == expected


def test_only_a_record_under_a_lasting_identifier_can_be_named():
    assert record_uri(f"at://{ANNA}/app.bsky.feed.post/3n2vzj53qmc26")
    assert record_uri("at://anna.test/app.bsky.feed.post/3n2vzj53qmc26") is None
    assert record_uri(f"at://{ANNA}/app.bsky.feed.post") is None
    assert record_uri(f"at://{ANNA}/app.bsky.feed.post/" + "o" * 100_000) is None
    assert record_uri({"uri": "x"}) is None


# --- facets and records, against the official client


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


# --- reading back


class List:
    """A list of the network: sorted by what entries claim, paged by a cursor that is a time."""

    def __init__(self, page_size):
        self.entries = []
        self.page_size = page_size
        self.asked = 0
        self.refuse_cursors = False

    def add(self, name, claimed):
        self.entries.append({"uri": name, "indexedAt": format_datetime(claimed)})
        self.entries.sort(key=lambda entry: entry["indexedAt"], reverse=True)

    def page(self, cursor):
        self.asked += 1
        if cursor and self.refuse_cursors:
            raise Refused("No.", "InvalidRequest")
        left = [entry for entry in self.entries if not cursor or entry["indexedAt"] < cursor]
        found = left[: self.page_size]
        return found, found[-1]["indexedAt"] if found else ""


def look(source, cursor, now, calls=50):
    """Everything new, as the platform would ask for it, with the cursor through JSON each time."""
    found = []
    for _ in range(calls):
        track = Track.from_json(json.loads(json.dumps(cursor)))
        result = read_back(
            source.page, track, now,
            name=lambda entry: entry["uri"], time=lambda entry: parse_datetime(entry["indexedAt"]),
        )  # fmt: skip
        found += [entry["uri"] for page in result.pages for entry in page]
        cursor = result.track.to_json()
        if not result.more:
            return found, cursor
    raise AssertionError("it never came to an end")


def test_the_first_look_brings_the_recent_past_and_the_second_nothing():
    source = List(10)
    for days in range(20):
        source.add(f"day {days}", NOW - timedelta(days=days))
    found, cursor = look(source, None, NOW)
    assert found == [f"day {days}" for days in range(8)]
    source.asked = 0
    assert look(source, cursor, NOW)[0] == []
    assert source.asked == 1


def test_an_empty_list_is_a_place_to_stand_too():
    source = List(10)
    found, cursor = look(source, None, NOW)
    assert found == []
    source.add("old, and late", NOW - timedelta(days=30))
    assert look(source, cursor, NOW)[0] == ["old, and late"]


def test_what_arrives_late_is_found_beneath_the_newer():
    source = List(10)
    for number in range(100):
        source.add(f"{number}", NOW - timedelta(seconds=number))
    _, cursor = look(source, None, NOW)
    source.add("late by a little", NOW - timedelta(seconds=5, milliseconds=1))
    found, cursor = look(source, cursor, NOW)
    assert found == ["late by a little"]
    # Below a page that holds nothing new: found by the next deep look.
    source.add("late by more", NOW - timedelta(seconds=70, milliseconds=1))
    found, cursor = look(source, cursor, NOW + timedelta(minutes=1))
    assert found == []
    assert look(source, cursor, NOW + timedelta(minutes=6))[0] == ["late by more"]


def test_a_long_outage_is_read_back_over_several_calls_without_a_gap():
    source = List(10)
    source.add("before", NOW)
    _, cursor = look(source, None, NOW)
    wanted = [f"{number}" for number in range(10 * PAGES_PER_CALL * 3)]
    for number, name in enumerate(wanted):
        source.add(name, NOW + timedelta(minutes=number + 1))
    later = NOW + timedelta(days=2)
    first = read_back(
        source.page, Track.from_json(cursor), later,
        name=lambda entry: entry["uri"], time=lambda entry: parse_datetime(entry["indexedAt"]),
    )  # fmt: skip
    assert first.more
    source.add("meanwhile", NOW + timedelta(days=1))
    found = [entry["uri"] for page in first.pages for entry in page]
    rest, cursor = look(source, first.track.to_json(), later)
    again, _ = look(source, cursor, later)
    assert sorted(found + rest + again) == sorted([*wanted, "meanwhile"])


def test_a_cursor_that_is_no_longer_taken_leaves_no_gap():
    source = List(10)
    source.add("before", NOW)
    _, cursor = look(source, None, NOW)
    wanted = {f"{number}" for number in range(10 * PAGES_PER_CALL * 2)}
    for number, name in enumerate(sorted(wanted)):
        source.add(name, NOW + timedelta(minutes=number + 1))
    later = NOW + timedelta(days=2)
    begun = read_back(
        source.page, Track.from_json(cursor), later,
        name=lambda entry: entry["uri"], time=lambda entry: parse_datetime(entry["indexedAt"]),
    )  # fmt: skip
    source.refuse_cursors = True
    _, cursor = look(source, begun.track.to_json(), later)
    source.refuse_cursors = False
    assert set(look(source, cursor, later)[0]) == wanted


def test_the_top_of_a_list_that_is_refused_is_an_error():
    def page(cursor):
        raise Refused("No.", "InvalidRequest")

    with pytest.raises(Rejected):
        read_back(page, Track(), NOW, name=str, time=lambda entry: None)


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 40 * 60), st.booleans()), max_size=60))
@settings(max_examples=150, deadline=None)
def test_everything_is_heard_exactly_once(arrivals):
    """Entries arrive between looks, some of them late by up to forty minutes; deep looks find those."""
    source = List(7)
    now = NOW
    heard, cursor = look(source, None, now)
    for number, (pause, lateness, look_now) in enumerate(arrivals):
        now += timedelta(seconds=pause, milliseconds=number + 1)
        claimed = now - timedelta(seconds=lateness) - timedelta(milliseconds=number)
        if any(entry["indexedAt"] == format_datetime(claimed) for entry in source.entries):
            claimed -= timedelta(milliseconds=number + 1000)  # two of one millisecond can hide each other
        source.add(f"{number}", claimed)
        if look_now:
            found, cursor = look(source, cursor, now)
            heard += found
    found, cursor = look(source, cursor, now + timedelta(minutes=10))
    heard += found
    assert sorted(heard) == sorted(entry["uri"] for entry in source.entries)


def test_a_storm_does_not_make_the_cursor_grow_without_end():
    source = List(100)
    for number in range(REMEMBERED_AT_MOST + 1000):
        source.add(f"{number}", NOW - timedelta(milliseconds=number))
    _, cursor = look(source, None, NOW)
    assert len(json.dumps(cursor)) < 100_000
    quiet = NOW + OVERLAP * 2
    source.add("much later", quiet)
    _, cursor = look(source, cursor, quiet)
    _, cursor = look(source, cursor, quiet + OVERLAP)
    assert len(json.dumps(cursor)) < 10_000


# --- a server with a session


class Server:
    """A data server and app view in memory: tokens that rotate, records, notifications, faults."""

    def __init__(self):
        self.sessions = 0
        self.access = self.refresh = ""
        self.records = {}
        self.requests = []
        self.answers: dict[str, Any] = {
            "app.bsky.notification.listNotifications": {"notifications": []},
            "app.bsky.feed.getAuthorFeed": {"feed": []},
        }
        self.lock = threading.Lock()
        self.issue()

    def issue(self):
        self.sessions += 1
        self.access, self.refresh = f"access-{self.sessions}", f"refresh-{self.sessions}"

    @property
    def tokens(self):
        return {ACCESS: self.access, REFRESH: self.refresh}

    def request(self, method, url, *, headers=None, params=None, json=None, writes=False, **rest):
        with self.lock:
            name = url.removeprefix(XRPC)
            self.requests.append((name, dict(headers or {}).get("authorization", ""), writes))
            return self._answer(name, dict(headers or {}), json or params or {})

    def _answer(self, name, headers, given):
        if name.endswith("createSession"):
            if given["password"] != "right":
                return reply(401, {"error": "AuthenticationRequired", "message": "Invalid"})
            self.issue()
            return reply(200, {"did": US, "handle": "nordwind.test", **self.tokens})
        if name.endswith("refreshSession"):
            if headers["authorization"] != f"Bearer {self.refresh}":
                return reply(400, {"error": "ExpiredToken", "message": "Token has been revoked"})
            self.issue()
            return reply(200, {"did": US, "handle": "nordwind.test", **self.tokens})
        if headers.get("authorization") != f"Bearer {self.access}":
            return reply(400, {"error": "ExpiredToken", "message": "Token has expired"})
        answer = self.answers.get(name, {})
        return answer(given) if callable(answer) else reply(200, answer)

    def asked(self, name):
        return [request for request in self.requests if request[0].endswith(name)]


def reply(status, body, **headers):
    from heard.connectorkit.testing import FakeResponse, Headers

    return FakeResponse(status, json.dumps(body).encode(), Headers(headers))


@pytest.fixture
def server():
    return Server()


def opened(server, vault, **changes):
    return link(our_account(**changes), server, vault)


def test_a_kept_session_is_used_without_signing_in(server):
    vault = FakeVault({PASSWORD: "right", **server.tokens})
    CONNECTOR.fetch(opened(server, vault), None)
    assert not server.asked("Session")
    assert vault.kept == []


def test_the_new_pair_is_kept_before_it_is_used(server):
    class Dies(FakeVault):
        def keep(self, secrets):
            super().keep(secrets)
            raise KeyboardInterrupt

    vault = Dies({PASSWORD: "right", ACCESS: "spent", REFRESH: server.refresh})
    with pytest.raises(KeyboardInterrupt):
        CONNECTOR.fetch(opened(server, vault), None)
    assert server.requests[-1][0].endswith("refreshSession")
    assert vault.current() == {PASSWORD: "right", **server.tokens}


def test_many_at_once_spend_one_refresh_token():
    everybody = threading.Barrier(8)

    class Crowded(Server):
        """Refuses the spent token only when everybody stands there with it."""

        def request(self, method, url, *, headers=None, **rest):
            if (headers or {}).get("authorization") == "Bearer spent":
                everybody.wait(10)
            return super().request(method, url, headers=headers, **rest)

    server = Crowded()
    vault = FakeVault({PASSWORD: "right", ACCESS: "spent", REFRESH: server.refresh})
    with ThreadPoolExecutor(8) as pool:
        looks = [pool.submit(CONNECTOR.fetch, opened(server, vault), None) for _ in range(8)]
        assert all(look.result(30).cursor for look in looks)
    assert len(server.asked("refreshSession")) == 1
    assert not server.asked("createSession")


def test_a_refused_refresh_token_costs_one_sign_in(server):
    vault = FakeVault({PASSWORD: "right", ACCESS: "spent", REFRESH: "spent as well"})
    CONNECTOR.fetch(opened(server, vault), None)
    assert len(server.asked("createSession")) == 1
    assert vault.current() == {PASSWORD: "right", **server.tokens}


def test_a_withdrawn_app_password_asks_for_a_new_connection(server):
    vault = FakeVault({PASSWORD: "withdrawn", ACCESS: "spent", REFRESH: "spent as well"})
    with pytest.raises(CredentialsRefused, match="app password"):
        CONNECTOR.fetch(opened(server, vault), None)
    assert vault.kept == []


def test_a_lock_of_the_vault_is_held_while_refreshing(server):
    class Watched(FakeVault):
        held = False

        @contextmanager
        def lock(self):
            with super().lock():
                self.held = True
                yield
                self.held = False

        def keep(self, secrets):
            assert self.held
            super().keep(secrets)

    vault = Watched({PASSWORD: "right"})
    CONNECTOR.fetch(opened(server, vault), None)
    assert len(vault.kept) == 1


def test_a_refresh_whose_answer_is_lost_leaves_a_message_unsent_not_unknown(server):
    calls = []

    class Losing(Server):
        def request(self, method, url, *, writes=False, **rest):
            calls.append((url.removeprefix(XRPC), writes))
            if url.endswith("refreshSession"):
                raise OutcomeUnknown("Lost.") if writes else Unreachable("Lost.")
            return reply(400, {"error": "ExpiredToken", "message": "Token has expired"})

    vault = FakeVault({PASSWORD: "right", ACCESS: "spent", REFRESH: "refresh"})
    with pytest.raises(Unreachable):
        CONNECTOR.send(opened(Losing(), vault), SendOrder("k", Verb.POST, "Hello"))
    assert calls == [("com.atproto.repo.createRecord", True), ("com.atproto.server.refreshSession", False)]


# --- who we are


def test_identify_hands_back_the_session_and_keeps_the_password(server):
    server.answers["app.bsky.actor.getProfile"] = {
        "displayName": "Nordwind",
        "avatar": "https://cdn.example/a",
    }
    nobody = our_account(
        native_id="", handle="", secrets={PASSWORD: "right"}, settings={"handle": " @Nordwind.Test "}
    )
    who = CONNECTOR.identify(link(nobody, server))
    assert (who.native_id, who.handle, who.name) == (US, "nordwind.test", "Nordwind")
    assert who.secrets == {PASSWORD: "right", **server.tokens}


def test_a_profile_that_nobody_knows_yet_is_no_obstacle(server):
    server.answers["app.bsky.actor.getProfile"] = lambda _: reply(400, {"error": "InvalidRequest"})
    nobody = our_account(native_id="", handle="", secrets={PASSWORD: "right"})
    assert CONNECTOR.identify(link(nobody, server)).native_id == US


@pytest.mark.parametrize("handle", ["", "nordwind", "care@nordwind.test", "did:plc", "x" * 300 + ".test"])
def test_what_is_no_handle_is_said_before_anything_is_asked(handle):
    net = RecordedNet()
    with pytest.raises(CredentialsRefused, match="handle"):
        CONNECTOR.identify(link(our_account(native_id="", settings={"handle": handle}), net))
    assert not net.requests


def test_direct_messages_are_tried_before_they_are_promised(server):
    server.answers["chat.bsky.convo.getLog"] = lambda _: reply(
        400, {"error": "InvalidToken", "message": "Bad token scope"}
    )
    nobody = our_account(native_id="", secrets={PASSWORD: "right"}, settings={"direct_messages": "true"})
    with pytest.raises(CredentialsRefused, match="Direct messages need"):
        CONNECTOR.identify(link(nobody, server))


# --- what is new


def notification(number, reason="mention", did=ANNA):
    uri = f"at://{did}/app.bsky.feed.post/3n2vzj{number:07}"
    record = {
        "$type": "app.bsky.feed.post",
        "text": f"number {number}",
        "createdAt": "2026-03-02T09:00:00.000Z",
    }
    at = format_datetime(NOW - timedelta(minutes=number))
    author = {"did": did, "handle": "anna.test"}
    return {"uri": uri, "cid": CID, "author": author, "reason": reason, "record": record, "indexedAt": at}


def read(body, account=None, source=Source.POLL):
    return CONNECTOR.receive(account or our_account(), RawDelivery(source, body, NOW))


def test_new_notifications_come_with_the_posts_as_they_are_shown(server):
    notes = [notification(number) for number in range(60)] + [notification(99, "like")]
    asked = []

    def posts(given):
        asked.append(given["uris"])
        return reply(
            200,
            {
                "posts": [
                    {**note, "viewer": {"replyDisabled": True}}
                    for note in notes
                    if note["uri"] in given["uris"]
                ]
            },
        )

    server.answers["app.bsky.notification.listNotifications"] = {"notifications": notes}
    server.answers["app.bsky.feed.getPosts"] = posts
    page = CONNECTOR.fetch(opened(server, FakeVault({PASSWORD: "right"})), None)
    events = [event for body in page.bodies for event in read(body)]
    assert [len(uris) for uris in asked] == [25, 25, 10]
    assert len(events) == 61
    assert all(event.refs["reply_disabled"] for event in events[:60])
    assert not page.more
    again = CONNECTOR.fetch(opened(server, FakeVault({PASSWORD: "right"})), page.cursor)
    assert list(again.bodies) == []


def test_a_post_that_cannot_be_shown_is_read_from_its_notification(server):
    server.answers["app.bsky.notification.listNotifications"] = {"notifications": [notification(1)]}
    server.answers["app.bsky.feed.getPosts"] = {"posts": []}
    page = CONNECTOR.fetch(opened(server, FakeVault({PASSWORD: "right"})), None)
    assert [event.text for event in read(page.bodies[0])] == ["number 1"]


def test_odd_entries_are_handed_on_and_do_not_stop_the_others(server):
    odd: list[Any] = [
        None,
        7,
        [],
        {},
        {"uri": 5, "reason": {}},
        {"uri": "at://x", "indexedAt": "1601-01-01T00:00:00Z"},
    ]
    server.answers["app.bsky.notification.listNotifications"] = {"notifications": [notification(1), *odd]}
    server.answers["app.bsky.feed.getAuthorFeed"] = {"feed": [None, {"post": None}, {"reason": 5}]}
    server.answers["app.bsky.feed.getPosts"] = {"posts": [None, {"uri": None}]}
    page = CONNECTOR.fetch(opened(server, FakeVault({PASSWORD: "right"})), None)
    events = [event for body in page.bodies for event in read(body)]
    assert [event.text for event in events if hasattr(event, "text")] == ["number 1"]


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"other": []}', b'{"notifications": null}', b"\xff"]
)
def test_what_is_no_answer_of_bluesky_is_unreadable(body):
    with pytest.raises(Unreadable):
        read(body)


def seen(author=ANNA, parent=None, root=None, mentions=None, quotes=None):
    """A post as the app view shows it: by whom, below what, with whom in it."""
    ref = lambda did: {"uri": f"at://{did}/app.bsky.feed.post/3abc222222222", "cid": CID}  # noqa: E731
    record: dict[str, Any] = {"$type": "app.bsky.feed.post", "text": "x", "createdAt": format_datetime(NOW)}
    if parent:
        record["reply"] = {"parent": ref(parent), "root": ref(root or parent)}
    if mentions:
        feature = {"$type": "app.bsky.richtext.facet#mention", "did": mentions}
        record["facets"] = [{"index": {"byteStart": 0, "byteEnd": 1}, "features": [feature]}]
    if quotes:
        record["embed"] = {"$type": "app.bsky.embed.record", "record": ref(quotes)}
    post = {"uri": f"at://{author}/app.bsky.feed.post/3xyz222222222", "cid": CID, "record": record}
    return read(json.dumps({"posts": [{**post, "author": {"did": author}}]}).encode())[0]


@pytest.mark.parametrize(
    ("post", "kind", "to_us"),
    [
        ({"parent": US}, MessageKind.COMMENT, False),
        ({"parent": US, "mentions": US}, MessageKind.COMMENT, True),
        ({"parent": OTHER, "root": US, "mentions": US}, MessageKind.COMMENT, True),
        ({"parent": OTHER, "mentions": US}, MessageKind.MENTION, True),
        ({"mentions": US}, MessageKind.MENTION, True),
        ({"mentions": OTHER}, MessageKind.POST, False),
        ({"quotes": US}, MessageKind.MENTION, True),
        ({"quotes": OTHER}, MessageKind.POST, False),
        ({"parent": OTHER}, MessageKind.COMMENT, False),
        ({}, MessageKind.POST, False),
        ({"author": US, "mentions": US}, MessageKind.POST, False),
        ({"author": US, "parent": OTHER}, MessageKind.COMMENT, False),
    ],
)
def test_the_record_says_what_a_message_is_to_us(post, kind, to_us):
    event = seen(**post)
    assert (event.kind, event.mentions_us) == (kind, to_us)


CHAT = {"direct_messages": "on"}
CONVO = {"id": "3lconvo222222", "rev": "2222b", "members": [{"did": ANNA, "handle": "anna.test"}],
         "lastMessage": {"id": "3lmsg22222222", "text": "Hello?", "sender": {"did": ANNA},
                         "sentAt": "2026-03-01T12:00:00.000Z"}}  # fmt: skip


def test_the_chat_begins_with_how_things_stand_and_goes_on_with_its_log(server):
    log = [
        {"$type": "chat.bsky.convo.defs#logCreateMessage", "rev": "2222c", "convoId": CONVO["id"],
         "message": {"id": "3lmsg33333333", "text": "Are you there?", "sender": {"did": ANNA},
                     "sentAt": "2026-03-01T12:01:00.000Z"}}
    ]  # fmt: skip
    server.answers["chat.bsky.convo.listConvos"] = {"convos": [CONVO, {"id": "other", "rev": "2222a"}]}
    server.answers["chat.bsky.convo.getLog"] = lambda given: reply(
        200, {"logs": log if given["cursor"] == "2222b" else [], "cursor": "2222c"}
    )
    server.answers["app.bsky.actor.getProfiles"] = {"profiles": [{"did": ANNA, "handle": "anna.test"}]}
    vault = FakeVault({PASSWORD: "right"})
    first = CONNECTOR.fetch(opened(server, vault, settings=CHAT), None)
    second = CONNECTOR.fetch(opened(server, vault, settings=CHAT), first.cursor)
    third = CONNECTOR.fetch(opened(server, vault, settings=CHAT), second.cursor)
    assert [event.text for body in first.bodies for event in read(body)] == ["Hello?"]
    said = [event for body in second.bodies for event in read(body)]
    assert [(event.text, event.author.handle, event.thread_key) for event in said] == [
        ("Are you there?", "anna.test", CONVO["id"])
    ]
    assert list(third.bodies) == []


def test_a_chat_that_fails_keeps_its_place_and_is_told_when_all_else_is_quiet(server):
    server.answers["app.bsky.notification.listNotifications"] = {"notifications": [notification(1)]}
    server.answers["app.bsky.feed.getPosts"] = {"posts": []}
    server.answers["chat.bsky.convo.getLog"] = lambda _: reply(503, {})
    vault = FakeVault({PASSWORD: "right"})
    page = CONNECTOR.fetch(opened(server, vault, settings=CHAT), {"chat": {"rev": "2222b"}})
    assert len(page.bodies) == 1
    assert page.cursor["chat"] == {"rev": "2222b"}
    with pytest.raises(Unreachable):
        CONNECTOR.fetch(opened(server, vault, settings=CHAT), page.cursor)


def test_direct_messages_that_are_off_are_not_asked_for(server):
    CONNECTOR.fetch(
        opened(server, FakeVault({PASSWORD: "right"}), settings={"direct_messages": "false"}), None
    )
    assert not server.asked("getLog")
    assert not server.asked("listConvos")


# --- threads and files


def test_a_thread_cut_off_above_brings_its_root_by_name(server):
    root, parent = (
        f"at://{US}/app.bsky.feed.post/3root22222222",
        f"at://{ANNA}/app.bsky.feed.post/3par222222222",
    )
    replied = {"root": {"uri": root, "cid": CID}, "parent": {"uri": parent, "cid": CID}}
    top = notification(2)
    last = {**notification(1), "record": {"$type": "app.bsky.feed.post", "text": "last", "reply": replied}}
    server.answers["app.bsky.feed.getPostThread"] = {"thread": {"post": last, "parent": {"post": top}}}
    named = {
        "uri": root,
        "cid": CID,
        "author": {"did": US, "handle": "nordwind.test"},
        "record": {"text": "root"},
    }
    server.answers["app.bsky.feed.getPosts"] = {"posts": [named]}
    bodies = CONNECTOR.context(opened(server, FakeVault({PASSWORD: "right"})), Ref(last["uri"]))
    events = [event for body in bodies for event in read(body, source=Source.CONTEXT)]
    assert [event.text for event in events] == ["last", "number 2", "root"]


def test_a_thread_nobody_has_is_empty_and_nonsense_is_not_asked_for(server):
    server.answers["app.bsky.feed.getPostThread"] = lambda _: reply(400, {"error": "NotFound"})
    line = opened(server, FakeVault({PASSWORD: "right"}))
    assert CONNECTOR.context(line, Ref(notification(1)["uri"])) == []
    asked = len(server.requests)
    assert CONNECTOR.context(line, Ref("3lmsg22222222", "3lconvo222222")) == []
    assert len(server.requests) == asked


def test_a_file_is_fetched_without_showing_our_token():
    exchange = [
        {
            "request": {"method": "GET", "url": "https://cdn.example/a"},
            "response": {"base64": base64.b64encode(b"bytes").decode()},
        }
    ]
    net = RecordedNet(exchange)
    picture = Attachment("x", AttachmentKind.IMAGE, url="https://cdn.example/a")
    assert CONNECTOR.fetch_media(link(our_account(), net), picture, 100) == b"bytes"
    assert "authorization" not in net.requests[0].headers


def test_a_file_without_an_address_is_asked_of_the_data_server():
    url = full_url(f"{XRPC}com.atproto.sync.getBlob?did={ANNA}&cid=bafkrei", None)
    net = RecordedNet([{"request": {"method": "GET", "url": url}, "response": {"status": 404, "text": ""}}])
    with pytest.raises(Rejected):
        CONNECTOR.fetch_media(
            link(our_account(), net), Attachment(f"{ANNA}/bafkrei", AttachmentKind.IMAGE), 100
        )
    with pytest.raises(Rejected):
        CONNECTOR.fetch_media(
            link(our_account(), RecordedNet()), Attachment("x/&a=b", AttachmentKind.IMAGE), 100
        )


# --- what may be asked


def target(**changes):
    usual = Target(
        native_id=f"at://{ANNA}/app.bsky.feed.post/3n2vzj53qmc26",
        kind=MessageKind.COMMENT,
        visibility=Visibility.PUBLIC,
        author=Author(ANNA, "anna.test"),
        root=Ref(f"at://{US}/app.bsky.feed.post/3n2vziaaaas26"),
        refs={"cid": CID, "root_uri": f"at://{US}/app.bsky.feed.post/3n2vziaaaas26", "root_cid": CID},
    )
    return dataclasses.replace(usual, **changes)


def may(verb, about, **setting):
    answer = CONNECTOR.supports(verb, about, ActorKind.HUMAN, our_account(settings=setting), NOW)
    return isinstance(answer, Yes), answer


@pytest.mark.parametrize(
    ("verb", "yes", "no"),
    [
        (Verb.REPLY, target(), target(visibility=Visibility.PRIVATE)),
        (Verb.REPLY, target(), target(refs={"cid": CID, "reply_disabled": "yes"})),
        (Verb.REPLY, target(), target(refs={"cid": CID, "blocked_by": "yes"})),
        (Verb.LIKE, target(), target(native_id="3lmsg22222222", visibility=Visibility.PRIVATE)),
        (Verb.HIDE, target(), target(root=None)),
        (Verb.HIDE, target(), target(root=Ref(f"at://{ANNA}/app.bsky.feed.post/3n2vziaaaas26"))),
        (Verb.DELETE, target(native_id=f"at://{US}/app.bsky.feed.post/3n2vziaaaas26"), target()),
        (Verb.BLOCK, target(), target(author=Author(US, "nordwind.test", is_us=True))),
    ],
)
def test_the_message_decides(verb, yes, no):
    assert may(verb, yes)[0]
    assert not may(verb, no)[0]
    assert not may(verb, None)[0]


def test_direct_messages_follow_the_switch():
    for word in ("on", "true", "True", True, "1"):
        assert may(Verb.DIRECT_MESSAGE, target(), direct_messages=word)[0]
    for word in ("", "off", "false", False, "0"):
        allowed, answer = may(Verb.DIRECT_MESSAGE, target(), direct_messages=word)
        assert not allowed
        assert answer.remedy


def test_limits_are_those_of_the_network():
    constraints = may(Verb.POST, None)[1].constraints
    assert (constraints.text.maximum, constraints.text.maximum_bytes) == (300, 3000)
    assert (constraints.media.count, constraints.media.maximum_bytes) == (4, 2_000_000)


PICTURE = OutFile("a.png", "image/png", b"x", "A picture")


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "About your order"},
        {"visibility": Visibility.FOLLOWERS},
        {"files": (PICTURE,) * 5},
        {"files": (OutFile("a.pdf", "application/pdf", b"x"),)},
        {"files": (OutFile("a.png", "image/png", b"x" * 2_000_001),)},
        {"verb": Verb.DIRECT_MESSAGE, "files": (PICTURE,), "target": target(), "visibility": None},
    ],
)
def test_nothing_is_dropped_in_silence(changes):
    usual = SendOrder("k", Verb.POST, "Hello", visibility=Visibility.PUBLIC)
    net = RecordedNet()
    with pytest.raises(Unsupported):
        CONNECTOR.send(link(our_account(settings=CHAT), net), dataclasses.replace(usual, **changes))
    assert not net.requests


def test_a_full_gate_says_so(server):
    gate = {
        "uri": "x",
        "cid": CID,
        "value": {"hiddenReplies": [f"at://{ANNA}/app.bsky.feed.post/{n}" for n in range(300)]},
    }
    server.answers["com.atproto.repo.getRecord"] = gate
    with pytest.raises(Rejected, match="300"):
        CONNECTOR.send(
            opened(server, FakeVault({PASSWORD: "right"})), SendOrder("k", Verb.HIDE, target=target())
        )


def test_a_gate_that_keeps_changing_is_tried_again_later(server):
    server.answers["com.atproto.repo.getRecord"] = {"uri": "x", "cid": CID, "value": {"hiddenReplies": []}}
    server.answers["com.atproto.repo.putRecord"] = lambda _: reply(400, {"error": "InvalidSwap"})
    with pytest.raises(Unreachable):
        CONNECTOR.send(
            opened(server, FakeVault({PASSWORD: "right"})), SendOrder("k", Verb.HIDE, target=target())
        )
    assert len(server.asked("putRecord")) == 3


def test_an_answer_that_says_nothing_is_looked_into(server):
    server.answers["com.atproto.repo.createRecord"] = {}
    server.answers["com.atproto.repo.getRecord"] = lambda _: reply(400, {"error": "RecordNotFound"})
    order = SendOrder("k", Verb.POST, "Hello", first_attempt_at=NOW)
    with pytest.raises(OutcomeUnknown):
        CONNECTOR.send(opened(server, FakeVault({PASSWORD: "right"})), order)
    assert server.asked("getRecord")


def test_no_error_repeats_what_was_written(server):
    secret = "my card number is 4111"
    server.answers["com.atproto.repo.createRecord"] = lambda _: reply(
        400, {"error": "InvalidRequest", "message": f"Invalid record: {secret}"}
    )
    with pytest.raises(Rejected) as caught:
        CONNECTOR.send(opened(server, FakeVault({PASSWORD: "right"})), SendOrder("k", Verb.POST, secret))
    assert secret not in str(caught.value)
    assert "InvalidRequest" in caught.value.message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"ratelimit-reset": "1795364779", "date": "Sun, 22 Nov 2026 16:21:40 GMT"}, 279),
        ({"ratelimit-reset": "1795364779", "date": "Sun, 22 Nov 2026 18:00:00 GMT"}, 1),
        ({"retry-after": "17"}, 17),
        ({}, 60),
    ],
)
def test_a_pause_is_as_long_as_the_network_says(server, headers, seconds):
    server.answers["app.bsky.notification.listNotifications"] = lambda _: reply(429, {}, **headers)
    with pytest.raises(RateLimited) as caught:
        CONNECTOR.fetch(opened(server, FakeVault({PASSWORD: "right"})), None)
    assert caught.value.retry_after_seconds == seconds


def test_orders_written_as_plain_values_are_understood():
    order = SendOrder("k", Verb.REPLY, "Hello", target=target(), files=(PICTURE,), first_attempt_at=NOW)
    assert from_plain(SendOrder, to_plain(order)) == order


def test_no_with_a_remedy_is_for_people():
    answer = may(Verb.DIRECT_MESSAGE, target())[1]
    assert isinstance(answer, No)
    assert "administrator" in answer.remedy
