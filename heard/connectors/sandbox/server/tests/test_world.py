"""The simulated public: it speaks, remembers, reacts, loses patience and storms, and the seed decides how."""

import json
from collections import Counter

import pytest

from heard.connectors.sandbox.server import storms
from heard.connectors.sandbox.server.posts import Draft, Refused, create_post, delete_post
from heard.connectors.sandbox.server.store import Store
from heard.connectors.sandbox.server.world import LONG_SILENCE_SECONDS, Pace, World

URL = "http://sandbox.example"


class Play:
    """A Sandbox without a server: a clock to turn, a company to answer with."""

    def __init__(self, file=":memory:", *, pace=0.0, speed=60.0, quiet=False, seed=1):
        self.seconds = 1_800_000_000.0
        self.store = Store(file)
        self.brand = self.store.add_account("nordwind", "Nordwind", "brand", now=self.seconds)
        self.world = World(self.store, URL, Pace(pace, speed, quiet), seed=seed, now=lambda: self.seconds)

    def pass_seconds(self, seconds):
        while seconds > 0:
            self.seconds += min(5, seconds)
            self.world.tick(min(5, seconds))
            seconds -= 5

    def posts(self, where="1 = 1", *values):
        return self.store.rows(
            f"SELECT p.*, a.handle, a.kind FROM posts p JOIN accounts a ON a.id = p.author WHERE {where}"
            " ORDER BY p.id",
            *values,
        )

    def answer(self, post, text, *, private=None):
        visibility = post["visibility"] if private is None else ("private" if private else "public")
        draft = Draft(self.brand.id, text, visibility=visibility, in_reply_to=post["id"])
        number = create_post(self.store, URL, draft, self.seconds).id
        self.world.heard(number)
        return number

    def begin(self, matter, *, private):
        """Somebody comes with ``matter``, in public or privately; their post."""
        from heard.connectors.sandbox.server.happenings import begin_story
        from heard.connectors.sandbox.server.matters import MATTERS

        for attempt in range(200):
            rng = self.world.rng("test", attempt)
            with self.store.writing():
                number = begin_story(self.world, rng, self.brand, matter=MATTERS[matter])
            post = self.posts("p.id = ?", number)[0]
            if (post["visibility"] == "private") == private:
                return post
            self.store.run("UPDATE stories SET wake_at = NULL")
        raise AssertionError("nobody came that way")

    def said_after(self, post):
        return self.posts("p.author = ? AND p.id > ?", post["author"], post["id"])


@pytest.fixture
def play():
    return Play()


def test_the_same_seed_tells_the_same_story_and_another_one_another():
    def told(seed):
        play = Play(pace=60, seed=seed)
        play.pass_seconds(120)
        return [(post["handle"], post["text"], post["parent"]) for post in play.posts()]

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_people_come_with_many_matters_in_many_ways():
    play = Play(pace=120)
    play.pass_seconds(300)
    posts = play.posts()
    assert len(posts) > 300
    assert len({post["text"] for post in posts}) > 0.75 * len(posts)
    assert {post["visibility"] for post in posts} == {"public", "private"}
    assert any(post["parent"] for post in posts)
    assert any(post["edited_at"] for post in posts)
    assert any(post["deleted_at"] for post in posts)
    assert any(json.loads(post["attachments"]) for post in posts)
    matters = Counter(row["matter"] for row in play.store.rows("SELECT matter FROM stories"))
    assert len(matters) >= 12
    assert len({post["language"] for post in posts}) == 5


def test_a_quiet_sandbox_is_quiet():
    play = Play(pace=1000, quiet=True)
    play.pass_seconds(60)
    assert not play.posts()


def test_a_company_that_is_silent_for_long_is_talked_to_less():
    play = Play(pace=60, speed=0)
    play.pass_seconds(60)
    lively = len(play.posts())
    play.seconds += LONG_SILENCE_SECONDS
    play.pass_seconds(60)
    left_alone = len(play.posts()) - lively
    assert lively > 30
    assert left_alone < lively / 3


def test_regret_and_a_step_are_thanked_for():
    for seed in range(20):
        play = Play(seed=seed)
        post = play.begin("broken_product", private=False)
        play.answer(post, "We are sorry about that. We will send a replacement today.")
        play.pass_seconds(30)
        story = play.store.row("SELECT * FROM stories WHERE person = ?", post["author"])
        assert story["state"] == "settled"
        if play.said_after(post):
            return
    raise AssertionError("nobody ever said thanks")


def test_asked_for_data_in_public_people_are_annoyed(play):
    post = play.begin("refund", private=False)
    play.answer(post, "Please tell us your order number.")
    play.pass_seconds(20)
    annoyed = play.said_after(post)[0]
    assert annoyed["visibility"] == "public"
    assert annoyed["parent"]


