"""The network API: what a company is told, what it may say, and what is refused with which words."""

import json
import random

import pytest

from heard.connectors.sandbox.server.drawing import draw_png

PICTURE = draw_png(random.Random(1))


def test_a_company_is_told_what_concerns_it_and_nothing_else(asked):
    own = asked.post("Our new lamp is here.")["id"]
    mention = asked.say("where is my parcel?")
    comment = asked.say("How much?", kind="comment", in_reply_to=own)
    deeper = asked.say("I'd like to know too", kind="comment", in_reply_to=comment, **{"as": "bilal"})
    private = asked.say("It is NW-41234", kind="direct")
    asked.say("Lovely weather", kind="post")
    told = [event["post"]["id"] for event in asked.events()]
    assert told == [own, mention, comment, deeper, private]


def test_another_company_hears_nothing_of_it(asked):
    other = asked.control("POST", "accounts", {"handle": "suedwind", "kind": "brand"}).json()
    mention = asked.say("where is my parcel?")
    private = asked.say("It is NW-41234", kind="direct")
    for path in ("events", f"posts/{private}", f"posts/{private}/context"):
        answer = asked.ask("GET", f"/api/v1/{path}", token=other["token"])
        assert answer.status_code == (200 if path == "events" else 404)
        assert "NW-41234" not in answer.text
    assert asked.ask("GET", f"/api/v1/posts/{mention}", token=other["token"]).status_code == 200
    named = asked.say("and you, @suedwind?", kind="post")
    below = asked.say("Yes, what about it?", kind="comment", in_reply_to=named)
    told = asked.ask("GET", "/api/v1/events", token=other["token"]).json()["events"]
    assert [event["post"]["id"] for event in told] == [named, below]
    assert len(asked.events()) == 2


def test_events_are_paged_in_order(asked):
    said = [asked.say(f"number {number}") for number in range(5)]
    first = asked.ask("GET", "/api/v1/events", params={"limit": 3}).json()
    assert (len(first["events"]), first["more"]) == (3, True)
    rest = asked.ask("GET", "/api/v1/events", params={"after": first["last"], "limit": 3}).json()
    assert (len(rest["events"]), rest["more"]) == (2, False)
    assert [event["post"]["id"] for event in first["events"] + rest["events"]] == said
    nothing = asked.ask("GET", "/api/v1/events", params={"after": rest["last"]}).json()
    assert nothing == {"events": [], "last": rest["last"], "more": False}


def test_edits_and_deletions_are_events_and_a_deleted_text_is_gone(asked):
    number = asked.say("where is my secret parcel?")
    asked.control("PUT", f"posts/{number}", {"text": "@nordwind where is my parcel?"})
    kinds = [(event["type"], event["post"]["version"]) for event in asked.events()]
    assert kinds == [("post.created", 1), ("post.edited", 2)]
    asked.control("DELETE", f"posts/{number}")
    after = asked.events()
    assert [(event["type"], event["post"]) for event in after] == [("post.deleted", {"id": number})]
    assert "secret" not in json.dumps(after)


# -- saying -------------------------------------------------------------------------------------------


