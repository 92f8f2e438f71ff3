"""Hours as live blogs write them beside their entries: "10:45 am", "20.31 Uhr", "2 hours ago", "vor 5 Minuten"."""

import re
from datetime import timedelta

from tasks.clean.data import vocabulary

_WORDS = vocabulary("dates")
LONGEST_HOUR = 24
"""Characters of what says an hour and nothing else."""

_CLOCK = re.compile(r"(?P<hour>\d{1,2})\s?[:.hH時시点]\s?(?P<minute>\d\d)(?::\d\d)?(?!\d)", re.ASCII)
_HALF = re.compile(r"^([ap])\.?\s?m\b\.?", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,2}", re.ASCII)
_WORD = re.compile(r"[^\W\d_]+")
# Written onto the unit in Chinese and Japanese.
_GLUED = re.compile("(?=[前전])")
_BESIDE_CLOCKS, _AGO, _ONE = (frozenset(_WORDS[name]) for name in ("beside_clocks", "ago", "one"))
_UNITS = {word: unit for name, unit in (("minutes", 1), ("hours", 60)) for word in _WORDS[name]}
_NOON = 12


def clock_said(text: str) -> timedelta | None:
    """Return the time since midnight that a text is, if it is nothing but a time by the clock.

    >>> [str(clock_said(text)) for text in ("10:45 pm", "20.31 Uhr", "7h05", "Chapter 10:45", "25:10")]
    ['22:45:00', '20:31:00', '7:05:00', 'None', 'None']
    """
    clock = _CLOCK.search(text) if len(text) <= LONGEST_HOUR else None
    if clock is None:
        return None
    hour, minute, after = int(clock["hour"]), int(clock["minute"]), text[clock.end() :].lstrip()
    if (half := _HALF.match(after)) and hour <= _NOON:
        hour, after = hour % _NOON + (_NOON if half[1].lower() == "p" else 0), after[half.end() :]
    rest = f"{text[: clock.start()]} {after}".casefold()
    is_alone = not _NUMBER.search(rest) and all(word in _BESIDE_CLOCKS for word in _WORD.findall(rest))
    return timedelta(hours=hour, minutes=minute) if is_alone and hour < 24 and minute < 60 else None


def age_said(text: str) -> timedelta | None:
    """Return how long ago a text says that something was, if it says nothing else.

    >>> [str(age_said(text)) for text in ("2 hours ago", "vor 5 Minuten", "il y a une heure", "2 hours", "hours ago")]
    ['2:00:00', '0:05:00', '1:00:00', 'None', 'None']
    """
    if len(text) > LONGEST_HOUR:
        return None
    parted = _GLUED.sub(" ", text.casefold())
    numbers, words = _NUMBER.findall(parted), _WORD.findall(parted)
    units = [_UNITS[word] for word in words if word in _UNITS]
    others = [word for word in words if word not in _UNITS]
    is_past = not _AGO.isdisjoint(others) and all(word in _AGO or word in _ONE for word in others)
    if len(units) != 1 or not is_past or len(numbers) > 1 or not (numbers or not _ONE.isdisjoint(others)):
        return None
    return timedelta(minutes=units[0] * (int(numbers[0]) if numbers else 1))
