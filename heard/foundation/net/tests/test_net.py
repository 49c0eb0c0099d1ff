"""The way out against real servers on loopback: each refusal beside a success with the same set-up."""

from __future__ import annotations

import gzip
import json
import os
import socket
import threading
import time
import zlib

import pytest

from heard.connectorkit.errors import (
    CredentialsRefused,
    OutcomeUnknown,
    RateLimited,
    Unreachable,
    Unsupported,
)
from heard.connectorkit.net import Net
from heard.foundation.net import AllowList, Exchange, Guard, GuardedNet, Recorder

from .servers import answer, read_head, replies, self_signed, serving

LOCAL = AllowList.parse("127.0.0.1, 127.0.0.2")


def names(**known: list[str]):
    """A resolver that knows these names (``_`` for a dot)."""
    return lambda host, _port: known[host.replace(".", "_")]


@pytest.fixture
def net():
    line = GuardedNet(Guard(LOCAL))
    yield line
    line.close()


@pytest.fixture
def closed():
    line = GuardedNet(Guard(AllowList()))
    yield line
    line.close()


def test_it_is_what_connectors_are_promised(net):
    promised: Net = net  # checked by mypy too
    assert promised is net


def test_a_request_reaches_a_listed_server_and_no_other(net, closed):
    seen: list[bytes] = []
    with serving(replies(answer(b'{"a": 1}', Content_Type="application/json"), seen=seen)) as server:
        response = net.request("GET", server.url("/x?b=2"), params={"c": "ü", "d": None, "e": [1, 2]})
        assert response.json() == {"a": 1}
        with pytest.raises(Unreachable, match="HEARD_ALLOW_ADDRESSES"):
            closed.request("GET", server.url())
        with pytest.raises(Unreachable, match="this machine"):
            closed.request("GET", server.url().replace("http:", "https:"))
        assert server.connections == 1
    assert seen[0].startswith(b"GET /x?b=2&c=%C3%BC&e=1&e=2 HTTP/1.1\r\n")
    assert b"user-agent: heard/" in seen[0].lower()


def test_a_name_that_answers_differently_the_second_time_gains_nothing():
    answers = [["127.0.0.2"], ["10.0.0.1"], ["127.0.0.2"]]
    asked: list[str] = []

    def rebinding(host, _port):
        asked.append(host)
        return answers[len(asked) - 1]

    line = GuardedNet(Guard(AllowList.parse("127.0.0.2"), resolver=rebinding))
    listener = socket.create_server(("127.0.0.2", 0))
    port = listener.getsockname()[1]
    seen: list[bytes] = []

    def serve_one() -> None:
        connection, _ = listener.accept()
        with connection:
            seen.append(read_head(connection))
            connection.sendall(answer(Connection="close"))

    thread = threading.Thread(target=serve_one)
    thread.start()
    try:
        assert line.request("GET", f"http://rebind.test:{port}/").status_code == 200
        # One look-up for check and connection together, and the name is still what the server hears.
        assert asked == ["rebind.test"]
        assert f"host: rebind.test:{port}".encode() in seen[0].lower()
        with pytest.raises(Unreachable):
            line.request("GET", f"http://rebind.test:{port}/")
        assert asked == ["rebind.test"] * 2
    finally:
        thread.join(5)
        listener.close()
        line.close()


def test_a_dead_address_does_not_hide_a_living_one():
    with serving(replies(answer(b"alive"))) as server:
        guard = Guard(LOCAL, resolver=names(two_test=["127.0.0.2", "127.0.0.1"]))
        line = GuardedNet(guard)
        assert line.request("GET", server.url(host="two.test")).text == "alive"
        line.close()


def test_redirects_are_answers_and_following_checks_every_hop(net):
    inside = answer(b"", "302 Found", Location="http://10.0.0.1/admin")
    with serving(replies(inside)) as server:
        assert net.request("GET", server.url()).status_code == 302
        with pytest.raises(Unreachable, match=r"10\.0\.0\.1"):
            net.follow(server.url(), timeout_seconds=5)