def test_the_same_key_posts_once(asked):
    first = asked.ask("POST", "/api/v1/posts", json={"text": "Hello", "idempotency_key": "k/1"})
    again = asked.ask("POST", "/api/v1/posts", json={"text": "Hello", "idempotency_key": "k/1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert asked.ask("GET", "/api/v1/posts/by-key/k/1").json()["id"] == first.json()["id"]
    assert len(asked.events()) == 1
    assert len(asked.control("GET", "posts?author=nordwind").json()["posts"]) == 1


def test_a_key_stays_used_when_the_post_is_deleted(asked):
    number = asked.post("Hello", idempotency_key="k")["id"]
    assert asked.ask("DELETE", f"/api/v1/posts/{number}").status_code == 204
    assert asked.ask("GET", "/api/v1/posts/by-key/k").json()["id"] == number
    again = asked.ask("POST", "/api/v1/posts", json={"text": "Hello", "idempotency_key": "k"})
    assert again.status_code == 200
    assert asked.control("GET", "posts?author=nordwind").json()["posts"] == []


def test_a_key_is_shown_to_its_owner_only(asked):
    asked.control("POST", "accounts", {"handle": "suedwind", "kind": "brand"})
    number = asked.post("Hello @suedwind", idempotency_key="secret-key")["id"]
    other = asked.running.store.account_by("handle", "suedwind")
    assert "secret-key" in json.dumps(asked.events())
    for path in (f"posts/{number}", "events"):
        assert "secret-key" not in asked.ask("GET", f"/api/v1/{path}", token=other.token).text


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"text": "a" * 500}, 201, "id"),
        ({"text": "a" * 501}, 422, "501 of 500"),
        ({"text": "👨‍👩‍👧‍👦" * 500}, 201, "id"),
        ({"text": "a " * 238 + "https://nordwind.example/" + "x" * 400}, 201, "id"),
        ({"text": "  "}, 422, "nothing to post"),
        ({"text": "nul \x00"}, 422, "NUL"),
        ({"text": "Hi", "visibility": "secret"}, 422, "public or private"),
        ({"text": "Hi", "visibility": "private"}, 422, "somebody to go to"),
        ({"text": "Hi", "visibility": "private", "to": "1"}, 422, "somebody to go to"),
        ({"text": "Hi", "visibility": "private", "to": "99"}, 404, "no such person"),
        ({"text": "Hi", "in_reply_to": "99"}, 404, "no such post"),
        ({"text": "Hi", "in_reply_to": "x"}, 422, "not a number"),
        ({"text": "Hi", "attachments": ["nope"]}, 422, "not there"),
        ({"text": "Hi", "attachments": "nope"}, 422, "not a list"),
        ({"text": "Hi", "attachments": ["1", "2", "3", "4", "5"]}, 422, "At most 4"),
    ],
)
def test_what_may_be_posted(asked, body, status, says):
    answer = asked.ask("POST", "/api/v1/posts", json=body)
    assert answer.status_code == status
    assert says in answer.text
    assert len(asked.events()) == (status == 201)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_none_is_refused(asked, body):
    answer = asked.ask("POST", "/api/v1/posts", content=body)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]


def test_a_private_message_stays_private(asked):
    number = asked.say("It is NW-41234", kind="direct")
    public = asked.ask("POST", "/api/v1/posts", json={"text": "Thanks", "in_reply_to": number})
    assert (public.status_code, "private" in public.text) == (422, True)
    answer = asked.post("Thanks", in_reply_to=number, visibility="private")
    assert answer["to"]["handle"] == "anna"
    assert "Thanks" not in asked.ask("GET", "/").text


def test_who_has_blocked_us_cannot_be_reached_any_way(asked):
    number = asked.say("where is my parcel?")
    asked.control("POST", "block", {"as": "anna"})
    anna = asked.running.store.account_by("handle", "anna").id
    for body in ({"in_reply_to": number}, {"visibility": "private", "to": anna}):
        answer = asked.ask("POST", "/api/v1/posts", json={"text": "Hi", **body})
        assert answer.status_code == 403
        assert "does not want to hear from you" in answer.json()["error"]


def test_only_our_own_can_be_deleted_and_only_comments_under_ours_hidden(asked):
    own = asked.post("Our new lamp")["id"]
    comment = asked.say("Ugly", kind="comment", in_reply_to=own)
    mention = asked.say("Hello")
    assert asked.ask("DELETE", f"/api/v1/posts/{mention}").status_code == 403
    assert asked.ask("POST", f"/api/v1/posts/{mention}/hide").status_code == 403
    assert asked.ask("POST", f"/api/v1/posts/{comment}/hide").status_code == 204
    assert asked.ask("POST", f"/api/v1/posts/{comment}/like").status_code == 204
    asked.ask("POST", f"/api/v1/posts/{comment}/like")
    shown = asked.ask("GET", f"/api/v1/posts/{comment}").json()
    assert (shown["hidden"], shown["likes"]) == (True, 1)


