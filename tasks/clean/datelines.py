"""Lines above or between an article's paragraphs that say when it was written, by whom, and nothing else."""

import re
from collections.abc import Iterable
from datetime import datetime

from tasks.clean.data import vocabulary
from tasks.clean.metadata.dates import days_with_places

_LONGEST = 70
# Words beside a date that name no day of the week, and their letters: a name, "Stand", "Publiziert".
_MOST_WORDS, _MOST_LETTERS = 3, 20
_YEAR_LIKE = re.compile(r"\d{4}|\d\d[./]\d\d")
_CLOCK = re.compile(r"\d{1,2}\s?[:.hH]\s?\d\d(?!\d)")
# Who posted what is embedded, and whole sentences.
_SIGNED, _SENTENCE = re.compile(r"[@(“”\"«»]|^\s*[-–—]"), re.compile(r"[.!?。]$")
_NAMES, _DATES = vocabulary("names"), vocabulary("dates")
_DAYS = frozenset(_NAMES["days"])
_WORD = re.compile(r"[^\W\d_]+")
_LONGEST_BYLINE = 100
# Words beside the names that a byline begins with: of a desk, a town.
_MOST_OTHERS = 3
_BY = frozenset(_NAMES["before"])
_BESIDE_NAMES = frozenset(
    word
    for words in (
        *(_NAMES[name] for name in ("before", "between", "roles", "days", "agencies", "pictures", "texts", "signed")),
        *(_DATES[name] for name in ("months", "beside_clocks", "minutes", "hours", "ago", "one")),
    )
    for phrase in words
    for word in _WORD.findall(phrase)
)
_READING_TIME = re.compile("|".join(map(re.escape, _NAMES["reading_time"])), re.IGNORECASE)
# So many datelines in the order of time are those of a chronicle; of other articles' dates few stand in a row.
_FEWEST_OF_CHRONICLE = 3
_MINUTES = re.compile(r"\b\d{1,2}\s?min", re.IGNORECASE)


def is_dateline(text: str, *, needs_hour: bool) -> bool:
    """Tell whether a line is a date, perhaps with a name; if asked for, only where it gives the hour, too.

    >>> is_dateline("Monday, 3 May 2021", needs_hour=False), is_dateline("Ana Ruiz 2021-05-03 14:35", needs_hour=True)
    (True, True)
    >>> is_dateline("3 May 2021", needs_hour=True), is_dateline("3 May 2021: the bridge is closed", needs_hour=False)
    (False, False)
    """
    dated = _dated(text)
    return dated is not None and (not needs_hour or _CLOCK.search(dated[1]) is not None)


def is_chronicle(lines: Iterable[str]) -> bool:
    """Tell whether the datelines among an article's lines head the parts of a chronicle: many days, in their order.

    >>> is_chronicle(["3 May 2021", "The slip burns.", "4 June 2021", "1 July 2022"])
    True
    >>> is_chronicle(["3 May 2021", "4 June 2021"]), is_chronicle(["3 May 2021", "1 July 2022", "4 June 2021"])
    (False, False)
    """
    days = [day for day, _ in filter(None, map(_dated, lines))]
    is_long = len(days) >= _FEWEST_OF_CHRONICLE and len(set(days)) > 1
    return is_long and days in (in_order := sorted(days), in_order[::-1])


def _dated(text: str) -> tuple[datetime, str] | None:
    """Return the day of a line that is a date, perhaps with an hour and a name, and what it says beside the day."""
    if len(text) > _LONGEST or not _YEAR_LIKE.search(text) or _SIGNED.search(text) or _SENTENCE.search(text):
        return None
    days = list(days_with_places(text))
    if len(days) != 1:
        return None
    start, end, day = days[0]
    rest = f"{text[:start]} {text[end:]}"
    words = [word for word in _WORD.findall(rest) if len(word) > 1 and word.casefold() not in _DAYS]
    return (day.instant, rest) if len(words) <= _MOST_WORDS and len("".join(words)) <= _MOST_LETTERS else None


def is_byline(text: str, authors: Iterable[str]) -> bool:
    """Tell whether a line names an article's authors, or how long it takes to read, and nothing that is said of them.

    >>> [is_byline(line, ["Ana Ruiz"]) for line in ("Text: Ana Ruiz | 3 May 2021", "By Ana Ruiz, RTX North", "4 min")]
    [True, True, True]
    >>> [is_byline(line, ["Ana Ruiz"]) for line in ("Ana Ruiz returns", "By the river", "Ana Ruiz: It rained.")]
    [False, False, False]
    """
    if len(text) > _LONGEST_BYLINE or _SIGNED.search(text) or _SENTENCE.search(text.removesuffix("in.")):
        return False
    rest = text.casefold()
    for name in authors:
        rest = rest.replace(name.casefold(), " ")
    is_named = len(rest) < len(text)
    rest = _READING_TIME.sub(" ", rest)
    words = _WORD.findall(rest)
    others = sum(len(word) > 1 and word not in _BESIDE_NAMES for word in words)
    is_timed = bool(_MINUTES.search(text))
    return (is_named or is_timed) and others <= (_MOST_OTHERS if is_named and words and words[0] in _BY else 0)
