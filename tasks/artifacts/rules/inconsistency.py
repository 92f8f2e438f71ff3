"""One thing written in two ways: reported at each of its places and never mended, since the house chooses.

The places of one inconsistency belong together by what they say. Of names, a document's entries that begin with the
same letter are spellings of one name (a rule reports one name a letter); of names cut in two, those that read alike
without their stops; of Al- and El-, those that go on alike; of dates and of numbers, all of them.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, islice

from tasks.artifacts.habits import GROUPS, Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.surroundings import before, word_before
from tasks.artifacts.words import listed

_ENGLISH = frozenset({"en"})
_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"  # in full: no short form
)
_DAY_FIRST = re.compile(rf"\d(?<!\w\d)\d?(?:st|nd|rd|th)? (?:{_MONTHS}),? (?:19|20)\d\d\b")
_MONTH_FIRST = re.compile(rf"(?:{_MONTHS}) \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d\b")
_ARTICLE = re.compile(r"\b(?P<article>[AE]l)-(?P<name>[A-Z][a-z]{2,})\b")

_CUTS = (  # two words of a name follow; each begins with what is searched fast
    re.compile(r"\. (?=[A-Z][\w’'-]+ (?:(?:of|for|and|the) ){0,2}[A-Z]|(?:of|for) [A-Z])"),
    re.compile(r", of (?=[A-Z])"),
    re.compile(r", for (?=[A-Z])"),
)
_NAME_WORD = r"[A-Z][\w’'-]+"
_LINKS = ("of", "for", "and", "the")
_LINK = f"(?:{'|'.join(_LINKS)})"
_NAME_BEFORE = re.compile(rf"(?<![\w’'-])(?:{_NAME_WORD} (?:{_LINK} ){{0,2}}){{0,5}}(?:{_NAME_WORD}|{_LINK})\Z")
_NAME_AFTER = re.compile(rf"(?:{_LINK} )?{_NAME_WORD}(?: (?:{_LINK} ){{0,2}}{_NAME_WORD}){{0,5}}")
_REACH = 120
_MOST_CUTS = 200  # looked into in a document: each costs a pass over it

_POINT_DECIMALS = re.compile(r"\d(?<![\w.,]\d)\d{0,2}\.\d(?![\d.,]*\d)")
_APOSTROPHE_GROUPS = re.compile(r"\d(?<![\w.,'’]\d)\d{0,2}(?:['’]\d{3})+(?![\w'’])")
_COMMA_DECIMALS = re.compile(r"\d(?<=[a-z] \d)\d{0,2},\d{1,2}(?= (?!(?:and|or|to) \d)[a-z]|[.;]?$|[.;] )", re.MULTILINE)
_TWO_DIGITS = tuple(f"{number:02}" for number in range(100))
_BEFORE_AN_AMOUNT = frozenset(
    {
        "about",
        "around",
        "at",
        "averaged",
        "by",
        "from",
        "is",
        "nearly",
        "of",
        "only",
        "over",
        "than",
        "to",
        "under",
        "was",
    }
)

Places = Iterator[tuple[int, int, str | None]]


def _names(text: str, habits: Habits) -> Places:
    """Yield the places of the names that the document writes in two ways."""
    if names := habits.names_in_two_spellings:
        for match in re.finditer(rf"\b(?:{'|'.join(sorted(names))})\b", text):
            yield match.start(), match.end(), None


def _articles(text: str, habits: Habits) -> Places:
    """Yield the places of names that the document writes both with Al- and with El-."""
    seen: dict[str, set[str]] = defaultdict(set)
    for match in _ARTICLE.finditer(habits.text):
        seen[match["name"]].add(match["article"])
    for match in _ARTICLE.finditer(text):
        if len(seen[match["name"]]) > 1:
            yield match.start(), match.end(), None


def _dates(text: str, habits: Habits) -> Places:
    """Yield the full dates of a document that sets the day first here and the month first there."""
    if _DAY_FIRST.search(habits.text) and _MONTH_FIRST.search(habits.text):
        for match in sorted((*_DAY_FIRST.finditer(text), *_MONTH_FIRST.finditer(text)), key=re.Match.start):
            yield match.start(), match.end(), None


def _cut_names(text: str, habits: Habits) -> Places:
    """Yield the places of names that the document writes both in one piece and with a stop in between."""
    names = set(_names_cut_in_two(habits))
    if names:
        forms = {form for left, right in names for form in (f"{left}. {right}", f"{left}, {right}", f"{left} {right}")}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        for match in re.finditer(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", text):
            yield match.start(), match.end(), None


def _names_cut_in_two(habits: Habits) -> Iterator[tuple[str, str]]:
    """Yield the parts of each name that stands cut somewhere, and whole elsewhere.

    Two names that met at the border of two sentences are none: each of them stands alone in other places.
    """
    for left, cut, right in islice(_cuts(habits.text), _MOST_CUTS):
        parts = next(_whole_elsewhere(left, cut, right, habits), None)
        if parts:
            yield parts


def _cuts(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield the marks between two runs of capitalised words, with both runs: nearly all end a sentence."""
    for cut in chain.from_iterable(mark.finditer(text) for mark in _CUTS):
        start = cut.start() + 2
        left, right = _NAME_BEFORE.search(before(cut)), _NAME_AFTER.match(text, start, start + _REACH)
        if left and right and " " in right[0] and not _is_abbreviated(left[0]):
            yield left[0], cut[0][:2], right[0]


