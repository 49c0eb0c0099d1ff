"""One delivery, one file or one connector that cannot be dealt with stops nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import transaction

from heard.connectorkit.vocabulary import Attachment as SeenAttachment
from heard.connectorkit.vocabulary import AttachmentKind, Source
from heard.domains.channels.actions import ArrivedDelivery, receive
from heard.domains.channels.models import Channel, Delivery
from heard.domains.conversations import actions
from heard.domains.conversations.models import Attachment, Message
from heard.domains.inbox.queries import case_ids_of
from heard.domains.organizations.queries import brands
from heard.foundation import clock
from tests.cast import Cast, Line, work
from tests.memory_network import message

pytestmark = pytest.mark.django_db(databases="__all__")

MAIL = (
    b"From: ann@customer.example\r\nTo: help@northbridge.example\r\nSubject: Papers\r\n"
    b"Date: Sun, 22 Nov 2026 11:00:00 +0000\r\nMessage-ID: <1@customer.example>\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHere.\r\n'
    b'--b\r\nContent-Type: application/pdf; name="papers.pdf"\r\n'
    b"Content-Disposition: attachment\r\n\r\n%s\r\n--b--\r\n"
)


@pytest.fixture
def mailbox(cast: Cast) -> int:
    """Northbridge's mailbox; nobody looks into it by itself here."""
    now = clock.now()
    return Channel.objects.create(
        organization_id=cast.alice.organization_id, brand_id=brands(cast.alice)[0].id, network="email",
        native_id="help@northbridge.example", handle="help@northbridge.example", name="Help",
        state="paused", hook_token="t", connected_at=now, due_at=now,
    ).pk  # fmt: skip


@pytest.mark.parametrize(("size", "problem"), [(10, ""), (0, "is empty"), (2_000_000, "at most 1 MB")])
def test_a_mail_whose_file_cannot_be_kept_arrives_like_any_other(
    cast: Cast, mailbox: int, size: int, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heard.domains.media.rules.LARGEST_BYTES", 1_000_000)
    body = MAIL % (b"x" * size)
    receive([ArrivedDelivery(cast.alice.organization_id, mailbox, Source.POLL, body, clock.now())])
    work()
    assert Message.objects.get(channel_id=mailbox).text == "Here."
    file = Attachment.objects.get(message__channel_id=mailbox)
    assert problem in file.problem
    assert (file.file_id is None) == bool(problem)


def test_every_file_of_a_mail_is_listed(line: Line) -> None:
    files = tuple(
        SeenAttachment(str(number), AttachmentKind.FILE, data=b"%d" % number) for number in range(60)
    )
    line.says(message(1, attachments=files))
    assert Attachment.objects.exclude(file_id=None).count() == 60


@pytest.mark.parametrize("error", [KeyError("no such field"), RecursionError(), ValueError("odd")])
def test_a_connector_that_breaks_on_one_delivery_reads_the_others(
    line: Line, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    read = line.network.receive

    def breaks(account, delivery):
        events = read(account, delivery)
        if any(event.native_id == "m1" for event in events):
            raise error
        return events

    monkeypatch.setattr(line.network, "receive", breaks)
    line.hand_in(message(1))
    line.hand_in(message(2, "bert"))
    work()
    assert list(Message.objects.values_list("native_id", flat=True)) == ["m2"]
    kept = Delivery.objects.get(state="unreadable")
    assert type(error).__name__ in kept.reason
    assert "no such field" not in kept.reason
    assert bytes(kept.body)


@pytest.mark.parametrize("error", [TypeError("odd"), OverflowError()])
def test_what_breaks_the_intake_is_found_and_put_off_alone(
    line: Line, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    take_in: Callable[..., object] = actions.take_in

    def breaks(organization_id, network, channel_id, batch):
        if any(item.event.native_id == "m2" for item in batch):
            with transaction.atomic():
                raise error
        return take_in(organization_id, network, channel_id, batch)

    monkeypatch.setattr(actions, "take_in", breaks)
    for number, person in ((1, "ann"), (2, "bert"), (3, "carl")):
        line.hand_in(message(number, person))
    work()
    assert sorted(Message.objects.values_list("native_id", flat=True)) == ["m1", "m3"]
    waiting = Delivery.objects.get(state="received")
    assert waiting.attempts == 1
    assert type(error).__name__ in waiting.reason


PICTURED = (
    b"From: ann@customer.example\r\nTo: help@northbridge.example\r\nSubject: Look\r\n"
    b"Date: Sun, 22 Nov 2026 11:00:00 +0000\r\nMessage-ID: <2@customer.example>\r\n"
    b'Content-Type: multipart/related; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n'
    b'<p>See <img src="cid:broken@here" alt="the broken one"><img src="cid:else@where" alt="another"></p>\r\n'
    b"--b\r\nContent-Type: image/png\r\nContent-ID: <broken@here>\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: inline\r\n\r\niVBORw0KGgoAAAA=\r\n--b--\r\n"
)


def test_a_mails_own_pictures_are_shown_where_they_stand(cast: Cast, mailbox: int) -> None:
    receive([ArrivedDelivery(cast.alice.organization_id, mailbox, Source.POLL, PICTURED, clock.now())])
    work()
    file_id = Attachment.objects.get().file_id
    case_id = case_ids_of(cast.alice.organization_id, [Message.objects.get().conversation_id or 0]).pop()
    page = cast.browser(cast.alice).get(f"/c/{case_id}").content.decode()
    shown = [tag for tag in re.findall(r"<img [^>]*>", page) if "the broken one" in tag]
    assert any(f'src="/files/{file_id}/"' in tag for tag in shown)
    assert not any("src=" in tag for tag in re.findall(r"<img [^>]*>", page) if "another" in tag)
