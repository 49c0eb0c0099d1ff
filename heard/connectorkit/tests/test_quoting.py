"""The new part of an answer by mail, and the history below it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.connectorkit.quoting import split_quoted

NEW = "Thank you, that helped.\n\nAnna\n\n"

MARKS = {
    "english": "On Mon, 2 Mar 2026 at 09:30, Nordwind <care@nordwind.example> wrote:\n> We looked.\n",
    "english, broken": "On 2 Mar 2026 at 09:30, Nordwind\n<care@nordwind.example> wrote:\n\n> We looked.\n",
    "english, unmarked lines": "On 2 March Nordwind wrote:\n\nWe looked.\nIt is on its way.\n",
    "german": "Am 02.03.2026 um 09:30 schrieb Nordwind <care@nordwind.example>:\n> Wir haben geschaut.\n",
    "german, Thunderbird's older": "Nordwind schrieb am 02.03.26 um 09:30:\n> Wir haben geschaut.\n",
    "french": "Le lun. 2 mars 2026 à 09:30, Nordwind <care@nordwind.example> a écrit :\n> Nous cherchons.\n",
    "spanish": "El lun, 2 mar 2026 a las 9:30, Nordwind (<care@nordwind.example>) escribió:\n> Buscamos.\n",
    "outlook": "__________\nFrom: Nordwind\nSent: Monday\nTo: Anna\n\nWe looked.\n> older\nyours\n",
    "outlook, german": "Von: Nordwind\nGesendet: Montag\nAn: Anna\nBetreff: Paket\n\nWir haben geschaut.\n",
    "outlook, french": "De : Nordwind\nEnvoyé : lundi\nÀ : Anna\nObjet : Colis\n\nNous cherchons.\n",
    "outlook, bold": "*De:* Nordwind\n*Enviado:* lunes\n*Para:* Anna\n*Asunto:* Paquete\n\nBuscamos.\n",
    "ruled off": "-----Original Message-----\nFrom: Nordwind\n\nWe looked.\n",
    "ruled off, german": "----- Ursprüngliche Nachricht -----\nWir haben geschaut.\n",
    "only marked lines": "> We looked.\n>\n> It is on its way.\n",
}


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
def test_the_history_is_split_off(mark):
    assert split_quoted(NEW + mark) == (NEW, mark)


@pytest.mark.parametrize(
    "text",
    [
        "Nothing happened.\nOn Tuesday I wrote:\nplease answer.\n",
        "From: my point of view this is wrong.\nTo be honest, I am cross.\n",
        "Am Montag schrieb ich Ihnen. Bitte antworten Sie.\n",
        "Le colis est perdu.\n",
        "",
        "\n\n",
    ],
)
def test_prose_is_no_history(text):
    assert split_quoted(text) == (text, "")


def test_answers_between_the_lines_stay_with_what_they_answer():
    text = "See below.\n\nOn Monday, Nordwind wrote:\n> Which colour?\nBlue.\n> Which size?\nLarge.\n"
    assert split_quoted(text) == (text, "")


def test_a_mail_that_was_only_passed_on_is_shown():
    text = "-----Original Message-----\nFrom: Nordwind\n\nWe looked.\n"
    assert split_quoted(text) == (text, "")


@given(st.lists(st.sampled_from([*MARKS.values(), NEW, "> q\n", "\n", "x", "From: a\nTo: b\n", "\u2028"])))
def test_nothing_is_lost(pieces):
    text = "".join(pieces)
    new, quoted = split_quoted(text)
    assert new + quoted == text
    assert bool(new.strip()) or not text.strip()


@given(st.text())
def test_it_never_fails(text):
    assert "".join(split_quoted(text)) == text


def test_a_hostile_text_costs_no_more_than_its_length():
    began_at = time.monotonic()
    split_quoted("On " + "Am schrieb " * 30 + "\n" + ("On " + "x" * 390 + "\n") * 1_000 + "> \n" * 50_000)
    split_quoted("From: \n" * 50_000)
    assert time.monotonic() - began_at < 5
