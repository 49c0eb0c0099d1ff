"""A server that is down, slow, somebody else or leads elsewhere: what the person who connects it reads, and
what stands on the page of an account that was fine until today. Real sockets, the real guard, the real forms.
"""

from __future__ import annotations

import html
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from heard.connectorkit import registry
from heard.connectorkit.quality import is_sentence
from heard.domains.channels import actions, queries
from heard.domains.channels.models import Channel, Delivery
from heard.domains.conversations.models import Message
from heard.domains.organizations.queries import brands
from heard.foundation import clock, equipment
from heard.foundation.net import GuardedNet
from heard.foundation.net.tests.servers import serving
from heard.foundation.work import Slice, jobs
from tests.memory_network import message
from tests.servers.process import free_port

pytestmark = pytest.mark.django_db(databases="__all__")
SECRET = "hunter2-hunter2"


def _answers(text: str) -> Callable[[socket.socket], None]:
    def script(connection: socket.socket) -> None:
        while connection.recv(65_536):
            connection.sendall(text.encode())

    return script


def _http(status: str, body: str, *headers: str) -> Callable[[socket.socket], None]:
    head = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers)
    return _answers("\r\n".join(head) + "\r\n\r\n" + body)


def _silent(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


PAGE = "<!doctype html><title>Welcome to the hotel's wireless</title><h1>Please accept our terms</h1>"
SERVERS: dict[str, Callable[[socket.socket], None] | None] = {
    "down": None,
    "slow": _silent,
    "a web page": _http("200 OK", PAGE, "Content-Type: text/html"),
    "leads inside": _http("302 Found", "", "Location: http://10.0.0.1/latest/meta-data"),
    "broken": _http("500 Internal Server Error", PAGE, "Content-Type: text/html"),
    "wrong credentials": _http("401 Unauthorized", '{"error": "no"}', "Content-Type: application/json"),
    "garbage": _answers("\x00\x01\x02" * 50 + "\r\n"),
    "hangs up": lambda connection: connection.close(),
}
"""What each does; none at all where it is down."""


@pytest.fixture
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of such a server. Nobody waits for a slow one for long here."""
    for name in ("request", "socket"):
        whole: Callable[..., Any] = getattr(GuardedNet, name)

        def hurried(self: GuardedNet, *given: Any, _whole: Any = whole, **named: Any) -> Any:
            return _whole(self, *given, **{**named, "timeout_seconds": 1.0})

        monkeypatch.setattr(GuardedNet, name, hurried)
    script = SERVERS[request.param]
    with ExitStack() as stack:
        stack.callback(equipment.net().close)  # no line of this test is left to another
        yield free_port() if script is None else stack.enter_context(serving(script)).port


def _forms(port: int) -> dict[str, dict[str, str]]:
    """What somebody fills in who connects an account of that server."""
    url = f"http://127.0.0.1:{port}"
    mail = {f"{half}_{name}": value for half in ("imap", "smtp") for name, value in
            (("host", "127.0.0.1"), ("security", "none"), ("port", str(port)))}  # fmt: skip
    # What the page has chosen already.
    chosen = {
        field.name: str(field.default)
        for field in registry.connector("email").manifest.fields
        if field.choices
    }
    return {
        "mastodon": {"server_url": url, "access_token": SECRET},
        "bluesky": {"handle": "north.bridge.example", "app_password": SECRET, "service": url},
        "sandbox": {"address": url, "token": SECRET},
        "email": {"address": "us@northbridge.example", "password": SECRET, **chosen, **mail},
    }


def _problem(answer: Any) -> str:
    """The sentence that stands beside the form."""
    found = re.search(r'role="alert"[^>]*>(.*?)</(?:div|ul|section)>', answer.content.decode(), re.DOTALL)
    assert found, "nothing is said"
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", found[1]).split()))


@pytest.mark.parametrize("network", ["mastodon", "bluesky", "sandbox", "email"])
@pytest.mark.parametrize("server", list(SERVERS), indirect=True)
def test_who_connects_an_account_reads_what_is_wrong_and_nothing_is_kept(
    cast, server: int, network: str
) -> None:
    form = _forms(server)[network]
    answer = cast.browser(cast.alice).post(f"/settings/channels/connect/{network}/", form)
    assert answer.status_code == 422
    assert is_sentence(_problem(answer)), _problem(answer)
    shown = answer.content.decode()
    assert SECRET not in shown
    assert "Traceback" not in shown
    assert "hotel" not in shown, "another server's page is not ours to show"
    assert all(
        html.escape(value) in shown for name, value in form.items() if name in {"server_url", "handle"}
    )
    assert not Channel.objects.exists()


INSIDE = [
    "http://10.0.0.1",
    "http://169.254.169.254",
    "https://[fd00::1]",
    "https://192.168.0.1",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_even_asked(cast, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_connection(*_given: Any, **_named: Any) -> None:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr("heard.foundation.net.wire.connect", no_connection)
    for network, field in (("mastodon", "server_url"), ("bluesky", "service"), ("sandbox", "address")):
        form = {**_forms(1)[network], field: address}
        answer = cast.browser(cast.alice).post(f"/settings/channels/connect/{network}/", form)
        assert answer.status_code == 422, network
    assert not Channel.objects.exists()


@pytest.mark.parametrize("server", [name for name in SERVERS if name != "wrong credentials"], indirect=True)
def test_an_account_whose_server_fails_says_so_and_the_others_are_heard(cast, line, server: int) -> None:
    """Its page names it in plain words, it is looked at again, and whoever writes elsewhere arrives."""
    now = clock.now()
    row = Channel.objects.create(
        organization_id=cast.alice.organization_id, brand_id=brands(cast.alice)[0].id, network="mastodon",
        native_id="1", handle="@us@here.example", name="Us", hook_token="t", connected_at=now, due_at=now,
        settings={"server_url": f"http://127.0.0.1:{server}"}, limits={},
    )  # fmt: skip
    row.secrets = actions.link.seal_secrets(row.organization_id, row.pk, {"access_token": SECRET})
    row.save(update_fields=["secrets"])
    line.network.inbound.append(message(1))
    for _ in range(2):
        turn = Slice(clock.now(), 5, clock.now() + timedelta(seconds=20))
        jobs()["channels.look"].run(turn)
    jobs()["conversations.take_in"].run(Slice(clock.now(), 5, clock.now() + timedelta(seconds=20)))
    assert list(Message.objects.values_list("text", flat=True)) == ["Hello 1"]
    told = queries.channel(cast.alice, row.pk).error
    assert is_sentence(told), told
    page = html.unescape(cast.browser(cast.bob).get(f"/settings/channels/{row.pk}/").content.decode())
    assert told in page
    assert SECRET not in page
    row.refresh_from_db()
    assert row.state == "active", "a bad day is no reason to stop listening"
    assert now < row.due_at < now + timedelta(hours=2)
    assert not Delivery.objects.filter(channel_id=row.pk).exists()
