"""The files that others run Heard with: checked by their own script, and by systemd where it is installed."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

OPS = Path(__file__).resolve().parents[2] / "ops"
spec = importlib.util.spec_from_file_location("ops_check", OPS / "check.py")
check = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check)

COMPOSE = (OPS / "compose.yaml").read_text()


def test_everything_fits():
    assert check.everything() == []


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('"postgres:15.10-bookworm"', '"postgres:latest"', "not pinned"),
        ('["stream"]', '["streem"]', "no command heard streem"),
        ('["worker"]', '["worker", "--fast"]', "--fast"),
        ('"--port", "8400"', '"--port", "8500"', "another port"),
        ('      - "caddy:/data"', '      - "candy:/data"', "candy is not declared"),
        ("      migrate:\n", "      migration:\n", "waits for migration"),
        ("./Caddyfile", "./Candyfile", "there is no ./Candyfile"),
    ],
)
def test_what_does_not_fit_in_the_compose_file_is_named(old, new, word):
    assert old in COMPOSE
    assert word in "\n".join(check.compose(COMPOSE.replace(old, new)))


@pytest.mark.parametrize(
    "text", ["a: yes", "a: 1", "a: 1\na: 2", "a:\n   b: c", "a:\n\t- b", '- "a', "a: *b", "just words"]
)
def test_yaml_that_somebody_could_misread_is_refused(text):
    with pytest.raises(check.Misshapen):
        check.read_yaml(text)


def test_yaml_that_nobody_can_misread_is_read():
    text = '# why\na:\n  b: "c: d"\n  e:\n    - "f"\n    - "g"\nh: ["i", "j"]\nk:\n'
    assert check.read_yaml(text) == {"a": {"b": "c: d", "e": ["f", "g"]}, "h": ["i", "j"], "k": None}


def test_a_setting_that_is_not_one_is_named():
    assert list(check.settings("x", "HEARD_URL=1 HEARD_ULR=2")) == ["x: there is no setting HEARD_ULR"]


def test_a_unit_that_would_not_start_is_named():
    text = (OPS / "systemd" / "heard-web@.service").read_text()
    assert list(check.unit("web", text)) == []
    assert "no command" in "\n".join(check.unit("web", text.replace("heard web", "heard wep")))
    assert "NoNewPrivileges" in "\n".join(check.unit("web", text.replace("NoNewPrivileges=yes\n", "")))


def test_a_proxy_that_holds_streams_back_or_refuses_files_is_named():
    caddy, nginx = (OPS / "Caddyfile").read_text(), (OPS / "nginx.conf").read_text()
    assert list(check.proxies(caddy, nginx)) == []
    assert "held back" in "\n".join(check.proxies(caddy.replace("flush_interval -1", ""), nginx))
    assert "refuses" in "\n".join(check.proxies(caddy, nginx.replace("55m", "1m")))
    forged = nginx.replace("$remote_addr", "$proxy_add_x_forwarded_for")
    assert "X-Forwarded-For" in "\n".join(check.proxies(caddy, forged))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", sorted(path.name for path in (OPS / "systemd").iterdir()))
def test_systemd_understands_the_units(name, tmp_path):
    copy = tmp_path / name.replace("@.", "@1.")
    text = (OPS / "systemd" / name).read_text()
    # Heard is not installed under /opt here, and has no user of its own.
    copy.write_text(text.replace("/opt/heard/bin/heard", "/bin/true").replace("=heard\n", "=root\n"))
    done = subprocess.run(
        [shutil.which("systemd-analyze"), "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    about = [line for line in done.stderr.splitlines() if copy.name in line]
    assert about == []
