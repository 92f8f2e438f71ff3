"""Who wrote an article, where only the page itself says so."""

import re
from collections.abc import Iterator

from tasks.clean.data import vocabulary
from tasks.clean.labels import traits_of
from tasks.clean.nodes import Node, Tree, ancestors, label_of, text_of
from tasks.clean.whitespace import flat

# The surest marks first.
_TIERS = (
    "[rel~=author]",
    "[itemprop~=author]",
    "[class*=author-name i], [class*=author_name i], [class*=authorname i], [class*=byline i], [class*=by-line i]",
    ", ".join(f"[class*={word} i]" for word in ("author", "autor", "verfasser", "writer", "redakteur", "journalist")),
)
_LONGEST = 120
_MOST = 30
# Dates, and what follows them, are no names.
_TAIL = re.compile(r"\s*(?:\d.*|[|•·–—].*|\b(?:published|updated|posted on|am \d).*)$", re.IGNORECASE)
# "By" opens the line, or follows a date that does.
_SPOKEN = re.compile(
    r"(?:^\W{0,3}|^.{0,40}\d\W{1,4})((?:"
    + "|".join(map(re.escape, sorted(vocabulary("names")["spoken"], key=len, reverse=True)))
    + r")[\s:：]\s*(?=(?-i:[^\W\d_a-z])).*)",
    re.IGNORECASE,
)


def visible_bylines(tree: Tree, headline: Node | None) -> Iterator[str]:
    """Yield the bylines a page shows near its headline, from the surest kind of mark that it has."""
    for selector in _TIERS:
        found = [name for node in _after(tree, selector, headline) for name in _names_in(node)]
        if found:
            yield from dict.fromkeys(found)
            return
    yield from _spoken(tree, headline)


def _after(tree: Tree, selector: str, headline: Node | None) -> list[Node]:
    """Return the elements a selector finds, the first after the headline, with its neighbours."""
    nodes = tree.css(f"h1, {selector}")
    start = next((at for at, node in enumerate(nodes) if headline is not None and node.mem_id == headline.mem_id), -1)
    candidates = [node for node in (*nodes[start + 1 :], *nodes[: max(start, 0)]) if node.tag != "h1"][:_MOST]
    usable = [node for node in candidates if 2 < len(text_of(node)) < _LONGEST and not _in_comments(node)]
    if not usable:
        return []
    first = usable[0]
    home = first.parent.mem_id if first.parent is not None else None
    siblings = [node for node in usable[1:6] if node.parent is not None and node.parent.mem_id == home]
    return [first, *siblings]


def _in_comments(node: Node) -> bool:
    return any(traits_of(label_of(above)).is_comments for above in (node, *ancestors(node, 6)))


def _names_in(node: Node) -> list[str]:
    links = [text for link in node.css("a") if 2 < len(text := _TAIL.sub("", text_of(link))) < _LONGEST]
    return links if links and node.tag != "a" else [_TAIL.sub("", text_of(node))]


def _spoken(tree: Tree, headline: Node | None) -> Iterator[str]:
    """Yield the first short line after the headline that opens with "By" or its like."""
    if headline is None:
        return
    is_after = False
    for node in tree.css("h1, h2, h3, h4, p, span, div, small, em, strong, b, font, li"):
        if node.mem_id == headline.mem_id:
            is_after = True
        elif is_after and len(text := flat(node.text(deep=False))) < _LONGEST and (spoken := _SPOKEN.match(text)):
            yield _TAIL.sub("", spoken[1])
            return
