"""Lines above or between an article's paragraphs that say when something was written, and nothing else."""

import re

from tasks.clean.data import vocabulary
from tasks.clean.metadata.dates import days_with_places

_LONGEST = 70
# Words beside a date that name no day of the week, and their letters: a name, "Stand", "Publiziert".
_MOST_WORDS, _MOST_LETTERS = 3, 20
_YEAR_LIKE = re.compile(r"\d{4}|\d\d[./]\d\d")
_CLOCK = re.compile(r"\d{1,2}\s?[:.hH]\s?\d\d(?!\d)")
# Who posted what is embedded, and whole sentences.
_SIGNED, _SENTENCE = re.compile(r"[@(“”\"«»]|^\s*[-–—]"), re.compile(r"[.!?。]$")
_DAYS = frozenset(vocabulary("names")["days"])
_WORD = re.compile(r"[^\W\d_]+")


def is_dateline(text: str, *, needs_hour: bool) -> bool:
    """Tell whether a line is a date, perhaps with a name; if asked for, only where it gives the hour, too.

    >>> is_dateline("Monday, 3 May 2021", needs_hour=False), is_dateline("Ana Ruiz 2021-05-03 14:35", needs_hour=True)
    (True, True)
    >>> is_dateline("3 May 2021", needs_hour=True), is_dateline("3 May 2021: the bridge is closed", needs_hour=False)
    (False, False)
    """
    if len(text) > _LONGEST or not _YEAR_LIKE.search(text) or _SIGNED.search(text) or _SENTENCE.search(text):
        return False
    days = list(days_with_places(text))
    rest = f"{text[: days[0][0]]} {text[days[0][1] :]}" if len(days) == 1 else ""
    if not rest or (needs_hour and not _CLOCK.search(rest)):
        return False
    words = [word for word in _WORD.findall(rest) if len(word) > 1 and word.casefold() not in _DAYS]
    return len(words) <= _MOST_WORDS and len("".join(words)) <= _MOST_LETTERS
