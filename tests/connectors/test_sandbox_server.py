"""The Sandbox connector against the Sandbox's process: heard, answered, disturbed, killed, never twice."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from click.testing import CliRunner

from heard.connectorkit.errors import (
    ConnectorError,
    CredentialsRefused,
    Forged,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unreachable,
)
from heard.connectorkit.testing import account_for, link
from heard.connectorkit.vocabulary import (
    Author,
    CannotTell,
    MessageGone,
    MessageKind,
    MessageSeen,
    NotFound,
    OutFile,
    RawDelivery,
    Ref,
    SendOrder,
    Sent,
    Source,
    Target,
    Verb,
    Visibility,
)
from heard.connectors.sandbox import CONNECTOR
from heard.connectors.sandbox.commands import sandbox as commands
from heard.foundation.net import AllowList, Guard, GuardedNet
from tests.servers.process import LOOPBACK, CouldNotStart
from tests.servers.sandbox import CONTROL_TOKEN, Sandbox, sandbox

HASTE = {"seconds": 30}


@pytest.fixture(scope="module")
def shared():
    """One Sandbox for the tests that leave nothing behind but posts."""
    with sandbox() as one:
        yield one


@pytest.fixture
def place(shared):
    yield shared
    shared.control("DELETE", "faults")


@pytest.fixture
def own():
    """A Sandbox of a test's own, to be killed."""
    with sandbox() as one:
        yield one


@pytest.fixture(scope="module")
def net():
    with closing(GuardedNet(Guard(AllowList.parse(LOOPBACK)))) as guarded:
        yield guarded


class HurriedNet:
    """The real net, which does not wait as long as people in a test would."""

    def __init__(self, net):
        self._net = net

    def request(self, method, url, **options):
        return self._net.request(method, url, **{**options, "timeout_seconds": 0.5})


def line_of(place, net, **settings):
    """An open line as the platform makes one: connected, named, with the server's limits."""
    usual = account_for(CONNECTOR.manifest)
    account = replace(
        usual,
        native_id="",
        handle="",
        settings={**usual.settings, "address": place.url, **settings},
        secrets={"token": place.token, "webhook_secret": "a secret of ours"},
    )
    who = CONNECTOR.identify(link(account, net, now=datetime.now(UTC)))
    account = replace(account, native_id=who.native_id, handle=who.handle, limits=who.limits)
    return link(account, net, now=datetime.now(UTC))


@pytest.fixture
def line(place, net):
    return line_of(place, net)


def read(line, bodies, source=Source.POLL):
    events = []
    for body in bodies:
        events += CONNECTOR.receive(line.account, RawDelivery(source, body, datetime.now(UTC)))
    return events


def fetch_all(line, cursor=None):
    """Everything since the cursor, and where to go on."""
    events = []
    for _ in range(100):
        page = CONNECTOR.fetch(line, cursor)
        events += read(line, page.bodies)
        cursor = page.cursor
        if not page.more:
            return events, cursor
    raise AssertionError("fetch never came to an end")


def seen(line, native_id):
    """A message of somebody's as the connector sees it."""
    events, _ = fetch_all(line)
    return next(event for event in events if event.native_id == native_id)


def answer_to(said, key, text="It is on its way.", **changes):
    about = Target(
        native_id=said.native_id,
        kind=said.kind,
        visibility=said.visibility,
        author=said.author,
        mentions_us=said.mentions_us,
        sent_at=said.sent_at,
    )
    usual = SendOrder(key, Verb.REPLY, text=text, target=about, first_attempt_at=datetime.now(UTC))
    return replace(usual, **changes)


def ours(place, text):
    return [post for post in place.standing() if post["text"] == text]


# -- the whole protocol -------------------------------------------------------------------------------


def test_who_we_are_comes_with_the_servers_limits(line):
    assert line.account.handle == "nordwind"
    assert line.account.limits["text"] == 500


def test_a_wrong_token_is_refused_by_name(place, net):
    usual = account_for(CONNECTOR.manifest)
    account = replace(usual, settings={"address": place.url}, secrets={"token": "wrong-9d1"})
    with pytest.raises(CredentialsRefused) as caught:
        CONNECTOR.identify(link(account, net))
    assert "wrong-9d1" not in str(caught.value)