def test_asked_into_private_people_write_a_message_with_their_number(play):
    post = play.begin("refund", private=False)
    play.answer(post, "Please send us a direct message.")
    play.pass_seconds(20)
    message = play.said_after(post)[0]
    assert message["visibility"] == "private"
    assert message["to_account"] == play.brand.id
    assert "NW-4" in message["text"]


def test_the_same_answer_to_everybody_is_noticed():
    play = Play()
    answered = []
    for _ in range(4):
        post = play.begin("outage", private=False)
        answered.append(post)
        play.answer(post, f"Hello @{post['handle']}, we are looking into it, please wait.")
        play.pass_seconds(20)
    assert any(
        word in said["text"].casefold()
        for said in play.said_after(answered[-1])
        for word in ("machine", "copy", "everyone", "maschine", "allen", "máquina", "todos", "copiar",
                     "machine", "tout le monde", "copier", "آلة", "للجميع", "نسخ")
    )  # fmt: skip


def test_unanswered_people_ask_again_then_say_it_in_public_then_leave(play):
    post = play.begin("double_charge", private=True)
    play.pass_seconds(60 * 60)
    later = play.said_after(post)
    assert [said["visibility"] for said in later[:2]] == ["private", "public"]
    assert "@nordwind" in later[1]["text"]
    story = play.store.row("SELECT * FROM stories WHERE person = ?", post["author"])
    assert story["state"] == "gone"
    assert story["mood"] < 0
    known = len(play.posts())
    play.pass_seconds(60 * 60)
    assert len(play.posts()) == known, "who has left says nothing more"


def test_nobody_waits_for_an_answer_to_praise(play):
    post = play.begin("praise", private=False)
    play.pass_seconds(60 * 60)
    assert not play.said_after(post)


def test_an_answer_that_was_taken_back_was_never_read(play):
    post = play.begin("refund", private=False)
    number = play.answer(post, "Please tell us your order number.")
    delete_post(play.store, number, play.brand.id, play.seconds)
    play.pass_seconds(16)
    story = play.store.row("SELECT * FROM stories WHERE person = ?", post["author"])
    assert story["plan"] == "patience"


def test_people_come_again_and_remember():
    play = Play(pace=60)
    for _ in range(12):
        play.pass_seconds(20)
        for post in play.posts("a.kind = 'person' AND p.deleted_at IS NULL AND p.parent IS NULL"):
            if not play.posts("p.parent = ?", post["id"]):
                play.answer(post, f"We are sorry. We will send number {post['id']} by tomorrow.")
    returned = play.store.rows("SELECT person FROM stories GROUP BY person HAVING count(*) > 1")
    assert returned


def test_a_restart_goes_on_where_it_was(tmp_path):
    play = Play(tmp_path / "play.sqlite3", pace=60)
    play.pass_seconds(60)
    minutes, posts = play.world.minutes, len(play.posts())
    play.store.close()
    again = Play(tmp_path / "play.sqlite3", pace=60, seed=99)
    assert again.world.minutes == minutes
    assert len(again.posts()) == posts
    again.pass_seconds(10)
    numbers = again.store.setting("happened")
    assert int(numbers) > 60, "what happens is counted on, not begun anew"
    assert again.store.setting("seed") == "1", "a file keeps the seed it began with"


# -- storms -------------------------------------------------------------------------------------------


def test_a_storm_brings_as_many_as_were_asked_for(play):
    create_post(play.store, URL, Draft(play.brand.id, "Our new lamp is here."), play.seconds)
    storms.begin(play.world, play.brand, "data_leak", 120, 1)
    play.pass_seconds(30)
    half = {post["author"] for post in play.posts("a.kind = 'person'")}
    assert 55 <= len(half) <= 65
    play.pass_seconds(40)
    spoken = play.posts("a.kind = 'person'")
    first_words = [post for post in spoken if post["handle"] != "nordwind"]
    assert len({post["author"] for post in first_words}) == 120
    assert any(post["parent"] for post in spoken), "some join others"
    told = play.store.row("SELECT count(DISTINCT post) AS posts FROM events WHERE type = 'post.created'")
    assert told["posts"] == len(play.posts())


def test_a_storm_comes_to_a_quiet_sandbox_too():
    play = Play(quiet=True)
    storms.begin(play.world, play.brand, "outage", 30, 0)
    play.pass_seconds(5)
    assert len(play.posts()) == 30
    play.pass_seconds(3600)
    assert len(play.posts()) == 30, "and nobody follows up"


@pytest.mark.parametrize(
    ("matter", "people", "minutes"),
    [("weather", 10, 1), ("outage", 0, 1), ("outage", 10**6, 1), ("outage", 10, -1)],
)
def test_a_storm_that_cannot_be_is_refused(play, matter, people, minutes):
    with pytest.raises(Refused):
        storms.begin(play.world, play.brand, matter, people, minutes)
