from collections.abc import Iterator
from itertools import pairwise
from math import log2
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.documents import Topic
from tasks.topics.lexicon import default_entries, read_lexicon
from tasks.topics.linear import default_model, features
from tasks.topics.matcher import LEAD_FACTOR, Document, Matcher
from tasks.topics.shares import brief_strengths, shares_of
from tasks.topics.tagger import MOST_FINE, Tagger, default_tagger
from tasks.topics.taxonomy import taxonomy

LANGUAGES = ("en", "fr", "de", "es", "pt", "zh", "ja", "ar", "tr", "und")
SAMPLES = [
    line.split("\t")
    for line in (Path(__file__).parent / "samples.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]

phrases = st.sampled_from(sorted({entry.phrase.strip("*") for entry in default_entries()}))
texts = st.lists(st.one_of(phrases, st.text(max_size=12)), max_size=30).map(" ".join)


def setup_module() -> None:
    """Read the lexicons before any test is timed."""
    for language in LANGUAGES:
        default_tagger().tag("", "", language)
    _FRESH.tag("", "", "en")


def tag(text: str, language: str = "en", title: str = "") -> dict[str, Topic]:
    return {topic.label: topic for topic in default_tagger().tag(title, text, language)}


def evidence(text: str, label: str, language: str = "en") -> list[str]:
    topics = tag(text, language)
    return [found.phrase for found in topics[label].evidence] if label in topics else []


def tops_of_samples() -> Iterator[tuple[str, str, str]]:
    for top, language, title, text in SAMPLES:
        found = [topic.id for topic in default_tagger().tag(title, text, language) if taxonomy()[topic.id].is_top]
        yield top, title, found[0] if found else ""


@given(texts, texts, st.sampled_from(LANGUAGES))
def test_evidence_stands_where_it_says(title: str, text: str, language: str) -> None:
    fields = {"title": title, "text": text}
    for topic in default_tagger().tag(title, text, language):
        for found in topic.evidence:
            assert fields[found.field][found.start : found.start + len(found.phrase)] == found.phrase
            assert found.phrase


@given(texts, st.sampled_from(LANGUAGES))
def test_scores_fall_and_keep_within_bounds(text: str, language: str) -> None:
    topics = default_tagger().tag("", text, language)
    assert all(0 < topic.score <= 1 for topic in topics)
    assert all(one.score >= next_.score for one, next_ in pairwise(topics))


@given(texts, st.sampled_from(LANGUAGES))
def test_ancestors_are_filled_in(text: str, language: str) -> None:
    topics = {topic.id: topic for topic in default_tagger().tag("", text, language)}
    for topic in topics.values():
        for ancestor in taxonomy().lineage(topic.id):
            assert topics[ancestor].score >= topic.score


@given(texts, st.sampled_from(LANGUAGES))
def test_at_most_eight_fine_topics_that_imply_the_rest(text: str, language: str) -> None:
    ids = {topic.id for topic in default_tagger().tag("", text, language)}
    implied = {step for medtop in ids for step in taxonomy().lineage(medtop)[1:]}
    assert len([medtop for medtop in ids - implied if not taxonomy()[medtop].is_top]) <= MOST_FINE


@given(texts)
def test_a_second_tagger_says_the_same(text: str) -> None:
    fresh = _FRESH.tag("", text, "en")
    assert fresh == default_tagger().tag("", text, "en")


_FRESH = Tagger(default_entries(), taxonomy(), default_model())


@pytest.mark.parametrize("top", taxonomy().tops)
def test_there_are_three_samples_of_each_top(top: str) -> None:
    assert len([sample for sample in SAMPLES if f"medtop:{sample[0]}" == top]) >= 3


def test_samples_are_tagged_as_an_editor_would() -> None:
    missed = [(title, found) for top, title, found in tops_of_samples() if found != f"medtop:{top}"]
    assert len(missed) <= 0.1 * len(SAMPLES), missed


def test_text_about_nothing_has_no_topics() -> None:
    assert default_tagger().tag("", "", "en") == ()
    assert default_tagger().tag("", "qwx zzyq", "en") == ()


def test_title_counts_more_than_text() -> None:
    in_title = tag("Nothing else.", title="An earthquake")["earthquake"].score
    in_text = tag("An earthquake. Nothing else.")["earthquake"].score
    assert in_title > in_text


def test_finds_words_not_parts_of_words() -> None:
    assert "police" in evidence("The police came.", "police")
    assert not evidence("The policewear came.", "police")


def test_open_phrases_find_compounds() -> None:
    assert evidence("Der Erdbebenschutz war gut.", "earthquake", "de") == ["Erdbeben"]


def test_chinese_needs_no_spaces() -> None:
    assert evidence("昨晚发生地震造成伤亡", "earthquake", "zh") == ["地震"]


def test_latin_names_in_chinese_keep_their_edges() -> None:
    assert evidence("昨晚NBA比赛", "basketball", "zh") == ["NBA"]
    assert not evidence("昨晚XNBAX比赛", "basketball", "zh")


def test_capitals_tell_acronyms_from_words() -> None:
    assert evidence("Patients with AIDS were treated.", "HIV and AIDS") == ["AIDS"]
    assert not evidence("The patient aids his doctor.", "HIV and AIDS")


def test_longer_phrases_swallow_shorter_ones() -> None:
    assert not evidence("Clashes in the West Bank between soldiers.", "banking")
    assert evidence("The bank raised its loan rates.", "banking")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("She sat on the river bank and watched the match against the light.", "banking"),
        ("The tennis court was dry and the players were happy with the tournament.", "court"),
    ],
)
def test_ambiguous_words_do_not_mislead(text: str, wrong: str) -> None:
    topics = tag(text)
    assert wrong not in topics or topics[wrong].score < 0.2


