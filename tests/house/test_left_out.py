"""A run says how much of what kind it left out, and why."""

from __future__ import annotations

import pytest

from tests.servers.environment import ROOT

from .left_out import ON_SQLITE, asked_kinds, count_left_out, why_left_out

pytest_plugins = ["pytester"]


@pytest.fixture
def house(pytester, monkeypatch):
    """A project with one test of each sort and our plugin, run in a process of its own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("HEARD_TESTS", raising=False)
    monkeypatch.delenv("HEARD_LEAVE_NOTHING_OUT", raising=False)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.browser
        @pytest.mark.parametrize("page", range(12))
        def test_page(page):
            pytest.skip("Chromium is not installed")

        @pytest.mark.servers
        def test_server():
            pass

        def test_plain():
            pass
        """
    )
    pytester.makeini("[pytest]\nmarkers =\n  browser: x\n  servers: x\n  chaos: x\n  postgres: x\n")

    def run(*arguments):
        return pytester.runpytest_subprocess("-p", "tests.house.left_out", *arguments)

    return run


def test_what_was_not_asked_for_is_counted_aloud(house):
    outcome = house()
    outcome.assert_outcomes(passed=1, skipped=13)
    outcome.stdout.fnmatch_lines(
        [
            "left out: 12 browser journeys – not asked for (make browser)",
            "left out: 1 test against real servers – not asked for (make servers)",
        ]
    )


def test_what_was_asked_for_runs_and_says_what_is_missing(house, monkeypatch):
    monkeypatch.setenv("HEARD_TESTS", "servers,browser")
    outcome = house()
    outcome.assert_outcomes(passed=2, skipped=12)
    outcome.stdout.fnmatch_lines(["left out: 12 browser journeys – Chromium is not installed"])
    assert outcome.ret == 0


def test_a_parallel_run_counts_the_same(house, monkeypatch):
    monkeypatch.setenv("HEARD_TESTS", "browser")
    outcome = house("-n", "2", "-p", "xdist")
    outcome.assert_outcomes(passed=1, skipped=13)
    outcome.stdout.fnmatch_lines(
        [
            "left out: 12 browser journeys – Chromium is not installed",
            "left out: 1 test against real servers*",
        ]
    )


def test_ci_fails_where_something_asked_for_is_missing_but_not_for_what_it_did_not_ask(house, monkeypatch):
    monkeypatch.setenv("HEARD_LEAVE_NOTHING_OUT", "1")
    assert house().ret == 0
    monkeypatch.setenv("HEARD_TESTS", "browser")
    assert house().ret == pytest.ExitCode.TESTS_FAILED
    monkeypatch.setenv("HEARD_TESTS", "servers")
    assert house().ret == 0


def test_a_word_nobody_knows_is_refused():
    with pytest.raises(pytest.UsageError, match="HEARD_TESTS names browsers; it knows"):
        asked_kinds("browsers", "")


@pytest.mark.parametrize(
    ("expression", "asked"),
    [("chaos", {"chaos"}), ("not chaos", set()), ("servers and not browser", {"servers"})],
)
def test_a_marker_expression_asks_too(expression, asked):
    assert asked_kinds("", expression) == asked


def test_tests_of_postgresql_run_on_postgresql_only():
    assert why_left_out({"postgres"}, set(), "") == ON_SQLITE
    assert why_left_out({"postgres"}, set(), "postgresql://heard@127.0.0.1/heard") is None


def test_one_is_counted_in_the_singular():
    assert count_left_out([({"chaos"}, "not asked for (make chaos)")]) == [
        "left out: 1 chaos run – not asked for (make chaos)"
    ]


def test_whatever_uses_a_real_server_is_of_that_kind(request):
    """This file uses none; the marker is added to those that do, as test_servers asserts of itself."""
    assert "servers" not in request.node.keywords
