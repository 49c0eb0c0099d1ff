from __future__ import annotations

import pytest

from heard.config.sizing import Measured, advise, measure

FAST = Measured(commits_per_second=2000, rows_per_second=100_000, cores=4, seconds=3)


def test_a_measurement_sees_batches_help_and_leaves_nothing_behind(tmp_path):
    found = measure(tmp_path, 0.4)
    assert found.rows_per_second > found.commits_per_second > 0
    assert list(tmp_path.iterdir()) == []


def test_twice_the_rows_are_twice_the_messages():
    slow = Measured(2000, 50_000, 4, 3)
    assert advise(FAST).messages_per_hour == pytest.approx(2 * advise(slow).messages_per_hour, rel=0.01)


def test_kept_figures_are_believed_rather_than_the_constant():
    kept = {"ingest sqlite": {"figures": {"ratio": 0.06}}}
    assert advise(FAST, kept).messages_per_second_peak == pytest.approx(6000)
    assert advise(FAST, {"ingest sqlite": None}) == advise(FAST)


def test_a_slow_disk_and_a_single_core_are_named():
    said = " ".join(advise(Measured(30, 50_000, 1, 3)).sentences)
    assert "disk" in said
    assert "one core" in said
    assert "disk" not in " ".join(advise(FAST).sentences)
