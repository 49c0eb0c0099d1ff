"""``heard up``: serves once its databases are prepared; else it says why, and nothing runs on."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.servers.process import free_port

from .installation import Installation


def _children(data: Path) -> list[str]:
    """The command lines of processes that work on this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"HEARD_DATA={data}".encode() in entry.read_bytes().split(b"\0"):
                found.append(entry.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.fixture
def port() -> int:
    return free_port()


def _up(data: Path, port: int) -> subprocess.Popen[str]:
    return _start("up", data, port)


def _until_ready(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
                assert answer.read() == b"ready\n"
                return
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.1)


def _start(command: str, data: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "heard", command, "--port", str(port)],
        env=Installation(data).surroundings(),
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_serves_says_where_to_begin_and_leaves_nothing_running(tmp_path: Path, port: int) -> None:
    process = _up(tmp_path / "data", port)
    assert process.stderr is not None
    lines = [process.stderr.readline() for _ in range(2)]
    try:
        assert f"http://127.0.0.1:{port}" in lines[0]
        _until_ready(port)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert _children(tmp_path / "data") == []


@pytest.mark.parametrize("command", ["up", "demo"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [0.0, 0.7, 2.1])
def test_asked_to_stop_while_it_starts_it_stops_and_leaves_nothing_running(
    tmp_path: Path, port: int, command: str, number: signal.Signals, after: float
) -> None:
    data = tmp_path / "data"
    process = _start(command, data, port)
    until = time.monotonic() + 60
    while len(_children(data)) < 2 and time.monotonic() < until:  # itself, and the first that it starts
        time.sleep(0.01)
    time.sleep(after)
    process.send_signal(number)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert _children(data) == []


@pytest.mark.parametrize("command", ["up", "demo"])
def test_killed_it_takes_its_children_along(tmp_path: Path, port: int, command: str) -> None:
    data = tmp_path / "data"
    process = _start(command, data, port)
    _until_ready(port)
    process.kill()
    process.communicate(timeout=30)
    assert _children(data) == []


def test_a_damaged_database_is_a_sentence_and_nothing_serves(tmp_path: Path, port: int) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "heard.sqlite3").write_text("no database")
    process = _up(data, port)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert "the database's file is damaged" in said
    assert "Traceback" not in said
    assert _children(data) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert (data / "heard.sqlite3").read_text() == "no database"
