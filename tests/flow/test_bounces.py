"""A mail of ours that came back is shown as such, with the reason, to who wrote it."""

from __future__ import annotations

import pytest

from heard.connectorkit.vocabulary import Receipt, ReceiptState, Verb
from heard.domains.conversations.models import Message
from heard.domains.inbox import actions as inbox
from heard.domains.inbox.models import Case, Episode
from heard.domains.outbox import actions as outbox
from heard.foundation import clock
from tests.cast import Cast, Line, work

pytestmark = pytest.mark.django_db(databases="__all__")
REASON = "It did not reach ann@customer.example: there is no such address."


@pytest.fixture
def answered(cast: Cast, line: Line) -> int:
    """A case that Alice answered."""
    case = Case.objects.get(pk=line.case())
    outbox.submit(
        cast.alice, verb=Verb.REPLY, target_id=case.last_inbound_id, text="Dear Ann", undo_seconds=0
    )
    work()
    return case.pk


def receipt(state: ReceiptState, reason: str = "", *, of: str = "") -> Receipt:
    native_id = of or Message.objects.get(direction="out").native_id
    return Receipt(native_id, state, clock.now(), reason=reason)


def test_a_bounce_is_shown_with_its_reason(cast: Cast, line: Line, answered: int) -> None:
    alice = cast.browser(cast.alice)
    assert "Not delivered" not in alice.get(f"/c/{answered}").content.decode()
    line.says(receipt(ReceiptState.FAILED, REASON))
    page = alice.get(f"/c/{answered}").content.decode()
    assert "Not delivered" in page
    assert REASON in page


@pytest.mark.parametrize("state", [ReceiptState.DELIVERED, ReceiptState.READ])
def test_good_news_is_no_bounce(cast: Cast, line: Line, answered: int, state: ReceiptState) -> None:
    line.says(receipt(state, "odd"))
    assert "Not delivered" not in cast.browser(cast.alice).get(f"/c/{answered}").content.decode()


def test_a_report_on_somebody_elses_words_changes_nothing(cast: Cast, line: Line, answered: int) -> None:
    line.says(receipt(ReceiptState.FAILED, REASON, of="m1"))
    assert "Not delivered" not in cast.browser(cast.alice).get(f"/c/{answered}").content.decode()


def test_the_reason_is_forgotten_with_the_person(cast: Cast, line: Line, answered: int) -> None:
    from heard.domains.conversations import actions

    line.says(receipt(ReceiptState.FAILED, REASON))
    actions.erase_contact(cast.alice, Case.objects.get().contact_id)
    assert "ann@" not in str(list(Message.objects.values()))


@pytest.mark.parametrize(
    ("state", "before", "after"),
    [
        (ReceiptState.FAILED, "done", "open"),
        (ReceiptState.FAILED, "pending", "open"),
        (ReceiptState.FAILED, "open", "open"),
        (ReceiptState.FAILED, "spam", "spam"),
        (ReceiptState.DELIVERED, "done", "done"),
    ],
)
def test_what_came_back_is_open_again_and_waiting(
    cast: Cast, line: Line, answered: int, state: ReceiptState, before: str, after: str
) -> None:
    inbox.set_status(cast.alice, answered, before)
    line.says(receipt(state, REASON))
    case = Case.objects.get()
    waits = state is ReceiptState.FAILED and before != "spam"
    assert (case.status, case.waiting_since is not None) == (after, waits)
    open_episodes = Episode.objects.filter(case=case, resolved_at__isnull=True).count()
    assert open_episodes == (after in {"open", "pending"})


def test_a_bounce_told_twice_opens_a_case_once(cast: Cast, line: Line, answered: int) -> None:
    line.says(receipt(ReceiptState.FAILED, REASON))
    inbox.set_status(cast.alice, answered, "done")
    line.says(receipt(ReceiptState.FAILED, REASON))
    assert Case.objects.get().status == "done"


def test_the_next_answer_ends_the_waiting_again(cast: Cast, line: Line, answered: int) -> None:
    line.says(receipt(ReceiptState.FAILED, REASON))
    assert Case.objects.get().waiting_since is not None
    target_id = Case.objects.get().last_inbound_id
    outbox.submit(cast.alice, verb=Verb.REPLY, target_id=target_id, text="Once more", undo_seconds=0)
    work()
    assert Case.objects.get().waiting_since is None