@pytest.mark.parametrize(
    "location", ["https://[", "ftp://127.0.0.1/x", "https://a:b@127.0.0.1/", "http://127.1/"]
)
def test_a_redirect_to_nonsense_is_refused(net, location):
    with serving(replies(answer(b"", "302 Found", Location=location))) as server, pytest.raises(Unreachable):
        net.follow(server.url())


def test_following_stops_after_three_hops_and_keeps_headers_from_strangers(net):
    seen: list[bytes] = []
    with serving(replies(answer(b"picture"), seen=seen)) as target:
        elsewhere = answer(b"", "301 Moved", Location=target.url("/p.png"))
        with serving(replies(answer(b"", "302 Found", Location="/next"), elsewhere, seen=seen)) as server:
            got = net.follow(server.url(), headers={"Authorization": "Bearer hush"})
            assert got.content == b"picture"
        assert [b"hush" in head for head in seen] == [True, True, False]
    again = replies(answer(b"", "302 Found", Location="/again"))
    with serving(again) as server, pytest.raises(Unreachable, match="more than 3 times"):
        net.follow(server.url())


def test_cookies_do_not_travel_from_one_answer_to_the_next_request(net):
    seen: list[bytes] = []
    with serving(replies(answer(Set_Cookie="session=tenant-a"), seen=seen)) as server:
        net.request("GET", server.url())
        net.request("GET", server.url())
    assert b"tenant-a" not in seen[1]


def test_a_body_larger_than_allowed_is_not_read_to_its_end(net):
    with serving(replies(answer(b"x" * 1000))) as server:
        assert len(net.request("GET", server.url(), maximum_bytes=1000).content) == 1000
        with pytest.raises(Unreachable, match="larger than 999 bytes"):
            net.request("GET", server.url(), maximum_bytes=999)

    def endless(connection):
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with serving(endless) as server, pytest.raises(Unreachable, match="larger than"):
        net.request("GET", server.url(), maximum_bytes=100_000)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
    ],
)
def test_packed_bodies_are_unpacked_and_bombs_defused(net, encoding, pack):
    with serving(replies(answer(pack(b"hello " * 100), Content_Encoding=encoding))) as server:
        assert net.request("GET", server.url()).content == b"hello " * 100
    bomb = pack(b"\0" * 50_000_000)
    assert len(bomb) < 60_000
    script = replies(answer(bomb, Content_Encoding=encoding))
    with serving(script) as server, pytest.raises(Unreachable, match="larger than"):
        net.request("GET", server.url(), maximum_bytes=1_000_000)


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "br", "zstd"])
def test_what_cannot_be_unpacked_is_a_sentence(net, encoding):
    script = replies(answer(gzip.compress(b"hello")[:-6], Content_Encoding=encoding))
    with serving(script) as server, pytest.raises(Unreachable, match="cannot be decoded"):
        net.request("GET", server.url())


def test_a_charset_that_unpacks_is_not_a_charset(net):
    body = zlib.compress(b"\0" * 1_000_000)
    with serving(replies(answer(body, Content_Type="text/plain; charset=zlib"))) as server:
        assert len(net.request("GET", server.url()).text) < 5_000
    with serving(
        replies(answer("grün".encode("latin-1"), Content_Type="text/plain; charset=latin-1"))
    ) as server:
        assert net.request("GET", server.url()).text == "grün"


def test_a_server_that_drips_ends_at_the_total_time(net):
    def drip(connection):
        read_head(connection)
        for byte in answer(b"x" * 500):
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    with serving(drip) as server:
        started = time.monotonic()
        with pytest.raises(Unreachable, match="in time"):
            net.request("GET", server.url(), timeout_seconds=0.5)
        assert time.monotonic() - started < 2


def test_a_write_that_never_left_is_unreachable_and_one_that_left_is_unknown(net):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        unused = listener.getsockname()[1]
    with pytest.raises(Unreachable, match="nothing listens there"):
        net.request("POST", f"http://127.0.0.1:{unused}/", json={}, writes=True)

    def hang(connection):
        read_head(connection)
        connection.recv(1)

    def vanish(connection):
        read_head(connection)

    def half(connection):
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal")

    for script in (hang, vanish, half):
        with serving(script) as server:
            with pytest.raises(OutcomeUnknown, match="may or may not"):
                net.request("POST", server.url(), json={"text": "hi"}, timeout_seconds=0.4, writes=True)
            with pytest.raises(Unreachable):
                net.request("POST", server.url(), json={"text": "hi"}, timeout_seconds=0.4)


