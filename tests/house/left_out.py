"""What a run leaves out, it counts aloud: its last lines say how many tests of which kind, and why.

Some kinds run only when asked for, because they want servers, a browser or an hour:
``HEARD_TESTS=servers,browser pytest``. Whatever uses a fixture of ``tests/servers/*_fixture.py`` is of the
kind ``servers`` by itself. With ``HEARD_LEAVE_NOTHING_OUT=1`` a run fails if a test that was asked for
had to be skipped: that is how CI notices that something is no longer installed.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

SERVER_FIXTURES = re.compile(r"^tests\.servers\.(?P<server>\w+)_fixture$")


@dataclass(frozen=True, slots=True)
class Kind:
    """How tests of one marker are named in the count, and how they are asked for."""

    one: str
    many: str
    target: str = ""


ASKED_FOR = {
    "chaos": Kind("chaos run", "chaos runs", "make chaos"),
    "fuzz": Kind("long fuzz run", "long fuzz runs", "make fuzz"),
    "browser": Kind("browser journey", "browser journeys", "make browser"),
    "servers": Kind("test against real servers", "tests against real servers", "make servers"),
}
KINDS = {
    **ASKED_FOR,
    "postgres": Kind("test of PostgreSQL", "tests of PostgreSQL"),
    "contract": Kind("test against official contracts", "tests against official contracts"),
}
OTHER = Kind("test", "tests")
ON_SQLITE = "this run is on SQLite (make test-postgres)"


def asked_kinds(asked: str, marker_expression: str) -> set[str]:
    """The kinds that ``HEARD_TESTS``, or a ``-m`` that names them, asks for.

    >>> sorted(asked_kinds("servers, browser", ""))
    ['browser', 'servers']
    >>> asked_kinds("", "chaos and not slow")
    {'chaos'}
    """
    words = set(re.findall(r"\w+", asked)) | set(re.findall(r"(?<!not )\b\w+", marker_expression))
    unknown = set(re.findall(r"\w+", asked)) - set(ASKED_FOR)
    if unknown:
        raise pytest.UsageError(
            f"HEARD_TESTS names {', '.join(sorted(unknown))}; it knows {', '.join(ASKED_FOR)}"
        )
    return words & set(ASKED_FOR)


def why_left_out(markers: Iterable[str], asked: set[str], database_url: str) -> str | None:
    """Why a test with these markers does not run, or ``None`` if it does."""
    markers = set(markers)
    for name, kind in ASKED_FOR.items():
        if name in markers and name not in asked:
            return f"not asked for ({kind.target})"
    if "postgres" in markers and not database_url.startswith("postgres"):
        return ON_SQLITE
    return None


def count_left_out(skipped: Iterable[tuple[Iterable[str], str]]) -> list[str]:
    """One line per kind and reason, from pairs of a skipped test's markers and its reason."""
    counts = Counter((_kind(markers), reason) for markers, reason in skipped)
    ordered = sorted(counts.items(), key=lambda entry: (entry[0][0].many, entry[0][1]))
    return [
        f"left out: {number} {kind.one if number == 1 else kind.many} – {reason}"
        for (kind, reason), number in ordered
    ]


def _kind(markers: Iterable[str]) -> Kind:
    markers = set(markers)
    return next((kind for name, kind in KINDS.items() if name in markers), OTHER)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    # pytest keeps (path, line, "Skipped: reason").
    words = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return words.removeprefix("Skipped: ").strip() or "no reason was given"


def _skipped(config: pytest.Config) -> list[pytest.TestReport | pytest.CollectReport]:
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    # A module skipped while it was collected is reported by every process of a parallel run.
    return list({report.nodeid: report for report in terminal.stats.get("skipped", [])}.values())


def _mark_server_tests(item: pytest.Item) -> None:
    known = getattr(item, "_fixtureinfo", None)
    for definitions in known.name2fixturedefs.values() if known else ():
        found = SERVER_FIXTURES.match(getattr(definitions[-1].func, "__module__", ""))
        if found:
            item.add_marker("servers")
            item.add_marker(f"real_{found['server']}")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fuzz: long property-based runs; their short forms run always")
    for path in sorted((config.rootpath / "tests" / "servers").glob("*_fixture.py")):
        name = path.stem.removesuffix("_fixture")
        config.addinivalue_line("markers", f"real_{name}: uses the real server of tests/servers/{name}.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    asked = asked_kinds(os.environ.get("HEARD_TESTS", ""), config.getoption("markexpr", ""))
    database_url = os.environ.get("HEARD_DATABASE_URL", "")
    for item in items:
        _mark_server_tests(item)
        reason = why_left_out((mark.name for mark in item.iter_markers()), asked, database_url)
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in count_left_out((report.keywords, _reason(report)) for report in _skipped(config)):
        terminalreporter.write_line(line)


def _was_asked_for(report: pytest.TestReport | pytest.CollectReport, asked: set[str]) -> bool:
    return bool(set(report.keywords) & asked) and not _reason(report).startswith("not asked for")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if not os.environ.get("HEARD_LEAVE_NOTHING_OUT") or hasattr(session.config, "workerinput"):
        return
    config = session.config
    asked = asked_kinds(os.environ.get("HEARD_TESTS", ""), config.getoption("markexpr", ""))
    if any(_was_asked_for(report, asked) for report in _skipped(config)) and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
