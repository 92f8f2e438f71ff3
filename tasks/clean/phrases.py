"""What the furniture of an article says of itself."""

import re

from tasks.clean.data import vocabulary
from tasks.clean.whitespace import flat

_PHRASES = vocabulary("phrases")
_MARKS = re.compile(r"[^\w'’]+")
_CREDIT = re.compile(
    rf"(?:{'|'.join(map(re.escape, sorted(_PHRASES['credits'], key=len, reverse=True)))})"
    r"(?:\s*[:：/|]\s*|\s+(?:by|by:|von|von:|de|de:|di|par)\s+|(?<=©)\s*|(?<=\(c\))\s*)",
    re.IGNORECASE,
)
_PICTURE_AGENCIES = frozenset(_PHRASES["picture_agencies"])
_BETWEEN_MAKERS = re.compile(r"[/|]|\bvia\b")
_AROUND = " ()[]（）.-–—|/"
# Names in capitals, of at most so many words; few words need no capitals.
_MOST_WORDS, _MOST_UNMARKED = 8, 2


def is_box_title(text: str) -> bool:
    """Tell whether a short text is the title of a box beside the article.

    >>> is_box_title("Related stories:"), is_box_title("Related stories of the sea")
    (True, False)
    """
    return _folded(text) in _BOX_TITLES


def is_credit(text: str) -> bool:
    """Tell whether what stands below a picture names its maker, and nothing that it shows.

    >>> is_credit("(Photo: Ana Ruiz / Reuters)"), is_credit("Ana Ruiz via Getty Images")
    (True, True)
    >>> is_credit("The ferry. Photo: Ana Ruiz"), is_credit("Photo: the ferry at dawn")
    (False, False)
    """
    said = text.strip(_AROUND)
    opening = _CREDIT.match(said)
    *makers, last = (maker.strip() for maker in _BETWEEN_MAKERS.split(said[opening.end() :] if opening else said))
    words = [word for maker in (*makers, last) for word in maker.split()]
    if len(words) > _MOST_WORDS or ") " in said:
        return False
    is_named = not any((plain := word.strip(".,")).isalpha() and plain.islower() for word in words)
    if opening is None:
        return is_named and last.casefold() in _PICTURE_AGENCIES
    return is_named or len(words) <= _MOST_UNMARKED


def _folded(text: str) -> str:
    return flat(_MARKS.sub(" ", text)).casefold()


_BOX_TITLES = frozenset(map(_folded, _PHRASES["box_titles"]))
