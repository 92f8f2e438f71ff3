"""What the furniture of an article says of itself."""

import re

from tasks.clean.data import vocabulary
from tasks.clean.whitespace import flat

_PHRASES = vocabulary("phrases")
_MARKS = re.compile(r"[^\w'’]+")


def is_box_title(text: str) -> bool:
    """Tell whether a short text is the title of a box beside the article.

    >>> is_box_title("Related stories:"), is_box_title("Related stories of the sea")
    (True, False)
    """
    return _folded(text) in _BOX_TITLES


def _folded(text: str) -> str:
    return flat(_MARKS.sub(" ", text)).casefold()


_BOX_TITLES = frozenset(map(_folded, _PHRASES["box_titles"]))
