"""``heard doctor``: what is wrong is said in plain words, with what to do; what is well passes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest

from heard.config.doctor import databases, examination, ground, work
from heard.config.doctor.findings import Level, size_of, span_of
from tests.cast import NOW
from tests.memory_network import message


def levels(findings):
    return [finding.level for finding in findings]


def test_a_private_folder_is_fine_an_open_one_is_not_and_a_missing_one_is_wrong(tmp_path):
    tmp_path.chmod(0o700)
    assert ground.folder(tmp_path).level is Level.FINE
    tmp_path.chmod(0o755)
    opened = ground.folder(tmp_path)
    assert opened.level is Level.LOOK
    assert f"chmod 700 {tmp_path}" in opened.what_to_do
    assert ground.folder(tmp_path / "nowhere").level is Level.WRONG


def test_a_key_that_others_can_read_is_wrong(tmp_path):
    key = tmp_path / "keys"
    key.write_text("secret")
    key.chmod(0o600)
    assert ground.secret_files(tmp_path) == []
    key.chmod(0o644)
    (found,) = ground.secret_files(tmp_path)
    assert found.level is Level.WRONG
    assert "chmod 600" in found.what_to_do


@pytest.mark.parametrize(
    ("url", "behind_proxy", "level"),
    [
        ("http://127.0.0.1:8400", False, Level.FINE),
        ("https://heard.example", True, Level.FINE),
        ("https://heard.example", False, Level.WRONG),
        ("http://heard.example", False, Level.WRONG),
        ("heard.example", False, Level.WRONG),
        ("https://example.com/heard", True, Level.WRONG),
    ],
)
def test_the_address_people_open(url, behind_proxy, level):
    assert ground.address(url, behind_proxy=behind_proxy).level is level


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", []),
        ("heard.example, www.heard.example", []),
        ("https://heard.example", [Level.WRONG]),
        ("heard.example:8400", [Level.WRONG]),
        ("*", [Level.LOOK]),
    ],
)
def test_further_host_names(given, expected):
    assert levels(ground.hosts(given)) == expected


def test_an_old_sqlite_and_little_memory_are_named(tmp_path):
    assert ground.sqlite((3, 38, 0)).level is Level.FINE
    assert "3.37.2" in ground.sqlite((3, 37, 2)).title
    told = tmp_path / "meminfo"
    told.write_text("MemTotal: 4000000 kB\nMemAvailable: 100000 kB\n")
    assert ground.memory(told).level is Level.LOOK
    told.write_text("MemTotal: 4000000 kB\nMemAvailable: 3000000 kB\n")
    assert ground.memory(told).level is Level.FINE


@pytest.mark.parametrize(
    ("seconds", "level"), [(0.1, Level.FINE), (5, Level.LOOK), (-5, Level.LOOK), (90, Level.WRONG)]
)
def test_clocks_that_disagree(seconds, level):
    assert databases.skew(NOW, NOW + timedelta(seconds=seconds)).level is level


@pytest.mark.parametrize(
    ("minutes", "level"), [(None, Level.FINE), (0.5, Level.FINE), (5, Level.LOOK), (60, Level.WRONG)]
)
def test_work_that_waits_too_long(minutes, level):
    oldest = NOW - timedelta(minutes=minutes) if minutes else None
    assert work.backlog(3, oldest, NOW).level is level
    assert work.unsealed(3, oldest, NOW).level is level


def test_a_broker_that_is_not_there_is_wrong_and_none_is_nothing():
    assert databases.broker("") == []
    (found,) = databases.broker("amqp://someone:hunter2@127.0.0.1:1/")
    assert found.level is Level.WRONG
    assert "hunter2" not in found.title + found.what_to_do


def test_spans_and_sizes_read_like_speech():
    assert [span_of(seconds) for seconds in (1, 90, 600, 7300, 500_000)] == [
        "1 second",
        "90 seconds",
        "10 minutes",
        "2 hours",
        "6 days",
    ]
    assert [size_of(size) for size in (12, 1_500, 3_400_000_000)] == ["12 bytes", "1.5 kB", "3.4 GB"]


# The whole examination --------------------------------------------------------------------------


@pytest.fixture
def installed(monkeypatch):
    """As if the test's databases were an installation's."""
    monkeypatch.setattr(examination, "_is_there", lambda: True)
    from heard.config import options

    options.data_folder().chmod(0o700)
    return examination.examine


@pytest.mark.django_db(databases="__all__")
def test_an_installation_that_works_has_nothing_wrong(installed, line):
    line.says(message(1, "ann"))
    wrong = [finding for finding in installed() if finding.level is Level.WRONG]
    assert wrong == []


@pytest.mark.django_db(databases="__all__")
def test_what_waits_and_what_is_broken_is_said(installed, line, monkeypatch):
    from heard.domains.channels.models import Channel, Delivery
    from heard.foundation import clock

    line.hand_in(message(1, "ann"))
    Delivery.objects.update(received_at=clock.now() - timedelta(hours=3))
    Channel.objects.update(
        state="refused", state_reason="The token was revoked.", secrets="v1:0123456789ab:AAAA"
    )
    said = {finding.title: finding for finding in installed() if finding.level is not Level.FINE}
    text = "\n".join(said)
    assert "1 delivery waits to be understood, the oldest for 3 hours." in text
    assert "refuses its credentials: The token was revoked." in text
    assert "do not open" in text
    assert all(finding.what_to_do for finding in said.values())


@pytest.mark.django_db(databases="__all__")
def test_a_channel_without_a_connector_is_named_and_leaves_the_others_their_lines(installed, cast, line):
    from heard.domains.channels.models import Channel
    from heard.domains.channels.queries import streaming_candidates

    assert line.channel_id in [channel_id for _, channel_id, _ in streaming_candidates()]
    Channel.objects.update(network="pigeon")
    assert streaming_candidates() == []
    titles = [finding.title for finding in installed() if finding.level is Level.WRONG]
    assert titles == ["1 channel of “pigeon” cannot listen: its connector is not installed."]


def heard(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "heard", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "HEARD_DATABASE_URL": "", **environment},
    )


def test_the_command_says_where_nothing_is_and_makes_nothing(tmp_path):
    nowhere = tmp_path / "nowhere"
    done = heard("doctor", "--json", "--data", str(nowhere))
    assert done.returncode == 1
    titles = [finding["title"] for finding in json.loads(done.stdout) if finding["level"] == "wrong"]
    assert any("There is no installation" in title for title in titles)
    assert not nowhere.exists()


def test_the_command_passes_a_fresh_installation_and_says_what_an_unmigrated_one_lacks(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "heard.sqlite3").touch()
    done = heard("doctor", "--data", str(data), HEARD_TESTING="")
    assert done.returncode == 1
    assert "heard migrate" in done.stdout
    assert heard("migrate", "--data", str(data), HEARD_TESTING="").returncode == 0
    done = heard("doctor", "--data", str(data), HEARD_TESTING="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrong" not in done.stdout
