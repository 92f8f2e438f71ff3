import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.topics.expressions import LONGEST_PIECE, STRIDE, CostlyError, expression
from tasks.topics.lexicon import fold

EVIL = (
    "(a+)+$", "(a|a)*b", "(a|aa)+$", "(.*)*x", r"(\w+)*$", "([a-zA-Z]+)*!", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y",
    "(.*a){20}", "(a?){40}a{40}", r"\w*\w*\w*\w*!", "(?:a|b|ab)*c", r"(\d+)+-", "((a*)*)*b", "(?=(a+)+$)x",
    "(?i:(A+)+)!", r"(?:\w+ ?)*\.$", r"(?s)(.|\n)*x", r"\s*\s*\s*\s*$", "(a{1,20}){1,20}b", "(?:a*?)*?b", "(?:a+){10}$",
    r"^(?:(?:\w+[.-])*\w+)+@", "(?i)(ab|[A-C]b)+!", r"(?a:\Wx|éx)*!", "(?:é|[^a])*!", "(?:(a)|b|(?(1)a|b))+c",
)  # fmt: skip
SOUND = (
    r"\b\d[\d,.]*(?: (?:million|billion))? euros?\b", r"€\s?\d", "(?i)local (?:council|government)", "strike.*port",
    r"\d+[.,]?\d*\s*(?:million|bn)", r"(?:\w+\W+){0,8}strike", r"(?:\w+\s+)*strike", ".{0,40}port.{0,40}strike",
    r"(?:\d{1,3},)+\d{3}", r"[\w.+-]+@[\w-]+\.[\w.]+", r'https?://[^\s"]+', r"(?<!\w)COP\d\d(?!\w)", "(?:foo|bar)*x",
    r"第\d+届", "[一-龥]{2,4}公司", r"(\w+) \1", r"\b(?:[A-Z][a-z]+ )+Inc\b", '"[^"]*strike[^"]*"', r"(?>a+)+$",
    "(?:a++b)+c",
)  # fmt: skip

ATOMS = ("a", "b", "ab", ".", r"\w", "[ab]", r"\s", " ", "a?", r"\b", "[^a]", "(?i:A)", "É")
written = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{}){}".format, inner, st.sampled_from(("*", "+", "?", "{0,5}", "{2,}", "*?", "{1,30}", "*+"))),
    ),
    max_leaves=8,
).filter(re.compile)
LINES = ("a" * 400, "ab" * 200, "a " * 200, "b" * 400, "aab " * 100, "É" * 399 + "!")


def spans(pattern: str, text: str) -> list[tuple[int, int]]:
    return list(expression(pattern).spans(text))


@pytest.mark.parametrize("pattern", EVIL)
def test_what_may_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(CostlyError, match="side by side"):
        expression(pattern)


@pytest.mark.parametrize("pattern", SOUND)
def test_what_one_would_write_is_taken(pattern: str) -> None:
    assert expression(pattern).compiled.pattern == pattern


@settings(max_examples=50)
@given(written, st.sampled_from(("x", "!", "$", "")))
def test_what_is_taken_comes_to_an_end(pattern: str, end: str) -> None:
    try:
        found = expression(pattern + end)
    except CostlyError:
        return
    for line in LINES:
        list(found.spans(line))


@given(written.filter(re.compile).flatmap(lambda each: st.tuples(st.just(each), st.from_regex(each))))
def test_no_match_is_missed_for_its_literals(found: tuple[str, str]) -> None:
    pattern, text = found
    with suppress(CostlyError):
        assert expression(f"(?:{pattern})").may_match(text, fold(text))


@pytest.mark.parametrize(
    ("pattern", "text", "is_found"),
    [
        ("(?i)STRIKES", "a ſtrıkes b", True),
        ("(?i)STRIKES", "a bike", False),
        ("(?i)kelvin", "\N{KELVIN SIGN}elvin", True),
        ("euros? (?:more|less)", "euro less", True),
        ("euros? (?:more|less)", "pound less", False),
        ("(?:port)?", "harbour", True),
    ],
)
def test_literals_say_whether_to_look(pattern: str, text: str, is_found: bool) -> None:
    assert expression(pattern).may_match(text, fold(text)) is is_found


def test_each_line_is_a_text_of_its_own() -> None:
    assert spans(r"^\w+$", "one\n\ntwo three\nfour") == [(0, 3), (15, 19)]
    assert spans(r"port\s+strike", "port\nstrike port strike") == [(12, 23)]


@pytest.mark.parametrize("start", [0, 1, STRIDE - 5, STRIDE, LONGEST_PIECE - 5, LONGEST_PIECE, 990])
def test_long_lines_are_looked_at_from_end_to_end(start: int) -> None:
    line = " " * start + "port" + "." * (STRIDE - 10) + "strike" + " " * (1000 - start)
    assert spans(r"port\.+strike", line) == [(start, start + STRIDE)]


def test_what_reaches_into_the_next_piece_is_found_once() -> None:
    line = "x " * (STRIDE // 2 - 5) + "port and strike and port " + "y " * 300
    assert spans("port and strike and port|and port", line) == [(STRIDE - 10, STRIDE + 14)]
