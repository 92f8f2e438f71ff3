"""Authors as people: split, stripped of "By", posts and places, without the site's own name."""

import re
from collections.abc import Iterable
from itertools import islice

from tasks.clean.data import vocabulary
from tasks.clean.whitespace import flat

_WORDS = vocabulary("names")
_BEFORE = re.compile(
    r"^\W*(?:(?:" + "|".join(sorted(map(re.escape, _WORDS["before"]), key=len, reverse=True)) + r")(?:\s*:\s*|\s+))+",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"\s*[;|•·/]\s*|\s+[&+]\s+|\s+(?:"
    + "|".join(map(re.escape, _WORDS["between"]))
    + r")\s+(?=[^\W\d_a-z])|\s*[、，]\s*"
)
_ROLES = frozenset(_WORDS["roles"])
_POSTS = frozenset(_WORDS["posts"])
_ADDRESS = re.compile(r"https?://\S*|www\.\S+|\S+@\S+\.\w+|(?<!\w)@\w+")
_BRACKETS = re.compile(r"\s*[(\[（][^)\]）]*[)\]）]")
_NOT_WORD = re.compile(r"\W+")
_LONGEST_BYLINE = 1_000
_LONGEST_NAME = 60
_MOST_BYLINES, _MOST_AUTHORS = 100, 20


def people(bylines: Iterable[str], site_names: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the people named in bylines, each once.

    >>> people(["By Ana Ruiz and Tom Lee, Staff Writer", "The Daily Bridge"], site_names=["Daily Bridge"])
    ('Ana Ruiz', 'Tom Lee')
    """
    sites = {_fold(name) for name in site_names if name}
    names: dict[str, str] = {}
    for byline in islice(bylines, _MOST_BYLINES):
        for name in _split(byline):
            folded = _fold(name)
            if folded and folded not in sites and _is_name(name):
                names.setdefault(folded, name)
    return tuple(names.values())[:_MOST_AUTHORS]


def is_user_name(name: str) -> bool:
    """Tell whether a name is an account rather than a person's name.

    >>> is_user_name("wpadmin2"), is_user_name("Ana"), is_user_name("新間")
    (True, False, False)
    """
    return name.isascii() and name.islower() and " " not in name


def _split(byline: str) -> Iterable[str]:
    byline = _BRACKETS.sub("", _ADDRESS.sub(" ", flat(byline[:_LONGEST_BYLINE])))
    byline = _BEFORE.sub("", byline)
    for part in _BETWEEN.split(byline):
        for name in _commas(part):
            yield _BEFORE.sub("", name).strip(" ,;:|-–—.'\"") or ""


def _commas(part: str) -> list[str]:
    """Split at commas between names; what follows a comma and is a post or place is dropped.

    >>> _commas("Ana Ruiz, Tom Lee, Political Editor")
    ['Ana Ruiz', 'Tom Lee']
    """
    first, *rest = (piece.strip() for piece in part.split(","))
    return [first, *(piece for piece in rest if _reads_as_full_name(piece))]


def _reads_as_full_name(piece: str) -> bool:
    words = piece.split()
    return 2 <= len(words) <= 5 and words[0][:1].isupper() and not any(word.lower() in _POSTS for word in words)


def _is_name(name: str) -> bool:
    return (
        len(name) <= _LONGEST_NAME
        and name.lower() not in _ROLES
        and any(map(str.isalpha, name))
        and not any(character.isdigit() for character in name)
        and len(name.split()) <= 7
    )


def _fold(name: str) -> str:
    return _NOT_WORD.sub("", name.casefold().removeprefix("the "))
