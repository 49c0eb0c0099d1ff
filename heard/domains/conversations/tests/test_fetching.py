"""Pictures and contexts are fetched by and by: who does not answer is asked later, and holds up nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from heard.connectorkit import errors
from heard.connectorkit.protocol import Link
from heard.connectorkit.vocabulary import Attachment as SeenAttachment
from heard.connectorkit.vocabulary import AttachmentKind, Ref
from heard.domains.conversations import schedule
from heard.domains.conversations.models import Attachment, Message
from heard.foundation import clock
from heard.foundation.errors import Unavailable
from heard.foundation.work import Slice, jobs, resting
from tests.cast import Cast, Line
from tests.memory_network import MemoryNetwork, body_of, message

pytestmark = pytest.mark.django_db(databases="__all__")

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture(autouse=True)
def rested() -> Iterator[None]:
    """Nothing rests from the test before."""
    yield
    schedule.PICTURES.forget()
    schedule.CONTEXTS.forget()


@pytest.fixture
def gives(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes | Exception]:
    """What the network gives for the address of a picture, or the id of a message."""
    found: dict[str, bytes | Exception] = {}

    def give(key: str) -> bytes:
        answer = found.get(key, PNG)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def fetch_media(_self: MemoryNetwork, _link: Link, attachment: SeenAttachment, _most: int) -> bytes:
        return give(attachment.url)

    def context(_self: MemoryNetwork, _link: Link, ref: Ref) -> list[bytes]:
        give(ref.native_id)
        return [body_of([message("top", "ann")])]

    monkeypatch.setattr(MemoryNetwork, "fetch_media", fetch_media, raising=False)
    monkeypatch.setattr(MemoryNetwork, "context", context, raising=False)
    return found


def turn(job: str, *, limit: int = 10, later: timedelta = timedelta()) -> int:
    """One slice of a job."""
    now = clock.now() + later
    return jobs()[job].run(Slice(now, limit, now + timedelta(seconds=20)))


def pictured(line: Line, *urls: str) -> None:
    """Somebody shows these pictures."""
    line.hand_in(
        *(
            message(number, attachments=(SeenAttachment(str(number), AttachmentKind.IMAGE, url=url),))
            for number, url in enumerate(urls, start=1)
        )
    )
    turn("conversations.take_in")


def copies() -> dict[str, str]:
    """By address: ``held``, ``due``, or the sentence that stands beside it."""
    return {
        row.url: "held" if row.file_id else row.problem or "due" for row in Attachment.objects.order_by("pk")
    }


LATER: list[Callable[[], Exception]] = [
    lambda: errors.Unreachable("It is down."),
    lambda: errors.RateLimited("Slowly.", retry_after_seconds=5),
    lambda: Unavailable("The store is down."),
]


@pytest.mark.parametrize("error", LATER)
def test_a_picture_that_cannot_be_had_now_is_had_later(line: Line, gives, error) -> None:
    pictured(line, "https://a.example/1.png")
    gives["https://a.example/1.png"] = error()
    assert turn("conversations.pictures") == 0
    assert turn("conversations.pictures") == 0
    assert copies() == {"https://a.example/1.png": "due"}
    gives.clear()
    schedule.PICTURES.forget()
    assert turn("conversations.pictures") == 1
    assert copies() == {"https://a.example/1.png": "held"}


@pytest.mark.parametrize("error", LATER)
def test_after_a_day_it_is_said_why_there_is_no_copy(line: Line, gives, error) -> None:
    pictured(line, "https://a.example/1.png")
    gives["https://a.example/1.png"] = error()
    assert turn("conversations.pictures", later=timedelta(hours=25)) == 1
    assert copies() == {"https://a.example/1.png": error().message}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (errors.Rejected("It is gone."), "It is gone."),
        (b"", "1.png is empty."),
        (KeyError("secret words"), "The connector broke on it (KeyError)."),
    ],
)
def test_what_will_never_come_is_said_at_once_and_the_others_come(line: Line, gives, answer, said) -> None:
    pictured(line, "https://a.example/1.png", "https://a.example/2.png")
    Attachment.objects.update(name="1.png")
    gives["https://a.example/1.png"] = answer
    turn("conversations.pictures")
    assert copies() == {"https://a.example/1.png": said, "https://a.example/2.png": "held"}


def test_a_dead_server_is_asked_once_and_other_servers_pictures_come(
    line: Line, gives, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = [f"https://dead.example/{number}.png" for number in range(30)]
    pictured(line, *dead, "https://a.example/1.png")
    gives.update(dict.fromkeys(dead, errors.Unreachable("It is down.")))
    asked: list[str] = []
    give = MemoryNetwork.fetch_media

    def fetch_media(self: MemoryNetwork, link: Link, attachment: SeenAttachment, most: int) -> bytes:
        asked.append(attachment.url)
        return give(self, link, attachment, most)

    monkeypatch.setattr(MemoryNetwork, "fetch_media", fetch_media)
    turn("conversations.pictures")
    turn("conversations.pictures")
    assert asked == [dead[0], "https://a.example/1.png"]
    assert copies()["https://a.example/1.png"] == "held"
    assert list(copies().values()).count("due") == 30


def test_a_context_that_cannot_be_had_now_holds_up_nobody_elses(
    cast: Cast, line: Line, connect_line, gives
) -> None:
    other = connect_line(cast.charlie)
    for number in range(25):
        line.hand_in(message(f"a{number}", parent=Ref("top")))
        gives[f"ma{number}"] = errors.Unreachable("It is down.")
    turn("conversations.take_in", limit=100)
    other.hand_in(message("b", parent=Ref("top")))
    turn("conversations.take_in")
    assert turn("conversations.context", limit=20) == 1
    due = Message.objects.filter(context_due=True).values_list("native_id", flat=True)
    assert "mb" not in due
    assert len(due) == 25
    assert turn("conversations.context", limit=20) == 0


def test_a_context_that_was_not_given_in_a_day_is_no_longer_asked_for(line: Line, gives) -> None:
    line.hand_in(message("a", parent=Ref("top")))
    turn("conversations.take_in")
    gives["ma"] = errors.Unreachable("It is down.")
    assert turn("conversations.context", later=timedelta(hours=25)) == 1
    assert not Message.objects.filter(context_due=True).exists()


def test_what_rests_longer_each_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(resting.time, "monotonic", lambda: now[0])
    found = resting.Resting()
    found.rest("host", 1, errors.Unreachable("Down."))
    assert found.rests("host", 2)
    assert not found.rests("another", 3)
    assert sorted(found.items()) == [1, 2]
    now[0] = 31
    assert found.items() == [1]
    assert not found.rests("host", 2)
    now[0] = 901
    assert found.items() == []
    found.rest("host", 1, errors.Unreachable("Down."))
    now[0] = 901 + 1700
    assert found.items() == [1]
    for number in range(resting.MOST_ITEMS + 1):
        found.rest("host", number, errors.Unreachable("Down."))
    assert found.items() == []
