import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.fingerprint import NearDuplicate, fingerprint, near_duplicates

START = datetime(2024, 3, 1, tzinfo=UTC)

NOUNS = ("council", "river", "bridge", "market", "harbour", "school", "forest", "engine", "garden", "letter", "window")
VERBS = ("opened", "closed", "repaired", "painted", "crossed", "counted", "praised", "moved", "watched", "measured")
ADJECTIVES = ("old", "narrow", "quiet", "costly", "famous", "wooden", "northern", "empty", "crowded", "green", "late")


@dataclass(frozen=True)
class Story:
    id: str
    published_at: datetime
    fingerprint: bytes


def prose(seed: int, sentences: int = 24) -> str:
    """Return a text of its own for each seed."""
    rnd = random.Random(seed)
    return " ".join(
        f"The {rnd.choice(ADJECTIVES)} {rnd.choice(NOUNS)} {rnd.choice(VERBS)} a {rnd.choice(ADJECTIVES)} "
        f"{rnd.choice(NOUNS)} near the {rnd.choice(NOUNS)} while the {rnd.choice(NOUNS)} {rnd.choice(VERBS)} it."
        for _ in range(sentences)
    )


def story(name: str, text: str, hours: float = 0) -> Story:
    return Story(name, START + timedelta(hours=hours), fingerprint(text))


def pairs(*stories: Story, window_days: int = 30) -> dict[str, str]:
    return {found.id: found.original_id for found in near_duplicates(stories, window_days)}


def test_an_exact_reprint() -> None:
    found = near_duplicates([story("a", prose(1)), story("b", prose(1), 5), story("c", prose(2), 6)])
    assert found == [NearDuplicate(id="b", original_id="a", contained=1.0, containing=1.0)]


def test_agency_furniture_around_the_text() -> None:
    furnished = f"LONDON, Jan 3 (Agency) - {prose(1)} Read more: related stories. All rights reserved."
    assert pairs(story("a", prose(1)), story("b", furnished, 1)) == {"b": "a"}


def test_a_text_cut_to_a_third() -> None:
    cut = ". ".join(prose(1).split(". ")[:8])
    assert pairs(story("a", prose(1)), story("b", cut, 1)) == {"b": "a"}


def test_the_longer_text_can_be_the_reprint() -> None:
    cut = ". ".join(prose(1).split(". ")[:8])
    assert pairs(story("a", cut), story("b", prose(1), 1)) == {"b": "a"}


def test_a_lightly_edited_text() -> None:
    edited = " ".join(word if place % 19 else "newly" for place, word in enumerate(prose(1).split()))
    assert pairs(story("a", prose(1)), story("b", edited, 1)) == {"b": "a"}


def test_typography_does_not_matter() -> None:
    plain = f'{prose(1)} "It cost 12,500 euros", she said - twice.'
    retyped = f"{prose(1).upper()} “It cost 12500 euros”, she said — twice."
    assert fingerprint(plain) == fingerprint(retyped)


def test_other_texts_are_not_duplicates() -> None:
    assert pairs(*(story(f"s{seed}", prose(seed), seed) for seed in range(30))) == {}


def test_a_template_with_other_numbers_is_not_a_reprint() -> None:
    report = prose(1) + " Wheat rose {} points to {}, maize {} to {}, with {} tonnes in {} ships."
    monday = report.format(11, 203, 14, 177, 5200, 31)
    tuesday = report.format(18, 221, 25, 152, 6400, 47)
    assert pairs(story("a", monday), story("b", tuesday, 24)) == {}
    assert pairs(story("a", monday), story("b", monday + " Rain fell.", 24)) == {"b": "a"}


def test_reprints_of_reprints_lead_to_the_first() -> None:
    half = ". ".join(prose(1).split(". ")[:12])
    end = ". ".join(prose(1).split(". ")[6:])
    stories = [story("first", prose(1)), story("half", half, 1), story("end", end, 2)]
    assert pairs(*stories) == {"half": "first", "end": "first"}


