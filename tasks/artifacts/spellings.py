"""Names that one document writes in two ways, as transliteration leaves them."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable

_NAME = re.compile(r"[A-Z](?<!\w[A-Z])[a-zà-ÿ]{4,}\b(?!['’-]\w)")
_MOVING = str.maketrans("", "", "aeiouyhjkqdszàâäáéèêëíìîïóòôöúùûüý")  # letters that spellings of a name differ in
_SAME = (
    (re.compile(r"(?:iy|yi|ii|ij|yy|ey|y|i)"), "i"),
    (re.compile(r"(?:ou(?=[a-z])|oo|u)"), "u"),
    (re.compile(r"(?:kh|q|k)"), "k"),
    (re.compile(r"(?:dj|dzh|zh|j)"), "j"),
    (re.compile(r"([saeiou])\1"), r"\1"),
)


def in_two_spellings(text: str) -> frozenset[str]:
    """Return the names that stand in a text in more than one transliteration, one name for each first letter.

    >>> sorted(in_two_spellings("When Zelensky spoke, Mr Zelenskyy was asked about Lund and Lunds."))
    ['Zelensky', 'Zelenskyy']

    Names that two people may well bear are left alone.

    >>> in_two_spellings("When Johnson spoke, Mr Johnston was asked about Philips and Phillips.")
    frozenset()
    """
    found: dict[str, set[str]] = {}
    for alike in _by_skeleton(set(_NAME.findall(text))):
        for names in _grouped(alike, map(_sound, alike)):
            found.setdefault(min(names)[0], names)
    return frozenset().union(*found.values())


def _by_skeleton(names: Collection[str]) -> list[set[str]]:
    """Return the groups of names that have one skeleton: the first letter and the others that do not move.

    All names go through one translation, which is many times cheaper than one for each.
    """
    return _grouped(names, "\n".join(names).translate(_MOVING).splitlines())


def _grouped(names: Iterable[str], keys: Iterable[str]) -> list[set[str]]:
    """Return the groups of two names or more that have one key."""
    groups: dict[str, set[str]] = defaultdict(set)
    for name, key in zip(names, keys, strict=True):
        groups[key].add(name)
    return [group for group in groups.values() if len(group) > 1]


def _sound(name: str) -> str:
    """Return what the spellings of a name have in common."""
    folded = unicodedata.normalize("NFD", name.lower())
    letters = "".join(letter for letter in folded if "a" <= letter <= "z")
    for pattern, common in _SAME:
        letters = pattern.sub(common, letters)
    return name[0] + letters[1:]
