"""An actual run's log holds ids and kinds: no word of a customer or an agent, no address, no secret."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from heard.connectorkit.vocabulary import Verb
from heard.foundation import logging as structured
from tests.cast import work

from .installation import Installation

SAID = "My parcel smells of marzipan, write to zoe.quince@customers.example"
ANSWERED = "We are sorry about the marzipan, ask for Petronella"
PRIVATE = ("marzipan", "zoe.quince", "customers.example", "Petronella", "northbridge.example", "Alice Archer")


@pytest.fixture
def log():
    """Everything that is logged, at the most talkative level, as it would be written down."""
    stream = io.StringIO()
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    structured.configure(style="json", level="DEBUG", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def lines_of(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


@pytest.mark.django_db(databases="__all__")
def test_taking_in_and_sending_leave_no_text_behind(cast, line, log):
    from heard.domains.conversations.models import Message
    from heard.domains.outbox.actions import submit
    from heard.domains.outbox.models import Outbound

    line.case(1, "ann", text=SAID)
    target = Message.objects.get(native_id="m1")
    submit(cast.alice, verb=Verb.REPLY, target_id=target.pk, text=ANSWERED, undo_seconds=0)
    line.network.fault = lambda order: "timeout" if order.attempt == 1 else ""
    work()
    browser = cast.browser(cast.alice)
    for path in ("/inbox/", "/nowhere/?q=marzipan", "/c/999999"):
        browser.get(path)
    assert Outbound.objects.count() == 1
    written = log.getvalue()
    assert {"request"} <= {found["event"] for found in lines_of(written)}
    assert [word for word in PRIVATE if word in written] == []


@pytest.mark.django_db(databases="__all__")
def test_a_job_that_breaks_over_a_text_does_not_repeat_it(line, log, monkeypatch):
    from heard.foundation.work import Job
    from heard.foundation.work.loop import Worker

    def breaks(_turn):
        raise RuntimeError(SAID)

    Worker()._slice(Job("test.breaks", breaks))
    (found,) = [entry for entry in lines_of(log.getvalue()) if entry["event"] == "job_failed"]
    assert "RuntimeError" in found["exception"]
    assert [word for word in PRIVATE if word in log.getvalue()] == []


# Real processes -----------------------------------------------------------------------------------


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(true, seconds=60.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come true in time")


def answers(url):
    try:
        return httpx.get(url, timeout=5.0)
    except httpx.HTTPError:
        return None


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_web_worker_and_stream_write_json_without_secrets_and_show_their_numbers(tmp_path):
    company = Installation(tmp_path / "data", environment={"HEARD_LOG_LEVEL": "DEBUG"}).with_customers(5)
    company.environment["HEARD_METRICS_TOKEN"] = "prometheus-comes-with-this"
    ports = [free_port() for _ in range(3)]
    starts = [
        ["web", "--port", str(ports[0])],
        ["worker", "--metrics-port", str(ports[1])],
        ["stream", "--metrics-port", str(ports[2])],
    ]
    logs = [(tmp_path / f"{start[0]}.log").open("wb") for start in starts]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "heard", *start],
            stdout=log,
            stderr=log,
            env=company.surroundings(),
            start_new_session=True,
        )
        for start, log in zip(starts, logs, strict=True)
    ]
    base = f"http://127.0.0.1:{ports[0]}"
    try:
        until(lambda: (found := answers(f"{base}/readyz")) is not None and found.status_code == 200)
        with httpx.Client(base_url=base, timeout=20) as browser:
            page = browser.get("/account/login/")
            assert page.status_code == 200
            form = {
                "login": "alice@northbridge.example",
                "password": "not her password",
                "csrfmiddlewaretoken": browser.cookies["csrftoken"],
            }
            browser.post("/account/login/", data=form, headers={"Referer": base})
            browser.get("/sign-in/a-link-that-somebody-guessed-0123456789/")
            assert browser.get("/metrics").status_code == 403
            told = browser.get("/metrics", headers={"Authorization": "Bearer prometheus-comes-with-this"})
            assert "heard_journal_sealed_position" in told.text
        for port in ports[1:]:
            until(lambda port=port: answers(f"http://127.0.0.1:{port}/metrics") is not None)
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(20)
        for log in logs:
            log.close()
    secrets = [(company.data / name).read_text().split()[-1] for name in ("keys", "secret-key")]
    for start in starts:
        text = (tmp_path / f"{start[0]}.log").read_text()
        entries = lines_of(text)  # each line is JSON, whoever wrote it
        assert {"timestamp", "level", "event"} <= set(entries[0]), start
        private = [*PRIVATE, *secrets, "not her password", "somebody-guessed", "prometheus-comes-with-this"]
        assert [word for word in private if word in text] == [], start
    assert os.listdir(company.data / "static")
