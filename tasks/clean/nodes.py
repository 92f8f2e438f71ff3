"""Reading lexbor's nodes: text, labels and attributes, tidied."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from tasks.clean.whitespace import flat, tidy

# Characters of an attribute, a heading, a declared value: what is longer is no metadata.
LONGEST_VALUE = 20_000
LONGEST_LABEL = 1_000

# Between the text of one node and the next; no page shows it.
_SEAM = "\x1f"
_AT_SEAM = re.compile(rf"([^\s{_SEAM}]){_SEAM}+(?=([^\s{_SEAM}]))|{_SEAM}")
_ENDS, _STARTS = '.!?…)”»"', "(©"

Tree = LexborHTMLParser
Node = LexborNode


def attribute(node: Node, name: str) -> str:
    """Return an attribute's value, tidied; empty where the element has none.

    >>> attribute(Tree('<a href=" /x ">y</a>').css_first("a"), "href")
    '/x'
    """
    return flat((node.attributes.get(name) or "")[:LONGEST_VALUE])


def text_of(node: Node) -> str:
    """Return the text below a node on one line, so much of it as metadata can be.

    >>> text_of(Tree("<p>one <b>two</b>\\n three").css_first("p"))
    'one two three'
    """
    return tidy(node.text(deep=True)[:LONGEST_VALUE])


def parted_text_of(node: Node) -> str:
    """Return what `text_of` does, with blanks where one element ends a word and another begins a sentence or a name.

    >>> parted_text_of(Tree("<p><span>Storm at sea.</span><span>Photo: <b>T</b>om Lee</span></p>").css_first("p"))
    'Storm at sea. Photo: Tom Lee'
    """
    written = node.text(deep=True, separator=_SEAM)[:LONGEST_VALUE]
    return tidy(_AT_SEAM.sub(_part, written))


def _part(seam: re.Match[str]) -> str:
    before, after = seam[1] or "", seam[2] or ""
    is_end = before.islower() or before in _ENDS
    return f"{before} " if before and after and is_end and (after.isupper() or after in _STARTS) else before


def label_of(node: Node) -> str:
    """Return what the page's author called an element: its classes and id, lower case, with blanks around.

    >>> label_of(Tree('<p class="Lead Text" id=first>').css_first("p"))
    ' lead text first '
    """
    attributes = node.attributes
    classes, identifier = attributes.get("class"), attributes.get("id")
    return f" {classes or ''} {identifier or ''} "[:LONGEST_LABEL].lower() if classes or identifier else ""


def ancestors(node: Node, limit: int = 400) -> list[Node]:
    """Return a node's ancestors, nearest first, up to and without the `body`."""
    found: list[Node] = []
    above = node.parent
    while above is not None and above.tag not in ("body", "html", "-undef") and len(found) < limit:
        found.append(above)
        above = above.parent
    return found