def test_a_thread_is_shown_from_its_top(asked):
    own = asked.post("Our new lamp")["id"]
    one = asked.say("How much?", kind="comment", in_reply_to=own)
    two = asked.say("Same question", kind="comment", in_reply_to=one)
    above = asked.ask("GET", f"/api/v1/posts/{two}/context").json()["ancestors"]
    assert [post["id"] for post in above] == [own, one]


def test_our_own_posts_can_be_looked_through(asked):
    numbers = [asked.post(f"Post {number}")["id"] for number in range(3)]
    listed = asked.ask("GET", "/api/v1/posts?author=me&limit=2").json()
    assert ([post["id"] for post in listed["posts"]], listed["more"]) == (numbers[:2], True)
    rest = asked.ask("GET", f"/api/v1/posts?author=me&after={numbers[1]}").json()
    assert [post["id"] for post in rest["posts"]] == numbers[2:]
    later = asked.ask("GET", "/api/v1/posts", params={"since": "2030-01-01T00:00:00+00:00"}).json()
    assert later["posts"] == []
    assert asked.ask("GET", "/api/v1/posts", params={"since": "tomorrow"}).status_code == 422


# -- files --------------------------------------------------------------------------------------------


def upload(asked, data=PICTURE, kind="image/png"):
    return asked.ask(
        "POST", "/api/v1/media?name=lamp.png&alt=A+lamp", content=data, headers={"Content-Type": kind}
    )


def test_a_file_is_posted_once_and_fetched_by_who_may_see_it(asked):
    media = upload(asked).json()["id"]
    post = asked.post("Look", attachments=[media])
    assert post["attachments"][0]["alt"] == "A lamp"
    assert post["attachments"][0]["size_bytes"] == len(PICTURE)
    assert asked.ask("GET", f"/media/{media}").content == PICTURE
    again = asked.ask("POST", "/api/v1/posts", json={"text": "Again", "attachments": [media]})
    assert again.status_code == 422


def test_a_file_of_somebody_elses_private_message_is_nobodys_business(asked):
    other = asked.control("POST", "accounts", {"handle": "suedwind", "kind": "brand"}).json()
    file = {"name": "a.pdf", "content_type": "application/pdf", "data": "JVBERi0="}
    asked.say("See here", kind="direct", attachments=[file])
    media = asked.events()[0]["post"]["attachments"][0]["id"]
    assert asked.ask("GET", f"/media/{media}").content == b"%PDF-"
    assert asked.ask("GET", f"/media/{media}", token=other["token"]).status_code == 404
    assert asked.ask("GET", f"/media/{media}", token="").status_code == 401
    assert asked.ask("GET", f"/picture/{media}").status_code == 404


def test_files_have_limits(asked):
    assert upload(asked, kind="text/html").status_code == 422
    assert upload(asked, data=b"x" * 8_000_001).status_code == 413
    assert upload(asked, data=b"x" * 8_000_000).status_code == 201


# -- who asks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "wrong", "control", "é"])
def test_without_our_token_nothing_is_said(asked, token):
    asked.say("where is my parcel?")
    for path in ("me", "events", "stream", "posts", "posts/1"):
        answer = asked.ask("GET", f"/api/v1/{path}", token=token.encode())
        assert answer.status_code == 401
        assert "parcel" not in answer.text


def test_the_control_api_takes_its_own_token_only(asked):
    assert asked.ask("GET", "/control/status").status_code == 401
    assert asked.ask("GET", "/control/said", token="").status_code == 401
    assert asked.control("GET", "status").json()["quiet"] is True


