"""Heard itself behind nginx and Caddy with our files, as docs/how-to/reverse-proxy.md says; curl visits."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.operations.installation import Installation
from tests.pushed import said, signed
from tests.servers.process import Missing, answers, free_port, running
from tests.servers.proxies import PROXIES, Front

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]
ALICE = "alice@northbridge.example"
PASSWORD = "a long enough password"
HOME, CAFE, OFFICE = "127.0.0.2", "127.0.0.3", "127.0.0.4"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass
class Visitor:
    """A browser, as far as curl is one: an address of its own and a jar for cookies."""

    front: Front
    address: str
    jar: Path

    def command(self, path, *arguments):
        curl = [shutil.which("curl"), "-4", "--silent", "--max-time", "30", "--interface", self.address]
        url = path if "://" in path else f"{self.front.url}{path}"
        return [*curl, "--cacert", self.front.ca, "-b", self.jar, "-c", self.jar, *arguments, url]

    def ask(self, path, *arguments, data=None):
        """(head, body) of the answer."""
        done = subprocess.run(
            self.command(path, "--include", *arguments), input=data, capture_output=True, check=False
        )
        assert done.returncode == 0, done
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 100"):
            head, _, body = body.partition(b"\r\n\r\n")
        return head.decode(), body.decode(errors="replace")

    def sign_in(self, email, password, *arguments):
        """(head, body) of the answer to the form."""
        _, page = self.ask("/account/login/")
        form = {"csrfmiddlewaretoken": TOKEN.search(page)[1], "login": email, "password": password}
        fields = [part for pair in form.items() for part in ("--data-urlencode", "=".join(pair))]
        return self.ask("/account/login/", *fields, "-H", f"Origin: {self.front.url}", *arguments)


@dataclass
class Behind:
    """A proxy and the Heard behind it."""

    front: Front
    folder: Path
    log: Path
    hook: str

    def visitor(self, address, name=""):
        return Visitor(self.front, address, self.folder / f"jar-{name or address}")

    def logged(self):
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture(scope="module", params=sorted(PROXIES))
def behind(request, tmp_path_factory):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed (Debian: apt-get install curl), which speaks HTTP/2")
    folder = tmp_path_factory.mktemp(request.param)
    port = free_port()
    company = Installation(folder / "data").with_customers(1)
    hook = company.works(module="tests.operations.pushing_channel").strip()
    with contextlib.ExitStack() as life:
        try:
            front = life.enter_context(PROXIES[request.param](port))
        except Missing as missing:
            pytest.skip(str(missing))
        company.environment = {
            "HEARD_URL": front.url,
            "HEARD_TRUST_PROXY": "1",
            "HEARD_LOG_LEVEL": "INFO",
            "HEARD_LOG_FORMAT": "json",
        }
        up = [sys.executable, "-m", "heard", "up", "--port", str(port)]
        log = folder / "output.log"
        life.enter_context(
            running(up, folder=folder, env=company.surroundings(), ready=lambda: answers(port))
        )
        found = Behind(front, folder, log, hook)
        visitor, until = found.visitor(OFFICE, "first"), time.monotonic() + 60
        # Caddy asks /readyz every five seconds before it sends anybody there.
        while " 200" not in visitor.ask("/readyz")[0].splitlines()[0]:
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.5)
        yield found


def push(behind, body):
    """The first line of the answer to a delivery."""
    headers = ["-H", f"X-Sandbox-Signature: {signed(body)}", "-H", "Expect:"]
    head, _ = behind.visitor(OFFICE, "network").ask(behind.hook, "--data-binary", "@-", *headers, data=body)
    return head.splitlines()[0].strip()


def test_signing_in_keeps_a_cookie_that_only_travels_safely(behind):
    alice = behind.visitor(HOME)
    head, page = alice.ask("/account/login/")
    assert head.startswith("HTTP/2 200")
    assert "strict-transport-security" in head.lower()
    assert "<form" in page
    head, _ = alice.sign_in(ALICE, PASSWORD)
    assert head.startswith("HTTP/2 302")
    cookie = next(line for line in head.splitlines() if line.lower().startswith("set-cookie: heard_session"))
    assert {"Secure", "HttpOnly"} <= set(cookie.split("; "))
    head, page = alice.ask("/inbox/")
    assert head.startswith("HTTP/2 200")
    assert "Alice Archer" in page


def test_who_is_sent_on_stays_on_the_safe_address(behind):
    nobody = behind.visitor(HOME, "nobody")
    for path in ("/", "/inbox", "/inbox/", "/settings/profile/", "/account/logout/"):
        head, _ = nobody.ask(path)
        assert head.split()[1] in {"301", "302"}, (path, head)
        to = next(
            line.split(": ", 1)[1] for line in head.splitlines() if line.lower().startswith("location:")
        )
        assert to.startswith(("/", behind.front.url)), (path, to)
    head, _ = nobody.ask(f"{behind.front.plain_url}/inbox/")
    assert head.split()[1] in {"301", "308"}
    assert "location: https://localhost" in head.lower()


def test_guessing_is_counted_by_the_address_the_proxy_sees_whatever_a_visitor_claims(behind):
    guesser = behind.visitor(CAFE)
    for number in range(10):
        claims = [f"X-Forwarded-For: 198.51.100.{number}", f"X_Forwarded_For: 198.51.100.{number}"]
        claims += [f"X-Real-IP: 198.51.100.{number}", f"Forwarded: for=198.51.100.{number}", "X-Heard: 1"]
        _, page = guesser.sign_in(f"nobody{number}@x.example", "wrong", "-H", claims[number % len(claims)])
        assert "do not belong together" in page, number
    for claim in ("X-Heard: 1", f"X-Forwarded-For: {OFFICE}", f"X_Forwarded_For: {OFFICE}"):
        _, page = guesser.sign_in("another@x.example", "wrong", "-H", claim)
        assert "Too many attempts" in page, claim
    # Neither the address that was claimed nor anybody else is shut out.
    head, page = behind.visitor(OFFICE).sign_in(ALICE, PASSWORD)
    assert head.startswith("HTTP/2 302"), page


def test_the_log_knows_from_where_it_was_asked(behind):
    behind.visitor(HOME, "logged").ask("/account/login/?from=log", "-H", "X-Forwarded-For: 198.51.100.7")
    behind.visitor(HOME, "logged").ask("/account/login/", "-H", "X_Forwarded_For: 198.51.100.8")
    until = time.monotonic() + 10
    while not (asked := [line for line in behind.logged() if line["event"] == "request"]):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert {HOME} <= {line["client"] for line in asked} <= {HOME, CAFE, OFFICE}


def test_what_was_pushed_is_told_on_the_live_stream_at_once(behind):
    alice = behind.visitor(HOME, "live")
    assert alice.sign_in(ALICE, PASSWORD)[0].startswith("HTTP/2 302")
    command = alice.command("/events", "--no-buffer", "--include", "--max-time", "60")
    came: list[tuple[float, bytes]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:

        def listen():
            came.extend((time.monotonic(), line.strip()) for line in process.stdout)

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()

        def wait_for(what, after=0):
            until = time.monotonic() + 20
            while not any(what in line for _, line in came[after:]):
                assert time.monotonic() < until, came
                time.sleep(0.02)

        wait_for(b": hello")
        assert came[0][1].startswith(b"HTTP/2 200")
        for number in (1, 2):  # the second is not the end of what a proxy gathered
            before = len(came)
            assert push(behind, said(number)) == "HTTP/2 200"
            wait_for(b"event: changed", before)
            time.sleep(1.5)
        process.terminate()
        listener.join(10)


def test_a_delivery_that_is_too_large_is_told_so(behind):
    assert push(behind, b"x" * 4_900_000) == "HTTP/2 200"  # kept, though nobody can read it
    assert push(behind, b"x" * 5_100_000) == "HTTP/2 413"
    assert push(behind, b"x" * 6_000_000) == "HTTP/2 413"
    assert push(behind, b"x" * 20_000_000) == "HTTP/2 413"


def test_a_forged_delivery_and_the_numbers_stay_out(behind):
    stranger = behind.visitor(CAFE, "stranger")
    forged = ["-H", "X-Sandbox-Signature: sha256=00", "--data-binary", "@-"]
    assert stranger.ask(behind.hook, *forged, data=said(9))[0].startswith("HTTP/2 403")
    assert stranger.ask("/metrics")[0].startswith("HTTP/2 404")
    assert stranger.ask("/events")[0].startswith("HTTP/2 401")
