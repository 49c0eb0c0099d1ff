"""Logs tell what happened and repeat no secret, no address and no word of anybody's."""

from __future__ import annotations

import io
import json
import logging as std_logging
import time
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from heard.connectorkit.errors import Unreachable
from heard.foundation import logging, redaction

TOKEN = "k3ZQz9xV0bLr7TgHq2NfW5yPc8MsJd1A"
HUSH = "the horse is called Staple"


@pytest.fixture(autouse=True)
def restored():
    root = std_logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    std_logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def out():
    stream = io.StringIO()
    logging.configure(style="json", level="INFO", stream=stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_what_happened_when_where_and_with_what(out):
    logging.logger("heard.rooms").info(
        "case_assigned", case=7, team="Sales", at=datetime(2026, 1, 2, tzinfo=UTC)
    )
    (line,) = lines(out)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "case_assigned",
        "case": 7,
        "team": "Sales",
        "at": "2026-01-02 00:00:00+00:00",
        "level": "info",
        "logger": "heard.rooms",
    }


def test_levels_below_the_chosen_one_are_not_written(out):
    logging.logger("heard").debug("nothing")
    std_logging.getLogger("library").debug("nothing")
    assert out.getvalue() == ""
    logging.configure(style="json", level="debug", stream=out)
    logging.logger("heard").debug("something")
    assert lines(out)[0]["event"] == "something"


def test_libraries_speak_through_the_same_door(out):
    std_logging.getLogger("celery.worker").warning("Task %s took %d s", "sweep", 3)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old thing", stacklevel=1)
    task, warned = lines(out)
    assert (task["event"], task["level"], task["logger"]) == (
        "Task sweep took 3 s",
        "warning",
        "celery.worker",
    )
    assert "old thing" in warned["event"]


def test_libraries_that_repeat_urls_are_quiet(out):
    for name in ("httpx", "httpcore.http11", "granian.access", "django.request"):
        std_logging.getLogger(name).info("GET https://x.example/path HTTP/1.1")
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    "name",
    [
        "password", "Password", "access_token", "accessToken", "refreshJwt", "Authorization", "cookie",
        "Set-Cookie", "X-Api-Key", "client_secret", "app_password", "HEARD_SECRET_KEY", "csrftoken",
        "session", "otp", "text", "html", "subject", "body", "body_text", "content", "email", "handle",
        "recipients", "raw",
    ],
)  # fmt: skip
def test_names_that_hold_secrets_or_words_hide_their_value(out, name):
    logging.logger("heard").info("event", **{name: HUSH})
    logging.logger("heard").info("event", outer=[{"inner": {name: [HUSH, (HUSH,)]}}])
    logging.logger("heard").info("event", fields=[(name, HUSH)])
    std_logging.getLogger("library").info("given %s", {"x": 1}, extra={name.replace("-", "_"): HUSH})
    assert "Staple" not in out.getvalue()
    assert lines(out)[0][name] == "[hidden]"


@pytest.mark.parametrize(
    ("name", "value"),
    [("body_bytes", 12), ("content_type", "text/html"), ("text_length", 9), ("case", "c-17"),
     ("key_id", "3fa9"), ("tokens_left", None), ("author_id", "2001"), ("path", "/inbox/c/17")],
)  # fmt: skip
def test_names_that_only_tell_about_a_text_stay(out, name, value):
    logging.logger("heard").info("event", **{name: value})
    assert lines(out)[0][name] == value


@pytest.mark.parametrize(
    "text",
    [
        f"Bearer {TOKEN}",
        "Authorization: Basic YTpi",
        f"GET https://x.example/a?access_token={TOKEN}&b=1 failed",
        "GET /callback?code=YTpi failed",
        "https://me:YTpi@x.example/",
        f"token {TOKEN} expired",
        f"/invite/{TOKEN}/",
        "password=YTpi",
        "{'password': 'YTpi', 'a': 1}",
        '{"refresh_token": "YTpi"}',
        f"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{TOKEN}.{TOKEN}",
        "anna.berg+YTpi@nordwind.example wrote",
        "@YTpi@social.example wrote",
        "<YTpi@mail.example>",
    ],
)
def test_what_looks_like_a_secret_or_an_address_is_hidden_wherever_it_stands(out, text):
    log = logging.logger("heard")
    log.info(text)
    log.info("event", why=text, nested={"a": [text], text: 1})
    std_logging.getLogger("library").warning("it said %s", text)
    assert TOKEN not in out.getvalue()
    assert "YTpi" not in out.getvalue()


@pytest.mark.parametrize(
    "text",
    ["case 17 opened", "018f3c1e-7b1a-7cc0-9d3e-2f4a5b6c7d8e", "/inbox/c/17", "heard.domains.inbox.actions",
     "a question? yes", "12:30:05", "2026-11-22T15:50:36.000001Z", "sqlite3 3.40.1"],
)  # fmt: skip
def test_ordinary_words_and_ids_are_left_alone(text):
    assert redaction.redact_text(text) == text


@pytest.mark.parametrize(
    "piece", ["a", "a1-", "@", "a=?", "token", "token=", "bearer ", "://", "?", "a@", "'", "a:"]
)
def test_hostile_text_does_not_hold_the_log(piece):
    started = time.process_time()
    redaction.redact_text(piece * 3000)
    assert time.process_time() - started < 0.5


class Impolite(Exception):
    """Repeats what it was given."""


