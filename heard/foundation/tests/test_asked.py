"""A page asks each question once; whatever changes something asks anew."""

import pytest

from heard.foundation.asked import once, remembering


class Asked:
    def __init__(self) -> None:
        self.times = 0

        @once
        def question(who, *, wide=False):
            self.times += 1
            if who == "nobody":
                raise LookupError(who)
            return (who, wide, self.times)

        self.question = question


def test_within_a_page_the_same_question_is_asked_once():
    asked = Asked()
    with remembering():
        first = asked.question("alice")
        assert asked.question("alice") is first
        assert asked.question("bob") != first
        assert asked.question("alice", wide=True) != first
    assert asked.times == 3


def test_outside_and_on_the_next_page_it_is_asked_anew():
    asked = Asked()
    assert asked.question("alice") != asked.question("alice")
    for _ in range(2):
        with remembering():
            asked.question("alice")
    assert asked.times == 4


def test_a_refusal_is_no_answer():
    asked = Asked()
    with remembering():
        for _ in range(2):
            with pytest.raises(LookupError):
                asked.question("nobody")
    assert asked.times == 2
