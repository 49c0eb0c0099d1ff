"""How people feel is a matter of rules: kindness never hurts, waiting never helps."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.connectors.sandbox.server.moods import (
    Escalation,
    Heard,
    Mood,
    Reaction,
    Sign,
    Temper,
    escalate,
    fingerprint,
    mood_after,
    mood_unanswered,
    mood_word,
    patience_minutes,
    react,
    read_answer,
)
from heard.connectors.sandbox.server.texts_of import LANGUAGES, all_signs, texts

MOODS = st.floats(-1, 1)
MINUTES = st.floats(0, 100_000)
TEMPERS = st.builds(
    Temper, patience_minutes=st.floats(1, 1000), warmth=st.floats(0, 1), openness=st.floats(0, 1)
)
ANSWERS = st.builds(
    Heard, st.frozensets(st.sampled_from(Sign)), copied=st.booleans(), words=st.integers(0, 60)
)
SEVERITIES = st.integers(0, 3)


@given(MOODS, ANSWERS, TEMPERS, MINUTES, st.booleans())
def test_a_mood_stays_a_mood(mood, heard, temper, waited, private):
    assert -1 <= mood_after(mood, heard, temper, waited_minutes=waited, private=private) <= 1


@given(MOODS, ANSWERS, TEMPERS, MINUTES, st.sampled_from([Sign.APOLOGY, Sign.STEP, Sign.THANKS]))
def test_a_kind_word_or_a_step_never_makes_it_worse(mood, heard, temper, waited, sign):
    kinder = dataclasses.replace(heard, signs=heard.signs | {sign})
    without = mood_after(mood, heard, temper, waited_minutes=waited, private=False)
    assert mood_after(mood, kinder, temper, waited_minutes=waited, private=False) >= without


@given(MOODS, ANSWERS, TEMPERS, MINUTES, MINUTES)
def test_a_slower_answer_is_never_better(mood, heard, temper, one, other):
    fast, slow = sorted((one, other))
    quick = mood_after(mood, heard, temper, waited_minutes=fast, private=False)
    assert mood_after(mood, heard, temper, waited_minutes=slow, private=False) <= quick


@given(MOODS, TEMPERS, SEVERITIES, MINUTES, st.booleans(), st.integers(0, 60))
def test_regret_and_a_step_settle_it(mood, temper, severity, waited, private, words):
    answer = Heard(frozenset({Sign.APOLOGY, Sign.STEP}), words=words)
    outcome = react(
        mood, answer, temper, severity=severity, waited_minutes=waited, private=private, data_given=False
    )
    assert outcome.settled
    assert outcome.reaction is Reaction.THANKS


@given(MOODS, ANSWERS, TEMPERS, SEVERITIES, st.booleans(), st.booleans())
def test_every_answer_has_an_outcome(mood, heard, temper, severity, private, data_given):
    outcome = react(
        mood, heard, temper, severity=severity, waited_minutes=5, private=private, data_given=data_given
    )
    assert -1 <= outcome.mood <= 1
    if outcome.reaction is Reaction.GIVES_DATA:
        assert private
        assert not data_given
    if outcome.reaction in (Reaction.WRITES_PRIVATELY, Reaction.ANNOYED_BY_QUESTION):
        assert not private


def reaction(text, *, severity=2, private=False, mood=-0.3, copied=False, waited=5, data_given=False):
    answer = read_answer(text, all_signs(), copied=copied)
    return react(
        mood,
        answer,
        Temper(),
        severity=severity,
        waited_minutes=waited,
        private=private,
        data_given=data_given,
    ).reaction


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We are sorry, Anna. A replacement is on its way.", Reaction.THANKS),
        ("Please tell us your order number.", Reaction.ANNOYED_BY_QUESTION),
        ("Please send us your order number by direct message.", Reaction.WRITES_PRIVATELY),
        ("We are looking into it.", Reaction.WAITS),
        ("OK.", Reaction.NOT_ENOUGH),
        ("There is nothing we can do.", Reaction.NOT_ENOUGH),
        ("Das tut uns leid. Wir erstatten den Betrag bis morgen.", Reaction.THANKS),
        ("Schicken Sie uns bitte Ihre Bestellnummer per DM.", Reaction.WRITES_PRIVATELY),
        ("Lo sentimos mucho. Le enviamos otra lámpara.", Reaction.THANKS),
        ("¿Cuál es su número de pedido?", Reaction.ANNOYED_BY_QUESTION),
        ("Désolé, vous recevrez le remboursement.", Reaction.THANKS),
        ("Écrivez-nous en privé, s'il vous plaît.", Reaction.WRITES_PRIVATELY),
        ("نعتذر منك، سنرسل بديلًا غدًا.", Reaction.THANKS),
        ("راسلنا على الخاص من فضلك.", Reaction.WRITES_PRIVATELY),
    ],
)
def test_answers_are_understood_in_every_language(text, expected):
    assert reaction(text) is expected


def test_asked_in_private_people_give_their_number_once():
    assert reaction("Your order number, please?", private=True) is Reaction.GIVES_DATA
    assert reaction("Your order number, please?", private=True, data_given=True) is Reaction.NOT_ENOUGH


def test_a_plain_answer_settles_a_plain_question_and_not_a_complaint():
    assert reaction("Yes, from ten to six.", severity=1) is Reaction.THANKS
    assert reaction("Yes, from ten to six.", severity=2) is Reaction.NOT_ENOUGH


def test_a_step_without_regret_is_not_enough_while_somebody_is_hurt_and_angry():
    assert reaction("We have sent a replacement.", severity=3, mood=-0.9) is Reaction.NOT_ENOUGH
    assert reaction("We are sorry. We have sent a replacement.", severity=3, mood=-0.9) is Reaction.THANKS


def test_a_copied_answer_is_called_one_and_the_last_straw_breaks():
    assert reaction("We are looking into it.", copied=True) is Reaction.CALLS_IT_COPIED
    assert reaction("There is nothing we can do.", mood=-0.9, waited=1000) is Reaction.LEAVES


def test_copies_are_seen_through_names_and_numbers():
    one = fingerprint("Hi @anna, your order 4711 is on its way!")
    assert one == fingerprint("hi @bilal  your order 12 is on its way.")
    assert one != fingerprint("Hi @anna, your order 4711 is lost.")


@given(TEMPERS, SEVERITIES, st.integers(0, 20))
def test_patience_is_shorter_for_grave_matters_and_each_time(temper, severity, follow_ups):
    now = patience_minutes(temper, severity, follow_ups)
    assert patience_minutes(temper, severity, follow_ups + 1) <= now
    if severity < 3:
        assert patience_minutes(temper, severity + 1, follow_ups) <= now


@given(TEMPERS, st.integers(1, 3), st.booleans())
def test_nobody_waits_for_ever(temper, severity, private):
    steps = []
    while Escalation.LEAVES not in steps and len(steps) < 20:
        steps.append(escalate(temper, severity, len(steps), private=private))
        private = private and steps[-1] is not Escalation.GOES_PUBLIC
    assert steps[0] is Escalation.ASKS_AGAIN
    assert steps[-1] is Escalation.LEAVES
    assert len(steps) <= 5


def test_who_wrote_privately_about_something_grave_says_it_in_public():
    assert escalate(Temper(openness=0), 2, 1, private=True) is Escalation.GOES_PUBLIC
    assert escalate(Temper(openness=0), 1, 1, private=True) is Escalation.ASKS_AGAIN


@given(MOODS, st.integers(0, 10))
def test_waiting_in_vain_sours_the_mood(mood, follow_ups):
    after = mood_unanswered(mood, follow_ups)
    assert after < mood or after == -1


@given(MOODS, MOODS)
def test_better_moods_have_better_words(one, other):
    order = [Mood.FURIOUS, Mood.UPSET, Mood.CALM, Mood.GLAD]
    worse, better = sorted((one, other))
    assert order.index(mood_word(worse)) <= order.index(mood_word(better))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_a_sign_for_everything(language):
    assert all(texts(language).signs[sign] for sign in Sign)
