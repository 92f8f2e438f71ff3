"""One thing written in two ways: reported at each of its places and never mended, since the house chooses.

The places of one inconsistency belong together by what they say. Of names, a document's entries that begin with the
same letter are spellings of one name (a rule reports one name a letter); of Al- and El-, those that go on alike; of
dates, all of them.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety

_ENGLISH = frozenset({"en"})
_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"  # in full: no short form
)
_DAY_FIRST = re.compile(rf"\d(?<!\w\d)\d?(?:st|nd|rd|th)? (?:{_MONTHS}),? (?:19|20)\d\d\b")
_MONTH_FIRST = re.compile(rf"(?:{_MONTHS}) \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d\b")
_ARTICLE = re.compile(r"\b(?P<article>[AE]l)-(?P<name>[A-Z][a-z]{2,})\b")

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
)