def test_languages_without_a_lexicon_leave_less_to_none_of_these() -> None:
    assert any(entry.is_word for entry in default_entries() if entry.language == "ja")
    labels_only = [entry for entry in default_entries() if entry.language in ("nb", "any")]
    assert labels_only
    assert not any(entry.is_word for entry in labels_only)


def test_languages_without_a_lexicon_know_names() -> None:
    assert evidence("NASA Mars'a yeni bir araç gönderiyor.", "space exploration", "tr")


def test_two_capitals_are_no_name_in_a_language_without_a_lexicon() -> None:
    assert not evidence("AI lombuso uthe", "artificial intelligence", "zu")


def test_a_longer_phrase_says_of_its_top_topic_what_the_words_in_it_say() -> None:
    lines = [
        "13000000 science and technology",
        "    en: computer=1",
        "20000226 computer and telecommunications hardware",
    ]
    entries = tuple(read_lexicon([*lines, "    en fine: computer maker=1.3"], taxonomy()))
    found = Tagger(entries, taxonomy()).find(Document.of("", "A computer maker."), "en")
    assert found.tops["medtop:13000000"].clear == pytest.approx(1.0 * log2(1 + LEAD_FACTOR))
    assert found.tops["medtop:04000000"].total < found.tops["medtop:13000000"].total
    assert found.topics["medtop:20000226"].clear > found.tops["medtop:04000000"].total


def test_languages_with_labels_only_know_them_and_names() -> None:
    assert evidence("NASA meldte om et jordskjelv.", "earthquake", "no") == ["jordskjelv"]
    assert evidence("NASA meldte om et jordskjelv.", "space exploration", "no") == ["NASA"]


def test_regional_tags_share_a_lexicon() -> None:
    assert tag("O furacão chegou.", "pt-PT") == tag("O furacão chegou.", "pt-BR")


def test_what_the_model_alone_sees_has_the_words_that_told_it() -> None:
    topics = default_tagger().tag("", "Gli scienziati hanno scoperto una nuova specie di dinosauro.", "it")
    assert topics[0].id == "medtop:13000000"
    assert "specie" in [found.phrase for found in topics[0].evidence]


def test_the_model_tells_pairs_of_characters_where_words_have_no_spaces() -> None:
    topics = default_tagger().tag("", "นักวิทยาศาสตร์ค้นพบดาวเคราะห์", "th")
    assert all(len(found.phrase) == 2 for topic in topics for found in topic.evidence)


def test_the_model_sees_international_relations_where_no_phrase_speaks_for_them() -> None:
    topics = tag("The prime minister of Bangladesh arrives in Myanmar and meets her counterpart.")
    assert topics["international relations"].evidence
    assert "international relations" not in tag("The prime minister lost the vote on the schools bill.")


def test_a_brief_is_judged_by_the_model_and_the_same_with_a_title_by_the_lexicon() -> None:
    text = "A bomb explodes in a church, killing three people."
    brief, article = default_tagger().tag("", text, "en"), default_tagger().tag("Church", text, "en")
    assert brief[0].label in ("conflict, war and peace", "crime, law and justice")
    assert article[0].label == "religion"


def test_a_brief_in_a_language_that_the_model_does_not_know_is_judged_by_the_lexicon() -> None:
    matter = Document.of("", "NASA meldte om et jordskjelv.")
    assert default_tagger().find(matter, "no").others is None
    assert default_tagger().find(matter, "sv").others is not None


def test_a_brief_may_be_about_what_the_model_was_never_taught() -> None:
    assert "education" in tag("Teachers at three primary schools got new textbooks for their pupils.")
    assert taxonomy().search("education")[0].id not in default_model().topics


def test_shares_and_what_is_none_of_these_are_a_whole() -> None:
    shares = shares_of({"a": 0.0, "b": 0.0}, unknown=1.0)
    assert shares == {"a": pytest.approx(1 / 3), "b": pytest.approx(1 / 3)}


def test_what_the_model_thinks_of_others_moves_the_untaught_alone() -> None:
    low = brief_strengths(("taught", "untaught"), {}, {"taught": 1.0}, others=-1.0)
    high = brief_strengths(("taught", "untaught"), {}, {"taught": 1.0}, others=1.0)
    assert low["taught"] == high["taught"]
    assert low["untaught"] < high["untaught"]


def test_model_says_nothing_of_unknown_words() -> None:
    assert default_model().opinion(" qwxzzyq ", spaced=True) == {}


@given(st.text(), st.booleans())
def test_features_come_from_any_text(text: str, spaced: bool) -> None:
    assert all(features(text, spaced=spaced))


def test_reads_the_beginning_of_a_very_long_text() -> None:
    assert "earthquake" not in tag("word " * 20_000 + "earthquake")


def test_phrases_that_end_in_a_full_stop_are_found_at_the_end_of_a_text() -> None:
    assert "U.N" in evidence("Troops under the flag of the U.N.", "international relations")
    assert tag("Troops under the flag of the U N") is not None


def test_a_matcher_without_phrases_finds_nothing() -> None:
    assert Matcher([], {}, spaced=True).hits(Document.of("title", "text")) == {}