def test_too_many_requests_are_told_to_wait(make):
    asked = make(rate_limit=3)
    answers = asked.ask_all([("GET", "/api/v1/me", {})] * 4)
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["x-ratelimit-remaining"] == "2"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 61


# -- control ------------------------------------------------------------------------------------------


def test_what_was_said_is_counted_even_when_it_is_deleted(asked):
    kept = asked.say("one")
    gone = asked.say("two")
    asked.control("DELETE", f"posts/{gone}")
    asked.post("We are here")
    said = asked.control("GET", "said").json()["posts"]
    assert [(post["id"], post["deleted"]) for post in said] == [(kept, False), (gone, True)]
    standing = asked.control("GET", "posts").json()["posts"]
    assert [post["as"] for post in standing] == ["anna", "nordwind"]


def test_a_thousand_are_said_in_one_breath_or_not_at_all(asked):
    messages = [{"as": f"p{number % 7}", "text": f"message {number}"} for number in range(1000)]
    said = asked.control("POST", "say", {"messages": messages}).json()["said"]
    assert len({post["id"] for post in said}) == 1000
    spoilt = asked.control("POST", "say", {"messages": [*messages[:5], {"as": "p1", "text": ""}]})
    assert spoilt.status_code == 201, "a mention is never empty"
    spoilt = asked.control("POST", "say", {"messages": [*messages[:5], {"as": "", "text": "x"}]})
    assert spoilt.status_code == 422
    assert len(asked.control("GET", "said?limit=9999").json()["posts"]) == 1006


def test_people_say_the_same_key_once(asked):
    assert asked.say("hello", key="k") == asked.say("hello", key="k")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "say", {"as": "anna b", "text": "x"}),
        ("POST", "say", {"as": "anna", "text": "x", "kind": "shout"}),
        ("POST", "say", {"as": "anna", "text": "x", "to": "nobody"}),
        ("POST", "say", {"as": "anna", "text": "x", "attachments": [{"data": "?"}]}),
        ("POST", "say", {"messages": "x"}),
        ("POST", "accounts", {"handle": "Ünal"}),
        ("POST", "accounts", {"handle": "x", "kind": "robot"}),
        ("PUT", "pace", {"messages_per_minute": "many"}),
        ("POST", "storm", {"people": 5, "matter": "weather"}),
        ("POST", "storm", {"people": 5, "minutes": "soon"}),
        ("POST", "faults", {"effect": "fire"}),
        ("POST", "faults", {"effect": "html", "match": {"path": "("}}),
        ("PUT", "posts/99", {"text": "x"}),
        ("DELETE", "posts/99", None),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(asked, method, path, body):
    answer = asked.control(method, path, body)
    assert answer.status_code in (404, 422)
    assert answer.json()["error"].endswith(".")


def test_the_pace_can_be_changed(asked):
    seen = asked.control("PUT", "pace", {"messages_per_minute": 7, "speed": 3, "quiet": False}).json()
    assert (seen["messages_per_minute"], seen["speed"], seen["quiet"]) == (7, 3, False)


# -- faults -------------------------------------------------------------------------------------------


def fault(asked, effect, **more):
    match = {"method": "POST", "path": "/api/v1/posts$"}
    assert asked.control("POST", "faults", {"match": match, "effect": effect, **more}).status_code == 201


def try_posting(asked):
    answer = asked.ask("POST", "/api/v1/posts", json={"text": "Hello"})
    return answer, len(asked.control("GET", "posts?author=nordwind").json()["posts"])


