"""How servers are started and stopped, tried on small programs instead of servers."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from . import environment, postgres, rabbitmq
from .process import CouldNotStart, Missing, answers, free_port, running, scratch_folder, unprivileged

LISTEN = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {LISTEN}"


def python(script: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", script, *map(str, arguments)]


def test_a_server_is_there_within_the_block_and_gone_after_it(tmp_path):
    port = free_port()
    with running(python(LISTEN, port), folder=tmp_path, ready=lambda: answers(port)) as process:
        assert process.poll() is None
        assert answers(port)
    assert process.poll() is not None
    assert not answers(port)


def test_it_is_gone_too_when_the_test_fails(tmp_path):
    port = free_port()
    with (
        pytest.raises(ZeroDivisionError),
        running(python(LISTEN, port), folder=tmp_path, ready=lambda: answers(port)),
    ):
        raise ZeroDivisionError
    assert not answers(port)


def test_one_that_does_not_listen_to_reason_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.servers.process.GRACE_SECONDS", 0.2)
    port = free_port()
    with running(python(STUBBORN, port), folder=tmp_path, ready=lambda: answers(port)) as process:
        pass
    assert process.returncode == -9


def test_one_that_ends_at_once_says_why(tmp_path):
    with (
        pytest.raises(CouldNotStart, match=r"(?s)ended with 3.*no such setting"),
        running(
            python("import sys; print('no such setting'); sys.exit(3)"), folder=tmp_path, ready=lambda: False
        ),
    ):
        pass


def test_one_that_never_answers_is_given_up_and_stopped(tmp_path):
    port = free_port()
    with (
        pytest.raises(CouldNotStart, match="was not ready in 1 s"),
        running(python(LISTEN, port), folder=tmp_path, ready=lambda: False, patience_seconds=1.0),
    ):
        pass
    assert not answers(port)


def test_a_free_port_can_be_listened_on():
    with socket.create_server(("127.0.0.1", free_port())):
        pass


def test_a_scratch_folder_is_gone_afterwards():
    with scratch_folder("trial") as folder:
        (folder / "file").write_text("x")
    assert not folder.exists()


def test_root_is_left_behind_for_the_servers_own_account(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert unprivileged("no-such-account").name == "nobody"
    assert unprivileged("daemon").name == "daemon"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert unprivileged("daemon").name is None


def test_what_is_not_installed_is_named_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(postgres, "BINARIES", tmp_path)
    monkeypatch.setattr(rabbitmq, "PROGRAMS", tmp_path)
    monkeypatch.setattr(environment, "HOME", tmp_path)
    with pytest.raises(Missing, match="apt-get install postgresql"), postgres.postgres():
        pass
    with pytest.raises(Missing, match="apt-get install rabbitmq-server"), rabbitmq.rabbitmq():
        pass
    with pytest.raises(Missing, match=r"in \.servers/mastodon \(make servers"):
        environment.program("mastodon", "mastodon_mock")


def test_the_newest_postgresql_is_taken(monkeypatch, tmp_path):
    for version in ("9", "15", "16"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    monkeypatch.setattr(postgres, "BINARIES", tmp_path)
    assert postgres.binaries() == Path(tmp_path / "16" / "bin")
