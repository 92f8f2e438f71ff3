import pickle
from pathlib import Path

import pytest

from flows.topics import EXAMPLE
from tasks.language import load_profiles
from tasks.language_tags import tag_in_rows
from tasks.topics.watchlists import WatchlistError, Watchlists, read_watchlists

HEAD = '[watch.ports]\nlabel = "Ports"\n'


def lists(text: str) -> Watchlists:
    return read_watchlists(text, "watchlists.toml")


def test_a_list_takes_its_id_from_its_table() -> None:
    (found,) = lists(HEAD + 'phrases = ["port*", "harbour"]\niptc = ["medtop:20000343"]').lists
    assert (found.id, found.label, found.phrases) == ("watch:ports", "Ports", ("port*", "harbour"))


def test_the_example_can_be_read() -> None:
    assert len(lists(EXAMPLE.read_text(encoding="utf-8")).lists) == 3


def test_an_empty_file_holds_no_lists() -> None:
    assert lists("# nothing yet\n").lists == ()


def test_the_digest_tells_what_is_looked_for_not_how_it_is_written() -> None:
    one = HEAD + 'phrases = ["port"]\n[watch.locks]\nlabel = "Locks"\nexact = ["Schleuse"]\n'
    other = (
        '# Locks first\n[watch.locks]\nexact = ["Schleuse"]\nlabel = "Locks"\n' + HEAD + 'phrases = [\n  "port",\n]\n'
    )
    assert lists(one) == lists(other)
    assert lists(one) != lists(one.replace('"port"', '"ports"'))
    assert lists(one) != lists(one.replace("Locks", "Sluices"))


def test_languages_are_those_of_rows() -> None:
    written = ["en", "zh", "zh-Hans", "zh-Hant", "pt", "pt-BR", "no", "haw"]
    (found,) = lists(HEAD + f'phrases = ["port"]\nlanguages = {written}').lists
    assert found.languages == tuple(written)


def test_every_profile_of_the_detector_is_a_language_of_rows() -> None:
    assert [tag for tag in load_profiles().languages if tag_in_rows(tag) != tag] == []


def test_lists_travel_between_processes() -> None:
    made = lists(HEAD + 'phrases = ["port"]')
    assert pickle.loads(pickle.dumps(made)).lists == made.lists


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[watch.ports", "not valid TOML"),
        ("ports = 1", "`ports` is unknown here"),
        ("watch = 1", "`watch` is no table"),
        ("[watch]\nports = 1", r"\[watch.ports\] is no table"),
        ('[watch."Ports!"]\nlabel = "x"', "small letters, digits and hyphens"),
        ('[watch.ports]\nphrases = ["port"]', "`label` is missing"),
        (HEAD, "looks for nothing"),
        (HEAD + "phrases = []", "looks for nothing"),
        (HEAD + 'phrases = [""]', "neither a letter nor a digit"),
        (HEAD + 'phrases = ["a"]\n' + HEAD, "not valid TOML: Cannot declare"),
        (HEAD + 'phrases = ["port"]\nlanguages = ["eng"]', "no row has 'eng'; articles in it have 'en'"),
        (HEAD + 'phrases = ["port"]\nlanguages = ["zh-CN"]', "no row has 'zh-CN'; articles in it have 'zh-Hans'"),
        (HEAD + 'phrases = ["port"]\nlanguages = ["de-AT"]', "no row has 'de-AT'; articles in it have 'de'"),
        (HEAD + 'phrases = ["port"]\nlanguages = ["zh-hant"]', "articles in it have 'zh-Hant'"),
        (HEAD + 'phrase = ["port"]', "unknown key `phrase`; did you mean `phrases`"),
        (HEAD + 'phrases = "port"', "it is a list of texts"),
        (HEAD + 'phrases = ["…"]', "neither a letter nor a digit"),
        (HEAD + 'phrases = ["port *"]', "a star by itself"),
        (HEAD + "patterns = ['(']", "no regular expression"),
        (HEAD + "patterns = ['(x+x+)+y']", "may take too long: it has a repetition in a repetition"),
        (HEAD + "patterns = ['x{99999999999999999999}']", "no regular expression"),
        (HEAD + 'phrases = ["a*b*c*d*"]', "more than 3 stars in a word"),
        (HEAD + "patterns = ['x*']", "finds the empty text"),
        (HEAD + 'near = ["port"]', r"`near\[1\]` is no table"),
        (HEAD + 'near = { a = ["port"], b = ["strike"] }', "it is a list of tables"),
        (HEAD + 'near = [{ a = ["port"] }]', r"`near\[1\].b` is missing"),
        (HEAD + 'near = [{ a = ["port"], b = ["strike"], within = 0 }]', r"`near\[1\].within` = 0"),
        (HEAD + 'near = [{ a = ["port"], b = ["strike"], with = 5 }]', r"`near\[1\].with`; did you mean `within`"),
        (HEAD + 'phrases = ["port"]\nlanguages = ["English"]', "`languages`: 'English' is not a language tag"),
        (HEAD + 'phrases = ["port"]\niptc = ["medtop:1"]', "`iptc`: 'medtop:1' is not a topic of IPTC"),
    ],
)
def test_what_is_wrong_is_named(text: str, complaint: str) -> None:
    with pytest.raises(WatchlistError, match=complaint) as raised:
        lists(text)
    assert str(raised.value).startswith("watchlists.toml: ")
    assert "\n" not in str(raised.value).partition("TOML")[0]


def test_the_example_says_every_key() -> None:
    written = Path(EXAMPLE).read_text(encoding="utf-8")
    for key in ("label", "phrases", "exact", "patterns", "near", "except", "unless", "languages", "iptc"):
        assert f"\n# {key} " in written


def test_the_list_in_the_documentation_can_be_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "topics.md").read_text(encoding="utf-8")
    (found,) = lists(page.partition("```toml\n")[2].partition("```")[0]).lists
    assert (found.id, found.patterns) == ("watch:port-strikes", (r"\bLocal \d+",))