@pytest.mark.parametrize(
    ("effect", "more", "status", "standing"),
    [
        ("status", {"status": 500}, 500, 0),
        ("latency", {"seconds": 0.01}, 201, 1),
        ("malformed", {}, 200, 1),
        ("html", {}, 200, 0),
        ("timeout_after_accept", {"seconds": 0.01}, 504, 1),
        ("timeout_before", {"seconds": 0.01}, 504, 0),
    ],
)
def test_a_fault_spoils_one_request_and_the_next_is_as_usual(asked, effect, more, status, standing):
    fault(asked, effect, **more)
    answer, stood = try_posting(asked)
    assert (answer.status_code, stood) == (status, standing)
    if effect in ("malformed", "html"):
        with pytest.raises(json.JSONDecodeError):
            answer.json()
    answer, stood = try_posting(asked)
    assert (answer.status_code, stood) == (201, standing + 1)


def test_faults_stand_over_a_restart_with_what_is_left_of_them(tmp_path):
    from heard.connectors.sandbox.server.faults import Faults, read_fault
    from heard.connectors.sandbox.server.store import Store

    def started():
        return Faults(None, Store(tmp_path / "sandbox.sqlite3"))

    first = started()
    first.add(read_fault({"effect": "status", "status": 429, "headers": {"Retry-After": "7"}, "count": 2}))
    first.add(
        read_fault(
            {"effect": "latency", "seconds": 3, "match": {"method": "get", "path": "^/v1/"}, "count": None}
        )
    )
    spoilt = first._take({"method": "POST", "path": "/v1/posts"})
    assert (spoilt.status, spoilt.left) == (429, 1)
    second = started()
    assert [fault.kept() for fault in second.standing] == [fault.kept() for fault in first.standing]
    assert second._take({"method": "POST", "path": "/v1/posts"}).headers == {"Retry-After": "7"}
    assert second._take({"method": "POST", "path": "/v1/posts"}) is None
    assert started()._take({"method": "POST", "path": "/v1/posts"}) is None
    second.clear()
    assert started().standing == []


def test_a_fault_hits_what_it_is_meant_for_and_can_be_taken_away(asked):
    fault(asked, "status", status=429, headers={"Retry-After": "7"}, count=None)
    assert asked.ask("GET", "/api/v1/me").status_code == 200
    assert [try_posting(asked)[0].headers["retry-after"] for _ in range(3)] == ["7"] * 3
    standing = asked.control("GET", "faults").json()["faults"]
    assert (standing[0]["used"], standing[0]["left"]) == (3, None)
    asked.control("DELETE", "faults")
    assert try_posting(asked)[0].status_code == 201


# -- the square ---------------------------------------------------------------------------------------


def test_the_square_shows_what_is_public_and_acts_on_nothing(asked):
    own = asked.post("Our <b>new</b> lamp & more")["id"]
    media = upload(asked).json()["id"]
    asked.post("With a picture", attachments=[media])
    comment = asked.say("<script>alert(1)</script> How much?", kind="comment", in_reply_to=own)
    asked.say("It is NW-41234", kind="direct")
    page = asked.ask("GET", "/", token="")
    thread = asked.ask("GET", f"/p/{comment}", token="")
    profile = asked.ask("GET", "/@nordwind", token="")
    for seen in (page, thread, profile):
        assert seen.status_code == 200
        assert "default-src 'none'" in seen.headers["content-security-policy"]
        assert "<script" not in seen.text
        assert " style=" not in seen.text
        assert "NW-41234" not in seen.text
    assert "Our &lt;b&gt;new&lt;/b&gt; lamp &amp; more" in page.text
    assert "1 answer" in page.text
    assert "&lt;script&gt;alert(1)" in thread.text
    assert asked.ask("GET", f"/picture/{media}", token="").content == PICTURE
    assert "color-scheme" in asked.ask("GET", "/square.css").text
    assert asked.ask("GET", "/favicon.ico", token="").status_code == 204


def test_what_is_not_there_is_said_kindly(asked):
    private = asked.say("It is NW-41234", kind="direct")
    for path in ("/p/99", f"/p/{private}", "/@nobody", "/picture/x"):
        page = asked.ask("GET", path, token="")
        assert page.status_code == 404
        assert "NW-41234" not in page.text
