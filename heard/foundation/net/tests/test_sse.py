"""The event parser against the reference library, and its bounds."""

import httpx
import httpx_sse
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.foundation.net.sse import EventParser, EventTooLarge

line = st.sampled_from(
    [
        "data: a",
        "data:b",
        "data",
        "data:  c: d",
        "event: e",
        "event",
        "id: 1",
        "id:\0",
        ": ping",
        "x: y",
        "",
        "retry: 5",
    ]
)
stream = st.lists(st.tuples(line, st.sampled_from(["\n", "\r\n", "\r"])), max_size=30)


def parse(body: bytes, cuts: list[int]):
    parser, found, start = EventParser(10_000), [], 0
    for cut in [*sorted(cuts), len(body)]:
        found += parser.feed(body[start : max(start, cut)])
        start = max(start, cut)
    return [(event.event, event.data, event.id) for event in found]


@given(stream, st.lists(st.integers(0, 200), max_size=8))
def test_it_reads_what_the_reference_reads_however_the_bytes_are_cut(lines, cuts):
    body = "".join(text + end for text, end in lines).encode()
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body)
    # The standard drops an event without data; the library hands those out.
    expected = [
        (event.event or "message", event.data, event.id)
        for event in httpx_sse.EventSource(response).iter_sse()
        if event.data or "data" in body.decode()
    ]
    got = parse(body, [min(cut, len(body)) for cut in cuts])
    assert [event for event in got if event[1]] == [event for event in expected if event[1]]
    assert parse(body, []) == got


def test_a_byte_order_mark_and_broken_utf8_are_no_obstacle():
    assert parse(b"\xef\xbb\xbfdata: a\xff\n\n", [1, 2]) == [("message", "a\ufffd", "")]


def test_comments_do_not_count_for_ever_but_data_does():
    parser = EventParser(1_000)
    for _ in range(1_000):
        assert parser.feed(b":thump\n") == []
    assert parser.feed(b"data: x\n\n")[0].data == "x"
    with pytest.raises(EventTooLarge):
        parser.feed(b"data: x\n" * 1_000)
