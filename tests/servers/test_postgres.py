"""The throw-away PostgreSQL: there while it is lent, ours alone, gone afterwards."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from .process import answers


def ask(url, question):
    with psycopg.connect(url) as line:
        row = line.execute(question).fetchone()
        assert row is not None
        return row[0]


def test_it_answers_on_loopback_and_does_not_run_as_root(postgres_server):
    assert ask(postgres_server.url, "show server_version_num") >= "150000"
    assert ask(postgres_server.url, "show listen_addresses") == "127.0.0.1"
    assert ask(postgres_server.url, "show server_encoding") == "UTF8"


def test_using_it_marks_a_test_as_one_of_real_servers(postgres_server, request):
    assert {"servers", "real_postgres"} <= set(request.node.keywords)


@pytest.mark.servers
def test_it_is_lent_to_a_command_and_gone_afterwards():
    show = [sys.executable, "-c", "import os; print(os.environ['HEARD_DATABASE_URL']); raise SystemExit(7)"]
    lent = subprocess.run(
        [sys.executable, "-m", "tests.servers.postgres", "--", *show],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    url = lent.stdout.strip()
    assert lent.returncode == 7, lent.stderr
    assert url.startswith("postgresql://heard@127.0.0.1:")
    assert not answers(int(url.rpartition(":")[2].partition("/")[0]))


@pytest.mark.servers
def test_it_dies_with_whoever_started_it():
    script = (
        "import os, signal\n"
        "import psycopg\n"
        "from tests.servers.postgres import postgres\n"
        "with postgres() as server:\n"
        "    data = psycopg.connect(server.url).execute('show data_directory').fetchone()[0]\n"
        "    print(server.port, data, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert killed.returncode == -9, killed.stderr
    port, data = killed.stdout.split()
    for _ in range(100):
        if not answers(int(port)):
            break
        time.sleep(0.1)
    assert not answers(int(port))
    shutil.rmtree(Path(data).parent)