def test_a_text_made_of_two_stories_does_not_tie_them() -> None:
    river, school = prose(1), prose(2, sentences=10)
    stories = [story("river", river), story("both", f"{school} {river}", 1), story("school", school, 2)]
    assert pairs(*stories) == {"both": "river", "school": "both"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (prose(1), "reprint"),
        (f"LONDON, Jan 3 (Agency) - {prose(1)} All rights reserved.", "reprint"),
        (prose(1, sentences=10), "excerpt"),
        (f"{prose(1)} {prose(2)}", "extension"),
        (f"{prose(2, sentences=12)} {prose(1, sentences=14)}", "reworking"),
    ],
    ids=["same", "furnished", "cut", "longer", "mixed"],
)
def test_its_kind_says_what_a_retelling_made_of_the_original(text: str, kind: str) -> None:
    (found,) = near_duplicates([story("a", prose(1)), story("b", text, 1)])
    assert found.kind == kind
    assert found.similarity == max(found.contained, found.containing) >= 0.5


def test_of_one_instant_the_smaller_id_is_the_original() -> None:
    assert pairs(story("b", prose(1)), story("a", prose(1))) == {"b": "a"}


def test_outside_the_window_nothing_is_tied() -> None:
    old, new = story("old", prose(1)), story("new", prose(1), 24 * 8)
    assert pairs(old, new, window_days=7) == {}
    assert pairs(old, new, window_days=8) == {"new": "old"}


def test_words_that_stand_in_too_many_documents_do_not_count() -> None:
    furniture = prose(99, sentences=30)
    stories = [story(f"s{seed:02}", prose(seed, 2) + furniture, seed) for seed in range(45)]
    assert pairs(*stories) == {}
    assert pairs(*stories[:3]) == {"s01": "s00", "s02": "s00"}


def test_chinese_is_compared_by_characters() -> None:
    text = "今天市政府宣布将在河边修建一座新的图书馆，预计明年秋天向市民开放。馆长表示，馆内将设有音乐厅和儿童阅览室"
    other = "气象台预计周末有大雪，北部山区道路可能结冰，请司机减速慢行并携带防滑链，学校将视情况停课一天。"
    stories = (story("a", text), story("b", text + other[:9], 1), story("c", other, 2))
    assert pairs(*stories) == {"b": "a"}


@pytest.mark.parametrize("text", ["", "One.", "Rain", "!!!"])
def test_very_short_texts_are_never_duplicates(text: str) -> None:
    assert pairs(story("a", text), story("b", text, 1)) == {}


def test_no_documents_no_duplicates() -> None:
    assert near_duplicates([]) == []


def test_an_ordinary_article_takes_less_than_800_bytes() -> None:
    assert len(fingerprint(prose(1, sentences=20))) < 800


def variants(seed: int) -> Sequence[Story]:
    sentences = prose(seed).split(". ")
    cuts = (sentences, sentences[:10], sentences[5:], sentences[::-1], sentences[:20])
    return [story(f"{seed}-{n}", ". ".join(cut), (seed * 7 + n * 3) % 11) for n, cut in enumerate(cuts)]


@given(st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_result(rnd: random.Random) -> None:
    stories = [one for seed in range(4) for one in variants(seed)]
    shuffled = rnd.sample(stories, len(stories))
    assert sorted(near_duplicates(shuffled), key=lambda d: d.id) == sorted(near_duplicates(stories), key=lambda d: d.id)


def test_sorting_in_parts_gives_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    stories = [one for seed in range(12) for one in variants(seed)]
    whole = near_duplicates(stories)
    monkeypatch.setattr("tasks.fingerprint._SORTED_AT_ONCE", 50)
    assert near_duplicates(stories) == whole != []


@given(st.randoms(use_true_random=False))
def test_what_was_published_at_other_times_changes_nothing(rnd: random.Random) -> None:
    furniture = prose(99, sentences=8)
    stories = [
        story(f"{seed}-{n}", prose(seed, 6) + " " + (furniture if n % 2 else prose(seed, 9)), rnd.uniform(0, 24 * 300))
        for seed in range(6)
        for n in range(12)
    ]
    all_found = {found.id: found for found in near_duplicates(stories, 20)}
    start, end = START + timedelta(days=100), START + timedelta(days=200)
    near = [each for each in stories if start - timedelta(days=40) <= each.published_at <= end + timedelta(days=20)]
    near_found = {found.id: found for found in near_duplicates(near, 20)}
    for each in stories:
        if start <= each.published_at <= end:
            assert near_found.get(each.id) == all_found.get(each.id)


@given(st.text())
def test_any_text_has_a_fingerprint(text: str) -> None:
    assert fingerprint(text) == fingerprint(text)
    assert near_duplicates([story("a", text)]) == []