def _is_abbreviated(name: str) -> bool:
    """Say whether a stop after the name is that of a short form (Dr., St., Gov.)."""
    last = name.rpartition(" ")[2].lower()
    return last not in _LINKS and (len(last) < 4 or last in listed("abbreviations"))


def _whole_elsewhere(left: str, cut: str, right: str, habits: Habits) -> Iterator[tuple[str, str]]:
    """Yield the longest ends of two parts that stand joined elsewhere, and that never stand alone."""
    ends, starts = left.split(" "), right.split(" ")
    if f"{ends[-1]} {starts[0]}" not in habits.text:
        return
    for first in range(len(ends)):
        for last in range(len(starts), 1, -1):
            left_part, right_part = " ".join(ends[first:]), " ".join(starts[:last])
            whole = habits.count(f"{left_part} {right_part}")
            met = whole + habits.count(f"{left_part}{cut}{right_part}")
            if whole and habits.count(left_part) == habits.count(right_part) == met:
                yield left_part, right_part


def _numbers(text: str, habits: Habits) -> Places:
    """Yield the numbers set in another country's fashion in a document whose own is certain."""
    groups = list(_APOSTROPHE_GROUPS.finditer(text))
    decimals = [match for match in _COMMA_DECIMALS.finditer(text) if word_before(match) in _BEFORE_AN_AMOUNT]
    for foreign, own in ((groups, GROUPS[","]), (decimals, _POINT_DECIMALS)):
        if foreign and len(own.findall(habits.text)) > 1:
            yield from ((match.start(), match.end(), None) for match in foreign)


