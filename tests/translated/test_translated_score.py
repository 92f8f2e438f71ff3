"""The model of translated phrasing: when it speaks, that it always says the same, and that it hears the difference."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.translated import features
from tasks.translated.features import BITS, MOST_TOKENS, WINDOW, count
from tasks.translated.score import LEAST_WORDS, default_model, model_digest, translated_score

NATIVE = """
The ferry was already late when Maud Ellery got her bike wedged in the gangway. "I'd love to tell you it was the wind,"
she says, "but honestly I just wasn't looking." Nobody much minded. It's that sort of island: thirty-odd people, one
shop, no pub since the fire, and a school that'll close for good this summer unless somebody turns up with kids. So
the council has tried something daft. It put the old harbourmaster's cottage up for rent at a quid a week, no catch,
and waited. Within a fortnight the phone had rung four hundred times. Most callers thought it was a wind-up. Ellery,
who does the council's books when she isn't mending engines, worked through the lot of them over a weekend and a fair
bit of whisky. "You get a nose for the dreamers," she says.
"""
TRANSLATED = """
The relevant person in charge of the county said that the construction of the new reservoir has been carried out
smoothly since the beginning of this year, and at present the main part of the project has been completed by more than
eighty percent. In the next step, the county will further strengthen the organization and leadership, make every effort
to promote the progress of the project, and ensure that the water supply of the masses in the villages along the line
is effectively guaranteed. It is understood that after the completion of the project, it will play an important role in
flood control and drought relief, and at the same time will vigorously promote the development of local characteristic
industries, so that the farmers can increase their income and the ecological environment can be continuously improved.
"""


def test_hears_phrasing_that_machines_leave() -> None:
    native, translated = translated_score(NATIVE, "en"), translated_score(TRANSLATED, "en")
    assert native is not None
    assert translated is not None
    assert native < 0.2 < 0.8 < translated


@pytest.mark.parametrize(("text", "language"), [(TRANSLATED, "fr"), (TRANSLATED, "und"), ("", "en")])
def test_says_nothing_of_what_it_does_not_know(text: str, language: str) -> None:
    assert translated_score(text, language) is None


def test_says_nothing_of_few_words() -> None:
    words = TRANSLATED.split()
    assert translated_score(" ".join(words[: LEAST_WORDS - 1]), "en") is None
    assert translated_score(" ".join(words[:LEAST_WORDS]), "en-GB") is not None


def test_few_windows_move_it_less_than_many() -> None:
    once, often = translated_score(TRANSLATED, "en"), translated_score(TRANSLATED * 4, "en")
    assert once is not None
    assert often is not None
    assert once < often


def test_dashes_and_quotes_of_a_site_say_nothing() -> None:
    curly = NATIVE.replace(' "', " “").replace('"', "”").replace("'", "’")
    assert translated_score(curly, "en") == translated_score(NATIVE, "en")


@given(st.text(max_size=400) | st.text(alphabet="ab \n.'’“", min_size=150, max_size=900))
def test_any_text_gets_a_probability_or_nothing(text: str) -> None:
    score = translated_score(text, "en")
    assert score is None or 0 <= score <= 1
    assert score == translated_score(text, "en")


@given(st.text(max_size=2_000))
def test_windows_are_counted_whole(text: str) -> None:
    counted = count(text)
    assert counted.windows == max(1, round(len(features.tokens(text)) / WINDOW))
    assert ((counted.bucket >= 0) & (counted.bucket < 1 << BITS)).all()
    lengths = np.bincount(counted.window, counted.weight**2, counted.windows)
    assert np.allclose(lengths[lengths > 0], 1)


def test_of_a_long_text_the_beginning_is_read() -> None:
    assert len(features.tokens("word " * 10 * MOST_TOKENS)) == MOST_TOKENS


def test_the_model_is_small_and_the_one_its_card_tells_of() -> None:
    card = (Path(__file__).parents[2] / "docs" / "translated-score.md").read_text(encoding="utf-8")
    assert model_digest() in card
    assert default_model().weights.nbytes <= 1 << 20
