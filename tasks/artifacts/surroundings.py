"""What stands around a match: always a bounded stretch, so that no rule reads a long line once for each match."""

import re

_REACH = 120
_LAST_WORD = re.compile(r"[\w.'’-]*\Z")


def before(match: re.Match[str], length: int = _REACH) -> str:
    """Return the text before a match, as far back as `length` characters.

    >>> before(re.search("c", "a b c"), 2)
    'b '
    """
    return match.string[max(0, match.start() - length) : match.start()]


def after(match: re.Match[str], length: int = _REACH) -> str:
    """Return the text after a match, `length` characters of it."""
    return match.string[match.end() : match.end() + length]


def line_before(match: re.Match[str], length: int = 2000) -> str:
    """Return what stands before a match on its line."""
    return before(match, length).rpartition("\n")[2]


def word_before(match: re.Match[str]) -> str:
    """Return the word a match follows, with its stops and hyphens; a space between them does not count.

    >>> word_before(re.search("n't", "They do n't"))
    'do'
    """
    word = _LAST_WORD.search(before(match, 60).rstrip(" "))
    return word[0] if word else ""