def test_a_customer_speaks_is_answered_and_hears_it_once(place, line):
    number = place.say("where is my parcel? ")
    said = seen(line, number)
    assert (said.kind, said.author.handle, said.mentions_us) == (MessageKind.MENTION, "anna", True)
    order = answer_to(said, "answer-1", "It left this morning, Anna.")
    sent = CONNECTOR.send(line, order)
    again = CONNECTOR.send(line, replace(order, attempt=2))
    assert again.native_id == sent.native_id
    standing = ours(place, "It left this morning, Anna.")
    assert [post["in_reply_to"] for post in standing] == [number]
    echo = seen(line, sent.native_id)
    assert (echo.author.is_us, echo.client_key) == (True, "answer-1")


def test_a_matter_goes_from_public_to_private(place, line):
    said = seen(line, place.say("my order NW-4 is lost", "bilal"))
    moved = answer_to(said, "private-1", "Write to us here, please.", visibility=Visibility.PRIVATE)
    sent = seen(line, CONNECTOR.send(line, moved).native_id)
    place.say("It is NW-41234", "bilal", kind="direct")
    events, _ = fetch_all(line)
    messages = [event for event in events if isinstance(event, MessageSeen)]
    private = [message for message in messages if message.thread_key == sent.thread_key]
    assert [event.visibility for event in private] == [Visibility.PRIVATE] * 2
    told = CONNECTOR.send(line, answer_to(private[-1], "private-2", "Found it, thank you."))
    assert ours(place, "Found it, thank you.")[0]["visibility"] == "private"
    assert told.native_id


def test_trees_keep_their_shape_and_their_top_can_be_fetched(place, line):
    top = CONNECTOR.send(line, SendOrder("post-1", Verb.POST, text="Our new lamp is here."))
    one = place.say("How much?", "grace", kind="comment", in_reply_to=top.native_id)
    two = place.say("Same question.", "diego", kind="comment", in_reply_to=one)
    message = seen(line, two)
    assert (message.parent, message.root) == (Ref(one), Ref(top.native_id))
    assert message.kind is MessageKind.COMMENT
    above = read(line, CONNECTOR.context(line, Ref(two)), Source.CONTEXT)
    assert [event.native_id for event in above] == [top.native_id, one]


def test_edits_and_deletions_are_heard_of(place, line):
    number = place.say("hello", "ines")
    _, cursor = fetch_all(line)
    place.control("PUT", f"posts/{number}", {"text": "@nordwind hello, where are you?"})
    (edited,), cursor = fetch_all(line, cursor)
    assert (edited.text, edited.version) == ("@nordwind hello, where are you?", "00000002")
    place.control("DELETE", f"posts/{number}")
    (gone,), _ = fetch_all(line, cursor)
    assert isinstance(gone, MessageGone)
    assert gone.native_id == number


def test_files_go_out_and_come_in(place, line):
    file = OutFile("lamp.png", "image/png", b"\x89PNG not really", alt="A lamp")
    sent = CONNECTOR.send(line, SendOrder("file-1", Verb.POST, text="See here.", files=(file,)))
    (attachment,) = seen(line, sent.native_id).attachments
    assert (attachment.alt, attachment.size_bytes) == ("A lamp", len(file.data))
    assert CONNECTOR.fetch_media(line, attachment, 1_000) == file.data
    with pytest.raises(Unreachable):
        CONNECTOR.fetch_media(line, attachment, 5)


def test_liking_hiding_and_deleting(place, line):
    top = CONNECTOR.send(line, SendOrder("post-2", Verb.POST, text="Our new kettle is here."))
    comment = seen(line, place.say("Ugly.", "hugo", kind="comment", in_reply_to=top.native_id))
    for verb in (Verb.LIKE, Verb.HIDE, Verb.HIDE):
        CONNECTOR.send(line, answer_to(comment, f"act-{verb}", "", verb=verb))
    order = answer_to(seen(line, top.native_id), "act-3", "", verb=Verb.DELETE)
    assert CONNECTOR.look_up(line, order) == NotFound()
    CONNECTOR.send(line, order)
    assert CONNECTOR.look_up(line, order) == Sent(top.native_id)
    assert not ours(place, "Our new kettle is here.")


