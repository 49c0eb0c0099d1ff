"""Budgets: never more than allowed, and the wait that is told is the wait that is needed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.foundation.net import budget as budgets

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
amounts = st.integers(1, 500)
periods = st.integers(1, 3600)
steps = st.lists(st.tuples(st.floats(0, 200), st.integers(1, 5)), max_size=60)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@given(amounts, periods, steps)
def test_never_more_is_taken_than_the_bucket_and_its_refill_hold(amount, period, moves):
    budget, now, taken = budgets.full(amount, period, START), START, 0
    for pause, wished in moves:
        cost = min(wished, amount)
        now += timedelta(seconds=pause)
        budget, granted = budgets.take(budget, now, cost)
        taken += cost if granted else 0
        assert -1e-6 <= budget.left <= amount
        assert taken <= amount + (now - START).total_seconds() * amount / period + 1e-6


@given(amounts, periods, steps, st.integers(1, 5), st.integers(0, 5))
def test_after_the_wait_it_is_granted_and_before_it_is_not(amount, period, moves, cost, reserve):
    budget, now = budgets.full(amount, period, START), START
    for pause, spent in moves:
        now += timedelta(seconds=pause)
        budget, _ = budgets.take(budget, now, spent)
    wait = budgets.wait_seconds(budget, now, cost, reserve)
    assert budgets.take(budget, now, cost, reserve)[1] == (wait == 0)
    assert budgets.take(budget, now + timedelta(seconds=wait + 1e-5), cost, reserve)[1]
    if wait > 0.01:
        assert not budgets.take(budget, now + timedelta(seconds=wait * 0.99 - 1e-5), cost, reserve)[1]


@given(amounts, periods, steps)
def test_a_refusal_costs_nothing(amount, period, moves):
    budget, now = budgets.full(amount, period, START), START
    for pause, cost in moves:
        now += timedelta(seconds=pause)
        before = budgets.at(budget, now)
        budget, granted = budgets.take(budget, now, cost)
        if not granted:
            assert budget == before


def test_a_reserve_is_kept_for_what_matters_more():
    budget = budgets.full(10, 300, START)
    for _ in range(7):
        budget, granted = budgets.take(budget, START, reserve=3)
        assert granted
    assert not budgets.take(budget, START, reserve=3)[1]
    assert budgets.take(budget, START)[1]


@pytest.mark.parametrize(
    "headers",
    [
        {
            "X-RateLimit-Limit": "300",
            "X-RateLimit-Remaining": "2",
            "X-RateLimit-Reset": "2026-03-01T12:05:00.123Z",
        },
        {"x-rate-limit-limit": "300", "x-rate-limit-remaining": "2", "x-rate-limit-reset": "1772366700"},
        {"RateLimit-Limit": "300", "RateLimit-Remaining": "2", "RateLimit-Reset": "1772366700"},
        {"x-ratelimit-remaining": "2.0", "x-ratelimit-reset": "300"},
        {"RateLimit-Limit": "300, 300;w=300", "RateLimit-Remaining": "2", "RateLimit-Reset": "300"},
    ],
)
def test_the_networks_own_count_is_believed_until_its_window_ends(headers):
    budget = budgets.learn(budgets.full(300, 300, START), headers, START)
    assert budget.amount == 300
    for _ in range(2):
        budget, granted = budgets.take(budget, after(1))
        assert granted
    assert not budgets.take(budget, after(1))[1]
    # Our own bucket has long refilled; the network's window has not.
    assert not budgets.take(budget, after(299))[1]
    assert budgets.wait_seconds(budget, after(290)) == pytest.approx(10, abs=1)
    assert budgets.take(budget, after(301))[1]


def test_answers_that_overtake_each_other_do_not_give_units_back():
    def told(remaining, reset="300"):
        return {"x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset}

    budget = budgets.learn(budgets.full(300, 300, START), told("5"), START)
    budget = budgets.learn(budget, told("9", "299"), after(1))
    assert budget.window_left == 5
    budget = budgets.learn(budget, told("200", "300"), after(310))
    assert budget.window_left == 200


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("30", 30), ("Sun, 01 Mar 2026 12:00:30 GMT", 30), ("99999999", 86400), ("1803902400", 86400)],
)
def test_retry_after_closes_the_door_but_not_for_ever(value, seconds):
    budget = budgets.learn(budgets.full(10, 10, START), {"Retry-After": value}, START)
    assert budgets.wait_seconds(budget, START) == pytest.approx(seconds)
    assert not budgets.take(budget, after(seconds - 1))[1]
    assert budgets.take(budget, after(seconds))[1]


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "retry-after",
                "x-ratelimit-limit",
                "x-ratelimit-remaining",
                "x-ratelimit-reset",
                "RateLimit-Reset",
            ]
        ),
        st.text(max_size=30) | st.integers(-5, 2**70).map(str) | st.floats().map(str),
    )
)
def test_any_header_is_survived_and_silences_a_channel_for_a_day_at_most(headers):
    budget = budgets.learn(budgets.full(300, 300, START), headers, START)
    assert 0 <= budgets.wait_seconds(budget, START) <= 86_400


@pytest.mark.parametrize("limit", [30_000, 300, 100])
def test_a_limit_other_than_declared_is_no_reason_to_wait(limit):
    """A larger one, too: its reserve is filled by what the network has not seen us spend."""
    fresh, granted = budgets.take(budgets.full(300, 300, START), START)
    assert granted
    taught = budgets.learn(fresh, {"x-ratelimit-limit": str(limit)}, START)
    assert budgets.wait_seconds(taught, START, reserve=taught.amount * 0.2) == 0
    assert (taught.amount, taught.left) == (limit, limit - (1 if limit >= 300 else 0))


def test_nonsense_changes_nothing():
    budget = budgets.full(300, 300, START)
    assert (
        budgets.learn(
            budget, {"Retry-After": "soon", "X-RateLimit-Reset": "?", "X-RateLimit-Limit": "0"}, START
        )
        == budget
    )


def test_what_never_fits_is_let_through_when_the_bucket_is_full():
    budget = budgets.full(3, 30, START)
    assert budgets.take(budget, START, cost=5)[1]
    emptied, _ = budgets.take(budget, START, cost=5)
    assert not budgets.take(emptied, after(1), cost=1)[1]


def test_a_clock_that_goes_backwards_refills_nothing():
    budget, _ = budgets.take(budgets.full(1, 60, START), START)
    budget = budgets.at(budget, after(-3600))
    assert not budgets.take(budget, after(30))[1]


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(ValueError, match="allows something"):
        budgets.full(0, 60, START)