RULES = (
    Rule(
        id="name-in-two-spellings",
        category=Category.INCONSISTENCY,
        mechanism=Mechanism.INCONSISTENCY,
        safety=Safety.DETECT,
        confidence=0.7,
        languages=_ENGLISH,
        sources=frozenset({"ru", "uk", "ar", "zh", "ja"}),
        finder=_names,
        why="A name was transliterated in two ways. One entry for each place; those that begin with the same letter "
        "are spellings of one name.",
        reference="MQM, Terminology: Inconsistent use of terminology",
        finds=("When Zelensky came, Mr Zelenskyy was asked.", "In Donbass and the Donbas it rained."),
        keeps=(
            "When Zelensky came, Mr Zelensky was asked.",
            "When Johnson came, Mr Johnston was asked.",
            "Philips and Phillips, Brown and Browne agreed.",
        ),
    ),
    Rule(
        id="arabic-article-in-two-spellings",
        category=Category.INCONSISTENCY,
        mechanism=Mechanism.INCONSISTENCY,
        safety=Safety.DETECT,
        languages=_ENGLISH,
        sources=frozenset({"ar"}),
        cues=("Al-", "El-"),
        finder=_articles,
        why="A name has its article as Al- here and as El- there. One entry for each place; those that go on alike "
        "belong together.",
        reference="MQM, Terminology: Inconsistent use of terminology",
        finds=("When El-Sisi came, Mr Al-Sisi was asked.",),
        keeps=("When Al-Sisi came, Mr Al-Sisi was asked.", "El-Sisi met Al-Maliki."),
    ),
    Rule(
        id="dates-in-two-orders",
        category=Category.INCONSISTENCY,
        mechanism=Mechanism.INCONSISTENCY,
        safety=Safety.DETECT,
        languages=_ENGLISH,
        cues=tuple(f"{month} " for month in _MONTHS.split("|")),
        finder=_dates,
        why="Full dates have the day first here and the month first there. One entry for each date; all of a "
        "document's belong together.",
        reference="MQM, Locale conventions: Date format",
        finds=("It fell on 12 March 2024 and rose on May 3, 2024.",),
        keeps=("It fell on 12 March 2024 and rose on 3 May 2024.", "It fell on 12 March and rose on May 3, 2024."),
    ),
    Rule(
        id="name-cut-in-two",
        category=Category.INCONSISTENCY,
        mechanism=Mechanism.INCONSISTENCY,
        safety=Safety.DETECT,
        confidence=0.8,
        languages=_ENGLISH,
        sources=frozenset({"zh", "ja", "fr"}),
        finder=_cut_names,
        why="A name of several words stands in one piece here and with a stop or comma inside it there: it was cut "
        "where a sentence seemed to end. One entry for each place; those that read alike without the mark belong "
        "together.",
        reference="MQM, Terminology: Inconsistent use of terminology",
        finds=(
            "The dean of Lund University. School of Mining spoke. The Lund University School of Mining is old.",
            "The Ministry. of Public Works agreed. The Ministry of Public Works is new.",
        ),
        keeps=(
            "The Lund University School of Mining is old. The Lund University School of Mining is big.",
            "She left the Bank of Lund. Mills Brothers sold. The Bank of Lund Mills Brothers fund and Mills Brothers.",
            "He came to New Lund. Times were hard. The New Lund Times wrote so.",
        ),
    ),
    Rule(
        id="numbers-in-two-styles",
        category=Category.INCONSISTENCY,
        mechanism=Mechanism.INCONSISTENCY,
        safety=Safety.DETECT,
        confidence=0.8,
        languages=_ENGLISH,
        sources=frozenset({"de", "fr", "es", "it", "pt", "ru"}),
        cues=(
            *(f"{left}{mark}{right}" for left in range(10) for mark in "'’" for right in range(10)),
            *(f",{decimals}{end}" for decimals in (*range(10), *_TWO_DIGITS) for end in " .;\n"),
        ),
        finder=_numbers,
        why="Most numbers have the English separators (1,234.5) and some have another country's (1'234, 2,4). One "
        "entry for each of these; all of a document's belong together. Numbers that can be read as English are "
        "left alone.",
        reference="MQM, Locale conventions: Number format",
        finds=(
            "Of 1,200 men and 3,400 women, 1'200 came.",
            "It rose from 2.4 to 2.6 points in May, and from 3,1 in June.",
        ),
        keeps=(
            "Of 1'200 men and 3'400 women, 1'200 came.",
            "It rose from 2.4 to 2.6 points, says the table of 1,2 and 3.",
            "Of 1,200 men and 3,400 women, 1,200 came, 2.4 and 2.6 percent more.",
        ),
    ),
)
