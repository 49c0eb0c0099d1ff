"""Which case a message belongs to, what wakes it, and since when somebody waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.domains.inbox.rules import REOPEN_WITHIN, CaseFacts, Said, choose, reopens, waiting_since

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def case(number: int, status: str, *, hours_ago: float = 1.0) -> CaseFacts:
    """A case that was last touched, and where it is done was done, this long ago."""
    at = NOW - timedelta(hours=hours_ago)
    return CaseFacts(number, status, 1, at if status == "done" else None, None, at)


CASES = st.builds(
    lambda number, status, hours: case(number, status, hours_ago=hours),
    st.integers(1, 50),
    st.sampled_from(["open", "pending", "done", "spam"]),
    st.floats(0, 200),
)


@pytest.mark.parametrize("status", ["open", "pending", "done", "spam"])
def test_a_conversation_stays_in_its_case(status: str) -> None:
    own = case(1, status, hours_ago=5_000)
    assert choose(own, [case(2, "open")], NOW) is own


@pytest.mark.parametrize(
    ("others", "chosen"),
    [
        ([], None),
        ([case(1, "open")], 1),
        ([case(1, "pending")], 1),
        ([case(1, "open", hours_ago=9), case(2, "open", hours_ago=2)], 2),
        ([case(1, "open", hours_ago=900), case(2, "done", hours_ago=0)], 1),
        ([case(1, "done", hours_ago=72)], 1),
        ([case(1, "done", hours_ago=72.01)], None),
        ([case(1, "done", hours_ago=50), case(2, "done", hours_ago=9)], 2),
        ([case(1, "spam", hours_ago=0)], None),
    ],
)
def test_a_new_conversation_joins_what_is_open_or_was_done_a_short_while_ago(
    others: list[CaseFacts], chosen: int | None
) -> None:
    found = choose(None, others, NOW)
    assert (found and found.case_id) == chosen


@given(st.lists(CASES, max_size=6))
def test_what_is_chosen_is_never_spam_nor_long_done_and_something_open_is_never_passed_over(
    others: list[CaseFacts],
) -> None:
    found = choose(None, others, NOW)
    is_open = [other for other in others if other.status in {"open", "pending"}]
    if found is None:
        assert not is_open
        return
    assert found.status != "spam"
    assert found.status != "done" or (not is_open and NOW - found.last_at <= REOPEN_WITHIN)
    alike = [other for other in others if (other.status == "done") == (found.status == "done")]
    assert found.last_at == max(other.last_at for other in alike if other.status != "spam")


@pytest.mark.parametrize(
    ("status", "inbound", "automatic", "wakes"),
    [
        ("done", True, False, True),
        ("pending", True, False, True),
        ("open", True, False, False),
        ("spam", True, False, False),
        ("done", False, False, False),
        ("done", True, True, False),
        ("pending", True, True, False),
    ],
)
def test_a_persons_own_words_wake_a_case_and_nothing_else_does(
    status: str, inbound: bool, automatic: bool, wakes: bool
) -> None:
    assert reopens(status, inbound=inbound, automatic=automatic) is wakes


HISTORY = st.lists(st.tuples(st.sampled_from(["in", "out"]), st.booleans()), max_size=12)


@given(HISTORY, st.integers(0, 12))
def test_who_waits_has_waited_since_their_first_word_after_our_last(
    history: list[tuple[str, bool]], cut: int
) -> None:
    said = [
        Said(number, 1, 1, direction, NOW + timedelta(minutes=number), automatic)
        for number, (direction, automatic) in enumerate(history)
    ]
    last_answer = max((one.message_id for one in said if one.direction == "out"), default=-1)
    unanswered = [
        one.at
        for one in said
        if one.message_id > last_answer and one.direction == "in" and not one.is_automatic
    ]
    assert waiting_since(None, said) == min(unanswered, default=None)
    # In how many batches they came does not matter.
    assert waiting_since(waiting_since(None, said[:cut]), said[cut:]) == waiting_since(None, said)
