"""Bounds on HTML that no parser may see: they keep every parser's time and memory linear in the page.

Measured with lexbor: 100,000 nested elements take 18 s, 60,000 attributes in one tag 7 s; both grow with the square.
"""

import re
from itertools import islice

from tasks.clean.data import vocabulary

MOST_CHARACTERS = 5_000_000
MOST_ELEMENTS = 25_000
MOST_DEPTH = 4_000
MOST_ATTRIBUTES = 6_000
MOST_OPEN_FORMATTING = 200

# Below this number of tags no nesting of them is slow.
_HARMLESS_TAGS = 10_000
# Below this number, not even formatting elements left open are.
_HARMLESS_FORMATTING = 2_000
# A tag this short cannot hold too many attributes.
_HARMLESS_TAG = 2 * MOST_ATTRIBUTES
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_TAG_START = re.compile(r"<[a-zA-Z]")
_ATTRIBUTE = re.compile(r"[\s/]+[^\s/>=]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>\"']+))?")
_NOT_NESTED = frozenset(vocabulary("tags")["not_nested"])
# Left open, these are opened again in every paragraph that follows (HTML, "reconstruct the active formatting").
_FORMATTING = re.compile(r"<(/?)(?:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s>/]", re.IGNORECASE)


def excess(html: str) -> str | None:
    """Say what about a page is beyond bounds, in words for a rejection; None where all is well.

    >>> excess("<div>" * 10_500)
    'elements nested more than 4,000 deep'
    >>> excess("<p>One.</p>")
    """
    if len(html) > MOST_CHARACTERS:
        return f"{len(html):,} characters"
    tags = html.count("<")
    if (elements := tags - html.count("</")) > MOST_ELEMENTS:
        return f"{elements:,} elements"
    if _has_attribute_flood(html):
        return f"more than {MOST_ATTRIBUTES:,} attributes in one tag"
    if tags > _HARMLESS_TAGS and _depth_exceeds(html, MOST_DEPTH):
        return f"elements nested more than {MOST_DEPTH:,} deep"
    if tags > _HARMLESS_FORMATTING and _open_formatting_exceeds(html, MOST_OPEN_FORMATTING):
        return f"more than {MOST_OPEN_FORMATTING:,} formatting elements left open"
    return None


def _has_attribute_flood(html: str) -> bool:
    """Tell whether one tag has too many attributes, looking only where no tag ends for long."""
    position = 0
    while position + _HARMLESS_TAG < len(html):
        end = html.rfind(">", position, position + _HARMLESS_TAG)
        if end < 0:
            end = html.find(">", position)
            if _attributes(html[position : end if end >= 0 else len(html)]) > MOST_ATTRIBUTES:
                return True
        if end < 0:
            break
        position = end + 1
    return False


def _attributes(piece: str) -> int:
    """Count the attributes of the first tag in a piece, up to one too many."""
    start = _TAG_START.search(piece)
    if start is None:
        return 0
    return sum(1 for _ in islice(_ATTRIBUTE.finditer(piece, start.end()), MOST_ATTRIBUTES + 1))


def _depth_exceeds(html: str, most: int) -> bool:
    depth = 0
    for closing, name in _TAG.findall(html):
        if name.lower() not in _NOT_NESTED:
            depth = max(0, depth - 1) if closing else depth + 1
            if depth > most:
                return True
    return False


def _open_formatting_exceeds(html: str, most: int) -> bool:
    left_open = 0
    for closing in _FORMATTING.findall(html):
        left_open = max(0, left_open - 1) if closing else left_open + 1
        if left_open > most:
            return True
    return False
