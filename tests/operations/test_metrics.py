"""What Prometheus is shown: the installation's own gauges at each scrape, and labels that stay few."""

from __future__ import annotations

import httpx
import pytest
from django.db import OperationalError
from django.test import Client

from heard.config import gauges, processes
from heard.foundation import metrics
from tests.memory_network import message


@pytest.fixture(autouse=True)
def every_scrape_asks(monkeypatch):
    monkeypatch.setattr(gauges, "FRESH_SECONDS", 0.0)


def scraped():
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@pytest.mark.django_db(databases="__all__")
def test_a_scrape_tells_what_waits_and_what_was_sealed(line):
    metrics.JOURNAL_SEALED_POSITION.clear()  # of other tests' organizations of the same number
    line.hand_in(message(1, "ann"))
    before = scraped()
    assert before["heard_deliveries_waiting"] == 1
    assert before["heard_database_up"] == 1
    line.says(message(2, "ben"))
    after = scraped()
    assert after["heard_deliveries_waiting"] == 0
    assert after["heard_deliveries_waiting_seconds"] == 0
    place = f'heard_journal_sealed_position{{organization="{line.actor.organization_id}"}}'
    assert after[place] > before.get(place, 0)
    assert after['heard_outbounds{state="waiting"}'] == 0


@pytest.mark.django_db(databases="__all__")
def test_a_database_that_does_not_answer_is_said_and_the_scrape_goes_on(monkeypatch):
    def gone():
        raise OperationalError("gone")

    monkeypatch.setattr(gauges.channels, "backlog", gone)
    assert scraped()["heard_database_up"] == 0


@pytest.mark.django_db(databases="__all__")
def test_the_database_is_not_asked_for_every_scraper(monkeypatch):
    asked = []
    monkeypatch.setattr(gauges, "FRESH_SECONDS", 60.0)
    monkeypatch.setattr(gauges, "_ask", lambda: asked.append(1))
    gauges._filled_at.clear()
    for _ in range(5):
        gauges.fill()
    gauges._filled_at.clear()
    assert asked == [1]


def test_exchanges_are_counted_by_network_and_never_by_host(cast, monkeypatch):
    from heard.domains.channels.actions.link import trial_link
    from heard.foundation import equipment
    from heard.foundation.net import AllowList, Guard, GuardedNet

    net = GuardedNet(Guard(AllowList.parse("127.0.0.1")))
    monkeypatch.setattr(equipment, "net", lambda: net)
    with pytest.raises(Exception, match=r"."):
        trial_link("mastodon", {}, {}).net.request("GET", "http://127.0.0.1:1/x", timeout_seconds=2)
    text = metrics.exposition()[0].decode()
    assert 'heard_exchanges_total{network="mastodon",status="0"}' in text
    assert "127.0.0.1" not in text


def test_a_process_without_pages_shows_its_numbers_on_a_port_of_its_own(monkeypatch):
    servers = []
    serve = metrics.serve
    monkeypatch.setattr(metrics, "serve", lambda *given: servers.append(serve(*given)) or servers[-1])
    processes.serve_metrics("127.0.0.1", None)
    assert servers == []
    processes.serve_metrics("127.0.0.1", 0)
    try:
        answer = httpx.get(f"http://127.0.0.1:{servers[0].server_port}/metrics")
        assert "heard_job_seconds" in answer.text
    finally:
        servers[0].shutdown()
        servers[0].server_close()