def fail(error: Exception) -> None:
    raise error


def raise_nested() -> None:
    try:
        try:
            fail(Impolite(HUSH, {"password": HUSH}))
        except Impolite as inner:
            raise ValueError(f"could not read {HUSH!r}") from inner
    except ValueError:
        raise KeyError(HUSH)  # noqa: B904 - the implicit context is what is tested


@pytest.mark.parametrize("style", ["json", "console"])
def test_exceptions_are_told_by_kind_and_place_not_by_their_words(style):
    out = io.StringIO()
    logging.configure(style=style, stream=out)
    hush = HUSH
    try:
        raise_nested()
    except KeyError as error:
        logging.logger("heard").exception("broke", error=error, local=None)
        std_logging.getLogger("library").exception("broke too")
        logging.logger("heard").warning("broke", exc_info=error)
    text = out.getvalue()
    assert hush not in text
    for word in ("KeyError", "ValueError", "Impolite", "in raise_nested", "test_logging.py"):
        assert text.count(word) >= 3, word


def test_our_own_errors_keep_their_sentence_without_addresses(out):
    try:
        fail(Unreachable(f"mail.example cannot be reached for anna@mail.example with {TOKEN}."))
    except Unreachable:
        logging.logger("heard").exception("look_failed")
    assert (
        "Unreachable: mail.example cannot be reached for [address] with [hidden]."
        in lines(out)[0]["exception"]
    )


def test_a_database_error_tells_its_code_and_not_the_row(out):
    import sqlite3

    base = sqlite3.connect(":memory:")
    base.execute("create table t (a text unique)")
    try:
        base.execute(f"select '{HUSH}' from nowhere_at_all")
    except sqlite3.OperationalError:
        logging.logger("heard").exception("broke")
    finally:
        base.close()
    assert "OperationalError: SQLITE_ERROR" in lines(out)[0]["exception"]


def test_groups_loops_and_depth_end(out):
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    first, second = ValueError(HUSH), OSError(2, "No such file", "/tmp/x")  # noqa: S108
    first.__cause__, second.__context__ = second, first
    try:
        fail(ExceptionGroup(HUSH, [first, second]))
    except ExceptionGroup:
        logging.logger("heard").exception("broke", loop=loop, many=list(range(1000)), long="x " * 5000)
    (line,) = lines(out)
    assert "of FileNotFoundError: No such file" in line["exception"]
    assert len(line["many"]) == 100
    assert len(line["long"]) < 2100
    assert HUSH not in out.getvalue()


@dataclass
class Said:
    text: str


def test_objects_are_named_not_shown(out):
    logging.logger("heard").info(
        "event", said=Said(HUSH), raw_bytes=HUSH.encode(), kind=Said, id=UUID(int=5), odd={1: Said(HUSH)}
    )
    (line,) = lines(out)
    assert line["said"] == "<Said>"
    assert line["raw_bytes"] == f"<{len(HUSH)} bytes>"
    assert line["id"] == str(UUID(int=5))
    assert "Staple" not in out.getvalue()


secret_names = st.sampled_from(
    ["password", "token", "Authorization", "cookie", "text", "html", "subject", "body"]
)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10)


@given(
    st.recursive(
        st.dictionaries(secret_names, st.just(HUSH), min_size=1, max_size=2),
        lambda inner: (
            st.lists(inner | plain, max_size=3)
            | st.dictionaries(st.text(max_size=5), inner | plain, max_size=3)
            | st.tuples(st.text(max_size=5), inner)
        ),
        max_leaves=12,
    )
)
def test_no_nesting_brings_a_secret_out(value):
    shown = redaction.redact({"event": "x", "value": value})
    assert "Staple" not in json.dumps(shown)


@given(
    st.text(max_size=40),
    st.text(alphabet="abcdefghXYZ0123456789_-", min_size=24, max_size=60),
    st.text(max_size=40),
)
def test_no_surrounding_brings_a_long_token_out(before, token, after):
    token = "a1" + token
    assert token not in redaction.redact_text(f"{before} {token} {after}")


def test_another_handler_gets_the_same_clean_line(out, caplog):
    logging.logger("heard").warning("broke", password=HUSH, exc_info=ValueError(HUSH))
    assert "broke" in caplog.text
    assert "ValueError" in caplog.text
    assert "Staple" not in caplog.text


def test_names_of_the_request_stay_with_the_lines_of_the_request(out):
    structlog.contextvars.bind_contextvars(request_id="r-1")
    logging.logger("heard").info("one")
    assert lines(out)[0]["request_id"] == "r-1"


def test_a_terminal_gets_readable_lines_and_a_pipe_gets_json():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        logging.configure(style="auto", stream=stream)
        logging.logger("heard").info("ready", port=8400)
    assert not terminal.getvalue().startswith("{")
    assert "ready" in terminal.getvalue()
    assert json.loads(pipe.getvalue())["port"] == 8400


def test_configuring_again_replaces_and_nonsense_is_refused(out):
    second = io.StringIO()
    logging.configure(style="json", stream=second)
    logging.logger("heard").info("once")
    assert out.getvalue() == ""
    assert len(lines(second)) == 1
    with pytest.raises(ValueError, match="HEARD_LOG_FORMAT"):
        logging.configure(style="xml")
    with pytest.raises(ValueError, match="HEARD_LOG_LEVEL"):
        logging.configure(level="LOUD")