def test_an_answer_too_large_to_a_write_leaves_its_outcome_unknown(net):
    with serving(replies(answer(b"x" * 1000))) as server:
        with pytest.raises(OutcomeUnknown):
            net.request("POST", server.url(), maximum_bytes=10, writes=True)
        assert net.request("POST", server.url(), maximum_bytes=1000, writes=True).status_code == 200


def test_a_refused_write_is_unreachable(closed):
    with serving(replies(answer())) as server, pytest.raises(Unreachable):
        closed.request("POST", server.url(), writes=True)


def test_writes_never_travel_on_a_used_connection(net):
    with serving(replies(answer())) as server:
        for _ in range(3):
            net.request("GET", server.url())
        assert server.connections == 1
        for _ in range(3):
            net.request("POST", server.url(), content=b"x", writes=True)
        assert server.connections == 4


def test_many_threads_share_one_line(net):
    with serving(replies(answer(b"x" * 10_000))) as server:
        sizes: list[int] = []

        def ask() -> None:
            sizes.extend(len(net.request("GET", server.url()).content) for _ in range(10))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sizes == [10_000] * 80
        assert server.connections <= 8


def test_a_server_of_another_kind_is_a_plain_sentence(net):
    def mail(connection):
        connection.sendall(b"220 mail.example ESMTP\r\n")
        read_head(connection)

    with serving(mail) as server:
        with pytest.raises(Unreachable, match="HTTP"):
            net.request("GET", server.url())
        with pytest.raises(Unreachable, match="TLS"):
            net.request("GET", server.url().replace("http:", "https:"))


def test_certificates_are_checked_against_the_name(tmp_path):
    ca_file, context = self_signed(tmp_path)
    guard = Guard(LOCAL, resolver=names(social_test=["127.0.0.1"], other_test=["127.0.0.1"]))
    trusting, wary = GuardedNet(guard, extra_ca_file=str(ca_file)), GuardedNet(guard)
    with serving(replies(answer(b"hello")), tls=context) as server:
        assert trusting.request("GET", server.url(host="social.test")).text == "hello"
        with pytest.raises(Unreachable, match="not trusted"):
            wary.request("GET", server.url(host="social.test"))
        with pytest.raises(Unreachable, match="not trusted"):
            trusting.request("GET", server.url(host="other.test"), writes=True)
        with trusting.socket("social.test", server.port, tls=True) as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert tls.recv(100).startswith(b"HTTP/1.1 200")
        with pytest.raises(Unreachable, match="not trusted"):
            wary.socket("social.test", server.port, tls=True)
        with pytest.raises(Unreachable, match="not trusted"):
            trusting.socket("other.test", server.port, tls=True)
    trusting.close()
    wary.close()


def test_sockets_pass_the_same_guard(net, closed):
    with serving(lambda connection: connection.sendall(b"* OK ready\r\n")) as server:
        with net.socket("127.0.0.1", server.port, tls=False) as plain:
            assert plain.recv(100) == b"* OK ready\r\n"
        for host in ("127.0.0.1", "localhost", "2130706433", "::1"):
            with pytest.raises(Unreachable):
                closed.socket(host, server.port, tls=False)
        with pytest.raises(Unreachable, match="not a port"):
            net.socket("127.0.0.1", 0, tls=False)
    with pytest.raises(Unreachable, match="nothing listens"):
        net.socket("127.0.0.1", server.port, tls=False)


