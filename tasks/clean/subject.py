"""Whether a text is about what a title says: how many of the title's words come up in it."""

import re

_WORD = re.compile(r"\w+")
# Beginnings of words, since endings change with the case and the person.
_STEM = 5
_SHORTEST_WORD = 4
# From here on scripts write without spaces, or words of a few syllables: two characters say something.
_FIRST_OF_SYLLABLES = "\u0e00"
_FEWEST_STEMS = 3


def stems_of(title: str) -> frozenset[str]:
    """Return beginnings of a title's telling words; none where there are too few to tell a text by.

    >>> sorted(stems_of("Ferries keep their new timetable"))
    ['ferri', 'keep', 'their', 'timet']
    >>> stems_of("Live: day two")
    frozenset()
    """
    stems: set[str] = set()
    for word in _WORD.findall(title.casefold()):
        if word[0] >= _FIRST_OF_SYLLABLES:
            stems.update(word[start : start + 2] for start in range(0, len(word) - 1, 2))
        elif len(word) >= _SHORTEST_WORD and not word.isdigit():
            stems.add(word[:_STEM])
    return frozenset(stems) if len(stems) >= _FEWEST_STEMS else frozenset()


def share_said(stems: frozenset[str], text: str) -> float:
    """Return which share of a title's words comes up in a text (0 to 1).

    >>> share_said(stems_of("Ferries keep their new timetable"), "The ferry has a timetable of its own to keep.")
    0.5
    """
    folded = text.casefold()
    return sum(stem in folded for stem in stems) / len(stems) if stems else 0.0
