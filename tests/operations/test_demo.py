"""What the demo tells in the terminal: addresses that can be clicked, and a command that can be pasted."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from heard.config import demo


@pytest.fixture
def told(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def tell(folder="var"):
        said = io.StringIO()
        monkeypatch.setattr(demo, "console", Console(file=said, width=40))
        demo._say(
            "http://127.0.0.1:8400", "/sign-in/a-long-word-indeed/", 8765, tmp_path / folder, no_browser=True
        )
        return capsys.readouterr().out, said.getvalue()

    return tell


def test_addresses_are_not_broken_however_narrow_the_terminal(told):
    lines = told()[1].splitlines()
    assert "Sign in      http://127.0.0.1:8400/sign-in/a-long-word-indeed/" in lines
    assert "The public   http://127.0.0.1:8765/" in lines


def test_scripts_get_one_line(told):
    assert told()[0] == (
        '{"url": "http://127.0.0.1:8400", "sign_in_url": "http://127.0.0.1:8400/sign-in/a-long-word-indeed/"}\n'
    )


def test_a_storm_names_its_folder_only_where_it_must(told, tmp_path):
    assert "--data" not in told()[1]
    assert f"sandbox storm --people 300 --data {tmp_path / 'elsewhere'}" in told("elsewhere")[1]