def test_starttls_is_verified_by_name(tmp_path):
    ca_file, context = self_signed(tmp_path)

    def script(connection):
        connection.sendall(b"220 ready\r\n")
        connection.recv(100)
        connection.sendall(b"220 go ahead\r\n")
        with context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.sendall(b"250 safe\r\n")

    line = GuardedNet(Guard(LOCAL), extra_ca_file=str(ca_file))
    with serving(script) as server:
        for name, trusted in (("social.test", True), ("other.test", False)):
            plain = line.socket("127.0.0.1", server.port, tls=False, timeout_seconds=3)
            plain.recv(100)
            plain.sendall(b"STARTTLS\r\n")
            plain.recv(100)
            if trusted:
                with line.start_tls(plain, name) as safe:
                    assert safe.recv(100) == b"250 safe\r\n"
            else:
                with pytest.raises(Unreachable, match="not trusted"):
                    line.start_tls(plain, name)
                assert plain.fileno() == -1
    line.close()


def test_a_server_that_is_silent_at_the_handshake_times_out(net):
    with serving(lambda connection: connection.recv(10_000) and connection.recv(1)) as server:
        with pytest.raises(Unreachable, match="in time"):
            net.socket("127.0.0.1", server.port, tls=True, timeout_seconds=0.3)
        with pytest.raises(Unreachable, match="in time"):
            net.request("POST", server.url().replace("http", "https"), timeout_seconds=0.3, writes=True)


def test_a_pasted_token_with_a_line_break_is_a_word_about_credentials(net):
    with serving(replies(answer())) as server:
        with pytest.raises(CredentialsRefused, match="Authorization"):
            net.request("GET", server.url(), headers={"Authorization": "Bearer abc\r\nX-Evil: 1"})
        with pytest.raises(Unsupported, match="X-Name"):
            net.request("GET", server.url(), headers={"X-Name": "Zoë"})
        with pytest.raises(Unsupported, match="half a character"):
            net.request("POST", server.url(), json={"text": "\ud83d"}, writes=True)
        assert server.connections == 0


def stream_of(*chunks: bytes, head: str = "text/event-stream", end: float = 0.0):
    def script(connection):
        read_head(connection)
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {head}\r\n\r\n".encode())
        for chunk in chunks:
            connection.sendall(chunk)
            time.sleep(0.02)
        time.sleep(end)

    return script


def read_to_the_end(events) -> tuple[list[tuple[str, str, str]], Unreachable]:
    got = []
    try:
        for event in events:
            got.append((event.event, event.data, event.id))  # noqa: PERF401 - what came before the error
    except Unreachable as error:
        return got, error
    raise AssertionError("a stream ends by raising")


def test_events_come_as_they_are_sent_and_the_end_is_told(net):
    sent = (
        b": hi\n",
        b"event: update\nda",
        b"ta: one\ndata: two\nid: 7\n\n",
        b"data: t\xc3",
        b"\xbc\r\n\r\n",
    )
    with serving(stream_of(*sent)) as server, net.events(server.url(), params={"stream": "user"}) as events:
        got, error = read_to_the_end(events)
    assert got == [("update", "one\ntwo", "7"), ("message", "tü", "7")]
    assert "ended its stream" in error.message


def test_pings_keep_a_stream_alive_and_silence_ends_it(net):
    script = stream_of(*[b":ping\n"] * 20, b"data: late\n\n", end=3)
    with serving(script) as server, net.events(server.url(), idle_seconds=0.25) as events:
        got, error = read_to_the_end(events)
    assert got == [("message", "late", "")]
    assert "in time" in error.message


def test_an_event_without_end_does_not_fill_the_memory(net):
    script = stream_of(*[b"data: " + b"x" * 1_000_000] * 4)
    with serving(script) as server, net.events(server.url()) as events:
        got, error = read_to_the_end(events)
    assert got == []
    assert "larger than" in error.message


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (answer(status="401 Unauthorized"), CredentialsRefused),
        (answer(status="429 Too Many", Retry_After="7"), RateLimited),
        (answer(status="502 Bad Gateway"), Unreachable),
        (answer(b"<html>", Content_Type="text/html"), Unreachable),
        (answer(b"x", Content_Type="text/event-stream", Content_Encoding="gzip"), Unreachable),
    ],
)
def test_what_is_no_stream_is_named_by_what_to_do(net, head, error):
    with serving(replies(head)) as server, pytest.raises(error) as raised, net.events(server.url()):
        pass
    if error is RateLimited:
        assert raised.value.retry_after_seconds == 7