def test_pages_follow_each_other_without_gap_or_repetition(place, line):
    _, cursor = fetch_all(line)
    messages = [{"as": f"p{number % 9}", "text": f"message {number}"} for number in range(450)]
    said = [post["id"] for post in place.control("POST", "say", {"messages": messages})["said"]]
    events, cursor = fetch_all(line, cursor)
    assert [event.native_id for event in events] == said
    assert fetch_all(line, cursor) == ([], cursor)


def test_what_is_said_streams_in_at_once(place, line):
    heard = []
    opened = threading.Event()

    def listen():
        for body in CONNECTOR.stream(line):
            opened.set()
            if body:
                heard.extend(read(line, [body], Source.STREAM))
                return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    assert opened.wait(10), "the line says at once that it is open"
    started = time.monotonic()
    number = place.say("can you hear me?", "lucia")
    listener.join(10)
    assert [event.native_id for event in heard] == [number]
    assert time.monotonic() - started < 2


# -- pushes -------------------------------------------------------------------------------------------


class Taker(BaseHTTPRequestHandler):
    """A webhook's other end: refuses the first push, to see it come again."""

    def do_GET(self):
        query = dict(part.split("=") for part in self.path.partition("?")[2].split("&"))
        self._answer(200, CONNECTOR.handshake(self.server.line.account, query) or b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.pushes.append((headers, body))
        self._answer(503 if len(self.server.pushes) == 1 else 200, b"")

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def taker(line):
    server = HTTPServer((LOOPBACK, 0), Taker)
    server.line, server.pushes = line, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_pushes_are_signed_and_come_again_until_they_are_taken(place, line, taker):
    address = f"http://{LOOPBACK}:{taker.server_port}/hook"
    runner = CliRunner()
    asked = ["webhook", address, "--secret", "a secret of ours", "--url", place.url, "--token", place.token]
    done = runner.invoke(commands, asked)
    assert done.exit_code == 0, done.output
    number = place.say("pushed to you", "tomas")
    deadline = time.monotonic() + 15
    while len(taker.pushes) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    (headers, refused), (_, taken) = taker.pushes[:2]
    assert refused == taken
    CONNECTOR.verify(line.account, headers, taken)
    with pytest.raises(Forged):
        CONNECTOR.verify(line.account, headers, taken.replace(b"pushed", b"forged"))
    assert [event.native_id for event in read(line, [taken], Source.WEBHOOK)] == [number]
    httpx.delete(f"{place.url}/api/v1/webhook", headers={"Authorization": f"Bearer {place.token}"})


# -- bad days -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize(("effect", "stands"), [("timeout_after_accept", True), ("timeout_before", False)])
def test_an_answer_that_never_comes_ends_with_exactly_one_post(place, net, effect, stands, with_key):
    line = line_of(place, net, idempotency=with_key)
    said = seen(line, place.say(f"{effect}, {with_key}", "anna"))
    order = answer_to(said, f"{effect}-{with_key}", f"An answer after {effect}, {with_key}.")
    place.fault(effect, **HASTE)
    with pytest.raises(OutcomeUnknown):
        CONNECTOR.send(replace(line, net=HurriedNet(net)), order)
    found = CONNECTOR.look_up(line, order)
    assert isinstance(found, Sent) == stands
    assert isinstance(found, NotFound) != stands
    if not stands:
        CONNECTOR.send(line, replace(order, attempt=2))
    assert len(ours(place, order.text)) == 1


def test_where_nobody_can_look_a_person_is_asked(place, net):
    line = line_of(place, net, idempotency="false", look_up="false")
    said = seen(line, place.say("blind", "anna"))
    order = answer_to(said, "blind-1", "An answer in the dark.")
    place.fault("timeout_after_accept", **HASTE)
    with pytest.raises(OutcomeUnknown):
        CONNECTOR.send(replace(line, net=HurriedNet(net)), order)
    assert isinstance(CONNECTOR.look_up(line, order), CannotTell)


@pytest.mark.parametrize(
    ("effect", "more", "error"),
    [
        ("status", {"status": 429, "headers": {"Retry-After": "7"}}, RateLimited),
        ("status", {"status": 500}, OutcomeUnknown),
        ("status", {"status": 503}, Unreachable),
        ("status", {"status": 302, "headers": {"Location": "http://10.0.0.1/"}}, Unreachable),
        ("status", {"status": 401}, CredentialsRefused),
        ("status", {"status": 422}, Rejected),
        ("malformed", {}, OutcomeUnknown),
        ("html", {}, OutcomeUnknown),
    ],
)
def test_every_fault_gets_its_name(place, line, effect, more, error):
    said = seen(line, place.say(f"{effect} {more}", "anna"))
    order = answer_to(said, f"{effect}-{more}", f"An answer on a bad day: {effect} {more}.")
    place.fault(effect, **more)
    with pytest.raises(ConnectorError) as caught:
        CONNECTOR.send(line, order)
    assert type(caught.value) is error
    if error is RateLimited:
        assert caught.value.retry_after_seconds == 7
    assert len(ours(place, order.text)) == (effect == "malformed")
    CONNECTOR.send(line, order)
    assert len(ours(place, order.text)) == 1, "the same key again does no harm"


def test_reading_on_a_bad_day_does_not_move_the_cursor(place, line):
    _, cursor = fetch_all(line)
    number = place.say("on a bad day", "anna")
    for effect in ("html", "malformed", "status"):
        place.fault(effect, path="/events$", method="GET")
        with pytest.raises(Unreachable):
            CONNECTOR.fetch(line, cursor)
    (event,), _ = fetch_all(line, cursor)
    assert event.native_id == number


def test_a_slow_server_is_given_up_on(place, line, net):
    place.fault("latency", path="/me$", method="GET", seconds=5)
    started = time.monotonic()
    with pytest.raises(Unreachable):
        CONNECTOR.identify(replace(line, net=HurriedNet(net)))
    assert time.monotonic() - started < 3


# -- killed -------------------------------------------------------------------------------------------


def keep_sending(line, said, attempted, confirmed):
    for number in range(100_000):
        order = answer_to(said, f"key-{number}", f"Answer {number}")
        attempted.append(order)
        CONNECTOR.send(line, order)
        confirmed.append(order)


def test_killed_in_the_middle_it_has_lost_nothing_it_said_yes_to(own, net):
    line = line_of(own, net)
    said = seen(line, own.say("where is my parcel?"))
    confirmed, attempted = [], []
    killer = threading.Timer(0.4, own.kill)
    killer.start()
    with pytest.raises((Unreachable, OutcomeUnknown)):
        keep_sending(line, said, attempted, confirmed)
    killer.join()
    assert confirmed, "it was killed before it could be asked"
    own.start()
    standing = {post["text"] for post in own.standing()}
    assert {order.text for order in confirmed} <= standing
    last = attempted[-1]
    found = CONNECTOR.look_up(line, last)
    assert isinstance(found, Sent) == (last.text in standing)
    CONNECTOR.send(line, replace(last, attempt=2))
    texts = [post["text"] for post in own.standing()]
    assert len(texts) == len(set(texts)) == len(attempted)


def test_what_was_said_before_a_kill_is_fetched_after_it(own, net):
    line = line_of(own, net)
    _, cursor = fetch_all(line)
    said = [own.say(f"message {number}") for number in range(20)]
    own.kill()
    with pytest.raises(Unreachable):
        CONNECTOR.fetch(line, cursor)
    own.start()
    events, _ = fetch_all(line, cursor)
    assert [event.native_id for event in events] == said
    assert [post["id"] for post in own.said()] == said


def test_an_open_line_ends_when_the_server_dies(own, net):
    line = line_of(own, net)
    stream = CONNECTOR.stream(line)
    assert next(stream) == b""
    own.kill()
    with pytest.raises(Unreachable):
        next(stream)


def test_asked_politely_it_stops_at_once_even_with_an_open_line(own, net):
    line = line_of(own, net)
    stream = CONNECTOR.stream(line)
    assert next(stream) == b""
    started = time.monotonic()
    assert own.stop() == 0
    assert time.monotonic() - started < 5
    log = (own.folder / "output.log").read_text(encoding="utf-8")
    assert "Traceback" not in log


def test_a_second_one_on_the_same_file_or_port_is_refused(own):
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        other_port = probe.getsockname()[1]
    same_file = Sandbox(own.folder, other_port)
    with pytest.raises(CouldNotStart, match="another Sandbox"), closing(same_file):
        same_file.start()
    assert own.control("GET", "status")["url"] == own.url


# -- the commands -------------------------------------------------------------------------------------


def run(place, *arguments):
    done = CliRunner().invoke(commands, [arguments[0], "--data", str(place.folder), *arguments[1:]])
    return done.exit_code, done.output


def test_the_state_file_tells_who_may_read_it_how_to_ask(place):
    path = place.folder / "sandbox.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    assert state["url"] == place.url
    assert state["control_token"] == CONTROL_TOKEN
    assert state["brand_token"] == place.token
    assert path.stat().st_mode & 0o077 == 0
    assert (place.folder / "sandbox.sqlite3").stat().st_mode & 0o077 == 0


def test_commands_reach_it_by_its_folder(place, line):
    code, said = run(place, "say", "--as", "yusra", "is anybody there?")
    assert (code, "@yusra said it" in said) == (0, True)
    assert any(post["text"].endswith("is anybody there?") for post in place.said())
    code, said = run(place, "storm", "--people", "25", "--matter", "outage", "--minutes", "0", "--wait")
    assert (code, "25 people" in said) == (0, True)
    deadline = time.monotonic() + 10
    while place.control("GET", "status")["still_to_speak"] and time.monotonic() < deadline:
        time.sleep(0.1)
    stories = {post["as"] for post in place.said()}
    assert len(stories) >= 25
    code, said = run(place, "status", "--json")
    assert json.loads(said)["quiet"] is True
    assert run(place, "status")[0] == 0
    assert "data_leak" in CliRunner().invoke(commands, ["matters"]).output


def test_commands_say_in_words_what_is_wrong(place, tmp_path):
    code, said = run(place, "storm", "--matter", "weather")
    assert (code, "Nobody knows the matter weather" in said) == (1, True)
    done = CliRunner().invoke(commands, ["status", "--data", str(tmp_path)])
    assert (done.exit_code, "no Sandbox was started here" in done.output) == (1, True)
    with socket.socket() as silent:
        silent.bind((LOOPBACK, 0))
        nobody = f"http://{LOOPBACK}:{silent.getsockname()[1]}"
        done = CliRunner().invoke(commands, ["status", "--url", nobody, "--token", "x"])
    assert (done.exit_code, "Is it running?" in done.output) == (1, True)


def test_a_lively_one_speaks_by_itself_and_falls_silent_when_told(own, net):
    line = line_of(own, net)
    assert run(own, "pace", "600", "--speed", "30")[0] == 0
    deadline = time.monotonic() + 15
    while len(own.said()) < 10 and time.monotonic() < deadline:
        time.sleep(0.1)
    own.control("PUT", "pace", {"quiet": True})
    events, _ = fetch_all(line)
    heard = {event.native_id for event in events if isinstance(event, MessageSeen)}
    standing = {post["id"] for post in own.said() if not post["deleted"]}
    assert len(heard) >= 10
    assert standing <= heard
    just_now = datetime.now(UTC) - timedelta(minutes=2)
    assert all(event.sent_at > just_now for event in events if isinstance(event, MessageSeen))


def test_its_author_is_known_by_number_not_by_name(place, line):
    number = place.say("who am I?", "zack")
    author = seen(line, number).author
    assert author == Author(author.native_id, "zack", "Zack", url=f"{place.url}/@zack")
    assert author.native_id.isdigit()


def test_it_can_be_stopped_by_ctrl_c(own):
    process = own._process
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
