"""Bounds on HTML that no parser may see: they keep every parser's time and memory linear in the page.

Measured with lexbor: 100,000 nested elements take 18 s, 60,000 attributes in one tag 7 s; both grow with the square.
The largest of 411 news pages has 6,000 elements and 1.7 million characters.
"""

import re

from tasks.clean.data import vocabulary

MOST_CHARACTERS = 3_000_000
MOST_TEXT = 600_000  # of an article: a novel's length; the desk takes a second and 50 MB for each million
MOST_ELEMENTS = 12_000
MOST_DEPTH = 4_000
MOST_OPEN_FORMATTING = 200

# Below this number of tags no nesting of them is slow.
_HARMLESS_TAGS = 10_000
# Below this number, not even formatting elements left open are.
_HARMLESS_FORMATTING = 2_000
# In a page this short, attributes can cost little unless one tag has very many.
_HARMLESS_LENGTH = 600_000
# What may hide very many: this much without the end of a tag, so many pieces in all such; so many ends more
# than beginnings.
_LONG_TAG = 6_000
_MANY_ATTRIBUTES = 6_000
_BETWEEN_ATTRIBUTES = (" ", "\n", "\t", "/", "=")
_MOST_ODD_ENDS = 2_000
# What attributes cost, in ns: each by itself, and each with each of the same tag. Small tags are not looked at.
_COST_OF_ATTRIBUTE, _COST_OF_PAIR = 3_000, 2
_MOST_COST = 500_000_000
_SMALL_TAG = 8
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_NOT_NESTED = frozenset(vocabulary("tags")["not_nested"])
# Left open, these are opened again in every paragraph that follows (HTML, "reconstruct the active formatting").
# The first letters first: that halves the time.
_FORMATTING = re.compile(
    r"<(/?)(?=[bcefinstuBCEFINSTU])(?i:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s>/]"
)

# As a tokenizer sees them (HTML, 13.2.5), comments and elements of raw text included. Possessive: none is read twice.
_ATTRIBUTES = r"(?:[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"?|'[^']*+'?|[^\s>]*+))?+)"
_FEW_ATTRIBUTES = rf"{_ATTRIBUTES}{{0,{_SMALL_TAG}}}+"
_RAW_TEXT = "|".join(
    rf"<{name}(?=[\s/>]){_FEW_ATTRIBUTES}[\s/]*+>(?:[^<]++|<(?!/{name}))*+"
    for name in ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
)
_WITHOUT_LARGE_TAGS = re.compile(
    rf"""(?:[^<]++
    |<!--(?:-?>|(?:[^-]++|-(?!-!?>))*+)
    |(?=<[stxin])(?:{_RAW_TEXT})
    |</?+[a-z][^\s/>]*+{_FEW_ATTRIBUTES}(?=[\s/]*+(?:>|\Z))
    |<(?!/?[a-z])
    )*+""",
    re.VERBOSE | re.IGNORECASE,
)
_LARGE_TAG = re.compile(rf"</?[a-zA-Z][^\s/>]*+({_ATTRIBUTES}*+)")
_ATTRIBUTE = re.compile(_ATTRIBUTES)


def excess(html: str) -> str | None:
    """Say what about a page is beyond bounds, in words for a rejection; None where all is well.

    >>> excess("<div>" * 10_500)
    'elements nested more than 4,000 deep'
    >>> excess("<p>One.</p>")
    """
    if len(html) > MOST_CHARACTERS:
        return f"{len(html):,} characters"
    tags = html.count("<")
    if tags > MOST_ELEMENTS and (elements := _elements(html, tags)) > MOST_ELEMENTS:
        return f"{elements:,} elements"
    if (len(html) > _HARMLESS_LENGTH or _may_have_attribute_flood(html, tags)) and _has_attribute_flood(html):
        return "too many attributes"
    if tags > _HARMLESS_TAGS and _depth_exceeds(html, MOST_DEPTH):
        return f"elements nested more than {MOST_DEPTH:,} deep"
    if tags > _HARMLESS_FORMATTING and _open_formatting_exceeds(html, MOST_OPEN_FORMATTING):
        return f"more than {MOST_OPEN_FORMATTING:,} formatting elements left open"
    return None


def _elements(html: str, tags: int) -> int:
    """Return how many elements a parser may make: an end tag alone makes one, too (</p>, </br>)."""
    end_tags = html.count("</")
    return max(tags - end_tags, end_tags)


def _may_have_attribute_flood(html: str, tags: int) -> bool:
    """Tell at little cost whether a tag may have very many attributes, by what stands where no tag ends for long.

    A ">" may stand in a value, too: then there are more of them than tags.
    """
    if html.count(">") - tags > _MOST_ODD_ENDS:
        return True
    position, attributes = 0, 0
    while position + _LONG_TAG < len(html) and attributes <= _MANY_ATTRIBUTES:
        end = html.rfind(">", position, position + _LONG_TAG)
        if end < 0:
            end = html.find(">", position)
            piece = html[position : end if end >= 0 else len(html)]
            attributes += max(map(piece.count, _BETWEEN_ATTRIBUTES))
            if end < 0:
                break
        position = end + 1
    return attributes > _MANY_ATTRIBUTES


def _has_attribute_flood(html: str) -> bool:
    """Tell whether the attributes of large tags cost too much, reading the page as a parser does."""
    position, cost = 0, 0
    while cost <= _MOST_COST and (large := _LARGE_TAG.match(html, _end_of_small_tags(html, position))):
        attributes = len(_ATTRIBUTE.findall(large[1]))
        cost += attributes * (_COST_OF_ATTRIBUTE + attributes * _COST_OF_PAIR)
        position = large.end()
    return cost > _MOST_COST


def _end_of_small_tags(html: str, start: int) -> int:
    small = _WITHOUT_LARGE_TAGS.match(html, start)
    return small.end() if small is not None else len(html)


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