def test_streams_pass_the_guard(closed):
    with (
        serving(stream_of(b"data: 1\n\n")) as server,
        pytest.raises(Unreachable),
        closed.events(server.url()),
    ):
        pass


def test_closing_wakes_a_reader_in_another_thread():
    line = GuardedNet(Guard(LOCAL))
    ended: list[float] = []
    open_now = threading.Event()
    with serving(stream_of(b"data: 1\n\n", end=4)) as server:

        def read() -> None:
            with line.events(server.url(), idle_seconds=60) as events:
                next(events)
                open_now.set()
                read_to_the_end(events)
            ended.append(time.monotonic())

        reader = threading.Thread(target=read)
        reader.start()
        assert open_now.wait(3)
        asked = time.monotonic()
        line.close()
        reader.join(3)
        assert ended
        assert ended[0] - asked < 1


def test_the_hook_hears_of_every_exchange_without_secrets(net):
    heard: list[Exchange] = []
    view = net.for_caller(on_exchange=heard.append, secrets=("12:hush/7f",))
    with serving(replies(answer(b"12345", X_RateLimit_Remaining="9"))) as server:
        view.request("GET", server.url("/bot12:hush%2F7f/getMe?access_token=hush"))
        net.request("GET", server.url())
    with pytest.raises(Unreachable):
        view.request("GET", server.url("/down"))
    assert [(x.method, x.host, x.path, x.status, x.bytes_read) for x in heard] == [
        ("GET", "127.0.0.1", "/bot[hidden]/getMe", 200, 5),
        ("GET", "127.0.0.1", "/down", 0, 0),
    ]
    assert heard[0].headers["x-ratelimit-remaining"] == "9"
    assert 0 < heard[0].seconds < 5


def test_a_callers_hook_stands_beside_the_one_of_the_process():
    whole: list[Exchange] = []
    own: list[Exchange] = []
    net = GuardedNet(Guard(AllowList.parse("127.0.0.1")), on_exchange=whole.append)
    with serving(replies(answer(b"1"), answer(b"2"))) as server:
        net.for_caller(on_exchange=own.append).request("GET", server.url("/mine"))
        net.request("GET", server.url("/theirs"))
    net.close()
    assert [exchange.path for exchange in own] == ["/mine"]
    assert [exchange.path for exchange in whole] == ["/mine", "/theirs"]


def test_a_recording_holds_the_exchange_and_no_secret(net, tmp_path):
    file = tmp_path / "exchange.json"
    view = net.for_caller(recorder=Recorder(file, secrets=("hush-1", "hush-2")))
    said = json.dumps(
        {"access_token": "hush-3", "echo": "it was hush-1", "id": "5", "list": [{"secret": "hush-4"}]}
    )
    with serving(replies(answer(said.encode(), Set_Cookie="a=hush-5", X_RateLimit_Remaining="3"))) as server:
        view.request(
            "POST",
            server.url("/u/hush-2?client_secret=hush-6&page=2"),
            headers={"Authorization": "Bearer hush-7"},
            json={"status": "hello", "password": "hush-8"},
            writes=True,
        )
        view.request("POST", server.url("/form"), data={"grant_type": "password", "code": "1"}, writes=True)
    text = file.read_text()
    assert "hush" not in text
    first, second = json.loads(text)
    assert first["request"]["json"] == {"status": "hello", "password": "[hidden]"}
    assert first["request"]["url"].endswith("/u/[hidden]?client_secret=%5Bhidden%5D&page=2")
    assert first["response"]["json"]["id"] == "5"
    assert first["response"]["headers"]["x-ratelimit-remaining"] == "3"
    assert second["request"]["data"]["grant_type"] == "password"


def test_environment_proxies_and_unix_sockets_are_no_way_around(net, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setitem(os.environ, name, "http://10.0.0.1:3128")
    with serving(replies(answer(b"direct"))) as server:
        assert net.request("GET", server.url()).text == "direct"


def test_head_and_empty_answers_have_no_body(net):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\nContent-Encoding: gzip\r\n\r\n"
    with serving(replies(head)) as server:
        assert net.request("HEAD", server.url()).content == b""
    with serving(replies(b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n")) as server:
        assert net.request("DELETE", server.url(), writes=True).status_code == 204
