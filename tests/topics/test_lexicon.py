import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.topics.lexicon import FINE_SHARE, Casing, Entry, LexiconError, default_entries, fold, read_lexicon
from tasks.topics.taxonomy import Taxonomy, taxonomy

NO_TOPICS = Taxonomy({})


def entries(*lines: str) -> list[Entry]:
    """Read lines below one heading, without the labels of the taxonomy."""
    read = read_lexicon(["20000350 central bank", *(f"    {line}" for line in lines)], taxonomy())
    return [entry for entry in read if not entry.is_label]


@given(st.text())
def test_folding_keeps_every_place(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_english_phrases_come_with_their_plural() -> None:
    assert [entry.phrase for entry in entries("en: central bank, currency, Fed")] == [
        "central bank",
        "central banks",
        "currency",
        "currencies",
        "Fed",
        "Feds",
    ]


def test_other_languages_spell_out_their_forms() -> None:
    assert [entry.phrase for entry in entries("es: banc(o|os)")] == ["banco", "bancos"]


def test_several_words_weigh_more_than_one() -> None:
    word, phrase = entries("fr: banque, banque centrale")
    assert word.weight < phrase.weight


def test_a_written_weight_wins() -> None:
    (entry,) = entries("fr: banque=.4")
    assert entry.weight == 0.4


@pytest.mark.parametrize(
    ("phrase", "casing"), [("ECB", Casing.UPPER), ("Fed", Casing.INITIAL), ("yuan", Casing.ANY), ("*krieg", Casing.ANY)]
)
def test_capitals_ask_for_capitals(phrase: str, casing: Casing) -> None:
    (entry,) = entries(f"de: {phrase}")
    assert entry.casing is casing


def test_labels_come_after_what_the_lexicon_says_of_them() -> None:
    lines = ["20000350 central bank", "    fr: banque centrale=.1"]
    found = [e.weight for e in read_lexicon(lines, taxonomy()) if fold(e.phrase) == "banque centrale"]
    assert found == [0.1]


def test_silenced_labels_are_left_out() -> None:
    lines = ["20000350 central bank", "    labels=0"]
    assert not [entry for entry in read_lexicon(lines, taxonomy()) if entry.topic == "medtop:20000350"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("20000350 bank of banks", "not the id and English label"),
        ("99999999 nothing", "not the id and English label"),
        ("    en: money", "below a topic"),
    ],
)
def test_says_which_line_is_wrong(line: str, complaint: str) -> None:
    with pytest.raises(LexiconError, match=complaint):
        list(read_lexicon(["# a comment", line], taxonomy()))


def test_a_fine_line_speaks_less_for_the_top_topic() -> None:
    lines = ["20000296 automotive", "    en: carmaker", "    en fine: gearbox"]
    shares = {e.phrase: e.top_share for e in read_lexicon(lines, taxonomy()) if not e.is_label}
    assert shares["carmaker"] == 1
    assert shares["gearbox"] == FINE_SHARE


@pytest.mark.parametrize(
    ("phrase", "topic", "language"),
    [
        ("plattform", "medtop:20000914", "de"),
        ("gehen", "medtop:20000841", "de"),
        ("toros", "medtop:20000875", "es"),
        ("party", "medtop:20001143", "en"),
    ],
)
def test_labels_that_are_everyday_words_say_little(phrase: str, topic: str, language: str) -> None:
    meant = [e.weight for e in default_entries() if (fold(e.phrase), e.topic, e.language) == (phrase, topic, language)]
    assert meant
    assert max(meant) < 0.5


def test_says_where_a_phrase_is_missing() -> None:
    with pytest.raises(LexiconError, match="line 2: there is an empty phrase"):
        entries("en: money, , coins")


def test_the_shipped_lexicon_knows_every_top_in_seven_languages() -> None:
    known = {(taxonomy().top_of(entry.topic), entry.language) for entry in default_entries() if not entry.is_label}
    for top in taxonomy().tops:
        for language in ("en", "fr", "de", "es", "pt", "zh", "ja"):
            assert (top, language) in known


def test_no_phrase_folds_to_nothing() -> None:
    assert all(fold(entry.phrase.strip("*")).strip() for entry in default_entries())


def test_no_taxonomy_no_labels() -> None:
    assert list(read_lexicon([], NO_TOPICS)) == []
