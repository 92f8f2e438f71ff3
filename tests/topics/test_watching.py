import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.topics.tagger import default_tagger
from tasks.topics.watching import MOST_EVIDENCE, topics_of, watched
from tasks.topics.watchlists import read_watchlists

WORDS = ("dock", "Docks", "dockers", "STRIKE", "strike price", "port", "ILA", "ila", "罢工", "7", "-", "\n\n", "É", ".")
texts = st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=4)), max_size=25).map(" ".join)
EVERYTHING = """
phrases = ["dock*", "罢工", "é"]
exact = ["ILA"]
patterns = ['\\d']
near = [{ a = ["port*"], b = ["strike"], within = 3 }]
except = ["strike price"]
"""


def found(body: str, text: str, title: str = "", language: str = "en") -> list[str]:
    """Return the phrases by which a text is on a list that is written like this."""
    lists = read_watchlists(f'[watch.mine]\nlabel = "Mine"\n{body}', "mine.toml")
    return [place.phrase for topic in watched(title, text, language, lists) for place in topic.evidence]


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("harbour", "The Harbour is closed, the harbours are not.", ["Harbour"]),
        ("harbour*", "The harbours are closed.", ["harbours"]),
        ("dock* strike*", "Dockers’ strikes went on.", ["Dockers’ strikes"]),
        ("*hafen", "Der Großhafen ruht.", ["Großhafen"]),
        ("*hafen*", "Die Hafenstraße, der Großhafenbau.", ["Hafenstraße", "Großhafenbau"]),
        ("U.S. Steel", "Sold: U.S. Steel.", ["U.S. Steel"]),
        ("port closure", "A port-closure came.", ["port-closure"]),
        ("port closure", "He reached the port.\n\nClosure came later.", []),
        ("port", "An important report.", []),
        ("罢工", "昨日罢工继续", ["罢工"]),
        ("NBA", "昨晚NBA比赛", ["NBA"]),
        ("R&D", "Spending on R&D rose.", ["R&D"]),
        ("a.c*d", "a.c and a b", []),
        ("हड़ताल", "बंदरगाह पर हड़ताल जारी", ["हड़ताल"]),
        ("हड़त", "बंदरगाह पर हड़ताल जारी", []),
    ],
)
def test_phrases(phrase: str, text: str, expected: list[str]) -> None:
    assert found(f'phrases = ["{phrase}"]', text) == expected


@pytest.mark.parametrize(("text", "expected"), [("The ILA met.", ["ILA"]), ("the ila met", []), ("The Ila met.", [])])
def test_exact_phrases_keep_their_capitals(text: str, expected: list[str]) -> None:
    assert found('exact = ["ILA"]', text) == expected


def test_exact_phrases_know_stars_too() -> None:
    assert found('exact = ["Port of *"]'.replace(" *", " T*"), "Port of Tyne, port of Tees") == ["Port of Tyne"]


def test_patterns_see_the_text_as_stored() -> None:
    assert found("patterns = ['Local\\s+\\d+$', '(?i)local 7']", "Local 12", title="LOCAL 7") == ["LOCAL 7", "Local 12"]


def test_patterns_see_one_line_at_a_time() -> None:
    assert found("patterns = ['^Port$', 'port\\s+closed']", "The port\n\nclosed. The port closed.\nPort") == [
        *("port closed", "Port")
    ]


def test_lists_whose_patterns_cannot_match_are_still_found_by_phrases() -> None:
    body = "patterns = ['euros?']\nphrases = [\"harbour\"]"
    assert found(body, "The harbour.") == ["harbour"]
    assert found(body, "A euro.") == ["euro"]


@pytest.mark.parametrize(
    ("within", "text", "expected"),
    [
        (3, "A strike at the port.", ["strike at the port"]),
        (2, "A strike at the port.", []),
        (1, "A port strike.", ["port strike"]),
        (9, "The port.\n\nA strike.", []),
        (2, "港口罢工", []),
    ],
)
def test_combinations_stay_within_so_many_words(within: int, text: str, expected: list[str]) -> None:
    assert found(f'near = [{{ a = ["port"], b = ["strike"], within = {within} }}]', text) == expected


def test_sides_of_a_combination_may_come_often() -> None:
    body = 'near = [{ a = ["port*", "dock*"], b = ["strike*", "walkout*"], within = 2 }]'
    assert found(body, "port dock strike " * 2000)[:2] == ["port dock strike", "dock strike"]


def test_where_words_are_not_spaced_each_character_counts() -> None:
    def near(within: int) -> list[str]:
        return found(f'near = [{{ a = ["港口"], b = ["罢工"], within = {within} }}]', "港口昨日罢工")

    assert (near(3), near(2)) == (["港口昨日罢工"], [])


def test_no_combination_reaches_from_the_title_into_the_text() -> None:
    body = 'near = [{ a = ["port"], b = ["strike"], within = 5 }]'
    assert found(body, "Strike goes on", title="The port") == []


def test_what_lies_within_an_exception_does_not_count() -> None:
    body = 'phrases = ["strike"]\nexcept = ["strike price*", "hunger strike"]'
    assert found(body, "The strike price rose; a hunger strike.") == []
    assert found(body, "The strike price rose after the strike.") == ["strike"]


def test_an_article_with_what_rules_it_out_is_not_meant() -> None:
    body = 'phrases = ["strike"]\nunless = ["baseball"]'
    assert found(body, "A strike, and another.", title="Baseball") == []
    assert found(body, "A strike, and another.") == ["strike"]


@pytest.mark.parametrize(("language", "is_found"), [("pt-BR", True), ("pt", True), ("es", False), ("und", False)])
def test_only_articles_in_its_languages_are_looked_at(language: str, is_found: bool) -> None:
    assert bool(found('phrases = ["porto"]\nlanguages = ["pt"]', "O porto", language=language)) is is_found


def test_a_phrase_is_shown_once_and_not_more_than_five() -> None:
    assert found('phrases = ["port*"]', "port Port ports porter portly portal portico") == [
        *("port", "ports", "porter", "portly", "portal")
    ]


def test_the_end_of_a_long_text_is_looked_at() -> None:
    assert found('phrases = ["harbour"]', "word " * 20_000 + "harbour") == ["harbour"]


def test_lists_stand_after_the_topics_and_leave_them_as_they_are() -> None:
    lists = read_watchlists('[watch.rates]\nlabel = "Rates"\nphrases = ["interest rate*"]', "mine.toml")
    text = "The central bank raised its interest rates."
    plain, both = topics_of("", text, "en"), topics_of("", text, "en", lists)
    assert both[:-1] == plain == default_tagger().tag("", text, "en")
    assert (both[-1].id, both[-1].score) == ("watch:rates", 1.0)


@given(texts, texts, st.sampled_from(("en", "zh", "und")))
def test_evidence_stands_where_it_says(title: str, text: str, language: str) -> None:
    fields = {"title": title, "text": text}
    for topic in watched(title, text, language, _EVERYTHING):
        assert 1 <= len(topic.evidence) <= MOST_EVIDENCE
        for place in topic.evidence:
            assert fields[place.field][place.start : place.start + len(place.phrase)] == place.phrase


_EVERYTHING = read_watchlists(f'[watch.mine]\nlabel = "Mine"\n{EVERYTHING}', "mine.toml")
