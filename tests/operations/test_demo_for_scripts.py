"""``heard demo --port N --data DIR --no-browser`` out of the package that ``pip install .`` makes.

The promise to scripts, whole: one line on standard output once it serves, a link that signs in, an inbox that
links its cases, people who speak by themselves, commands beside it by ``--data``, and an end by Ctrl-C.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.servers.process import free_port

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, unpacked: what is not in it is not here."""
    place = tmp_path_factory.mktemp("package")
    source = place / "source"
    source.mkdir()
    # A copy, because building leaves traces beside the sources.
    for name in ("heard", "pyproject.toml", "README.md", "LICENSE"):
        (source / name).symlink_to(ROOT / name)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"),
            *("--no-index", "--no-build-isolation", "--wheel-dir", str(place), str(source)),
        ],
        check=True, timeout=120,
    )  # fmt: skip
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as found:
        found.extractall(place / "installed")
    return place / "installed"


def test_every_file_of_ours_is_in_the_package(package: Path) -> None:
    """A template or a picture that is forgotten in the package's data breaks a page elsewhere only."""
    ours = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "heard").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert len(ours) > 500
    assert sorted(name for name in ours if not (package / name).is_file()) == []


@dataclass
class Demo:
    """The demo as a script started it."""

    package: Path
    data: Path
    process: subprocess.Popen[str]

    def heard(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command beside it."""
        return subprocess.run(
            [sys.executable, "-m", "heard", *arguments], cwd=self.package, env=_surroundings(),
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip


def _surroundings() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEARD_")}
    return {**kept, "PYTHONPATH": ""}


@contextlib.contextmanager
def demo(package: Path, data: Path, port: int) -> Iterator[Demo]:
    """Serve, and stop as Ctrl-C does. It has to end well and at once."""
    process = subprocess.Popen(
        [sys.executable, "-m", "heard", "demo", "--port", str(port), "--data", str(data), "--no-browser"],
        cwd=package, env=_surroundings(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield Demo(package, data, process)
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=30)
        assert process.returncode == 0, said
        assert rest == "", "standard output is one line for scripts"
        assert "Ctrl-C stops everything." in said
        assert "Traceback" not in said
    finally:
        process.kill()
        process.communicate(timeout=30)


def _first_line(found: Demo) -> dict[str, str]:
    assert found.process.stdout is not None
    told = json.loads(found.process.stdout.readline())
    assert set(told) == {"url", "sign_in_url"}
    return dict(told)


def _until(asked: Callable[[], bool], seconds: float = 90) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if asked():
            return True
        time.sleep(0.5)
    return False


def _cases(browser: httpx.Client, url: str) -> list[str]:
    page = browser.get(f"{url}/inbox/")
    assert page.status_code == 200
    return re.findall(r'href="(/c/\d+)"', page.text)


def test_the_promise_to_scripts(package: Path, tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    with demo(package, data, port) as found, httpx.Client(follow_redirects=True, trust_env=False) as browser:
        told = _first_line(found)
        assert told["url"] == f"http://127.0.0.1:{port}"
        assert browser.get(f"{told['url']}/inbox/").url.path == "/account/login/"
        assert browser.get(told["sign_in_url"]).url == f"{told['url']}/inbox/"

        assert _until(lambda: len(_cases(browser, told["url"])) >= 2), "nobody speaks by themselves"
        cases = _cases(browser, told["url"])
        page = browser.get(told["url"] + cases[0])
        assert 'name="text"' in page.text
        for file in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)):
            assert browser.get(told["url"] + file).status_code == 200, file

        # A command beside it finds it by its folder: a storm on demand.
        storm = found.heard("sandbox", "storm", "--people", "30", "--minutes", "0", "--data", str(data))
        assert storm.returncode == 0, storm.stderr
        assert _until(lambda: not set(_cases(browser, told["url"])) <= set(cases)), "nobody's words arrived"

        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        answer = browser.post(
            f"{told['url']}{cases[0]}/answer",
            data={"mode": "reply", "text": "We are looking into it.", "csrfmiddlewaretoken": token[1]},
            headers={"Referer": told["url"]},
        )
        assert answer.status_code == 200
        assert "We are looking into it." in answer.text
        assert _until(lambda: "Delivered" in browser.get(told["url"] + cases[0]).text), "it never left"

        verified = found.heard("journal", "verify", "--data", str(data))
        assert verified.returncode == 0, verified.stderr
        assert re.search(r"\d+ entries: holds", verified.stdout)

    began = time.monotonic()
    with demo(package, data, port) as again, httpx.Client(follow_redirects=True, trust_env=False) as browser:
        told = _first_line(again)
        assert time.monotonic() - began < 60
        browser.get(told["sign_in_url"])
        assert (
            cases[0] in _cases(browser, told["url"]) or browser.get(told["url"] + cases[0]).status_code == 200
        )
