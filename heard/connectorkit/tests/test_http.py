"""A status becomes the error that says what the platform does next."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.connectorkit import errors
from heard.connectorkit.http import json_body, own_sentence, raise_for_status, wait_seconds
from heard.connectorkit.testing import FakeResponse, Headers


def answer(status=200, body=b"", **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return FakeResponse(
        status, content, Headers({name.replace("_", "-"): value for name, value in headers.items()})
    )


def error_of(response, **options):
    with pytest.raises(errors.ConnectorError) as caught:
        raise_for_status(response, what="Sending the reply", **options)
    return caught.value


@pytest.mark.parametrize(
    ("status", "read", "write"),
    [
        (301, "Unreachable", "Unreachable"),
        (400, "Rejected", "Rejected"),
        (401, "CredentialsRefused", "CredentialsRefused"),
        (403, "CredentialsRefused", "CredentialsRefused"),
        (404, "Rejected", "Rejected"),
        (408, "Unreachable", "Unreachable"),
        (410, "Rejected", "Rejected"),
        (413, "Rejected", "Rejected"),
        (422, "Rejected", "Rejected"),
        (429, "RateLimited", "RateLimited"),
        (500, "Unreachable", "OutcomeUnknown"),
        (502, "Unreachable", "OutcomeUnknown"),
        (503, "Unreachable", "Unreachable"),
        (504, "Unreachable", "OutcomeUnknown"),
    ],
)
def test_each_status_has_its_error(status, read, write):
    assert type(error_of(answer(status))).__name__ == read
    assert type(error_of(answer(status), writes=True)).__name__ == write


def test_success_says_nothing():
    for status in (200, 201, 202, 204):
        raise_for_status(answer(status), what="Anything")


def test_a_403_about_one_message_is_told_to_its_author():
    error = error_of(answer(403, {"error": "You are blocked by this person"}), forbidden_rejects=True)
    assert isinstance(error, errors.Rejected)
    assert error.message == "Sending the reply was refused by the network: You are blocked by this person."


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"error": "Text is too long"}, "Text is too long"),
        ({"error": "invalid_grant", "error_description": "The code has expired."}, "The code has expired."),
        ({"error": {"message": "No such page", "code": 100}}, "No such page"),
        ({"errors": [{"detail": "Duplicate"}]}, "Duplicate"),
        ({"error": "InvalidRequest", "message": "Record too large"}, "Record too large"),
        ("a whole body", ""),
        (b"<html>a whole page</html>", ""),
        ({"message": "one\n\u202etwo\x00 three"}, "one two three"),
        ({"data": "private"}, ""),
    ],
)
def test_the_servers_own_sentence_and_never_a_body(body, sentence):
    assert own_sentence(answer(422, body)) == sentence


@given(st.text(min_size=1))
def test_no_more_of_it_than_a_sentence(text):
    assert len(own_sentence(answer(422, {"message": text * 300}))) <= 200


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "30"}, 30),
        ({"Retry_After": "0"}, 1),
        ({"Retry_After": "99999999"}, 86_400),
        ({"Retry_After": "Mon, 02 Mar 2026 09:31:00 GMT"}, 60),
        ({"Retry_After": "Mon, 02 Mar 2026 09:00:00 GMT"}, 1),
        ({"x_ratelimit_reset": "1772443830"}, 30),
        ({"x_ratelimit_reset": "2026-03-02T09:32:00.000Z"}, 120),
        ({"ratelimit_reset": "45"}, 45),
        ({"Retry_After": "soon"}, 60),
        ({}, 60),
        ({"Retry_After": "5", "x_ratelimit_reset": "1772443830"}, 5),
    ],
)
def test_pauses_are_read_against_the_servers_own_clock(headers, seconds):
    assert wait_seconds(answer(429, Date="Mon, 02 Mar 2026 09:30:00 GMT", **headers)) == seconds


@given(st.text(), st.text())
def test_no_header_breaks_or_silences_us(one, other):
    assert 1 <= wait_seconds(answer(429, Retry_After=one, x_ratelimit_reset=other, Date=other)) <= 86_400


def test_a_web_page_is_no_data():
    page = answer(200, b"<!doctype html><title>Welcome</title>", Content_Type="text/html")
    with pytest.raises(errors.Unreachable, match="web page"):
        json_body(page, what="Looking")
    with pytest.raises(errors.OutcomeUnknown, match="web page"):
        json_body(page, what="Posting", writes=True)
    assert json_body(answer(200, {"id": 1}), what="Looking") == {"id": 1}
