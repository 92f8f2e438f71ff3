"""Reading lexbor's nodes: text, labels and attributes, tidied."""

import re
from collections import defaultdict
from collections.abc import Iterable

from selectolax.lexbor import LexborHTMLParser, LexborNode

from tasks.clean.whitespace import flat, tidy

# Characters of an attribute, a heading, a declared value: what is longer is no metadata.
LONGEST_VALUE = 20_000
LONGEST_LABEL = 1_000

# Between the text of one node and the next; no page shows it.
_SEAM = "\x1f"
_AT_SEAM = re.compile(rf"([^\s{_SEAM}]){_SEAM}+(?=([^\s{_SEAM}]))|{_SEAM}")
_ENDS, _STARTS = '.!?…)”»"', "(©"

Node = LexborNode


class Tree:
    """A page as lexbor parsed it. Its elements by tag are found in one walk, since each search with `css` is another.

    >>> [node.text() for node in Tree("<p>one<b>two</b><p>three").tagged("p")]
    ['onetwo', 'three']
    """

    def __init__(self, html: str) -> None:
        self._page = LexborHTMLParser(html)
        self._by_tag = defaultdict[str, list[Node]](list)

    @property
    def head(self) -> Node | None:
        return self._page.head

    @property
    def body(self) -> Node | None:
        return self._page.body

    @property
    def html(self) -> str | None:
        """The page as HTML."""
        return self._page.html

    def css(self, selector: str) -> list[Node]:
        """Return the elements that a selector chooses, in the page's order."""
        return self._page.css(selector)

    def css_first(self, selector: str) -> Node | None:
        """Return the first element that a selector chooses."""
        return self._page.css_first(selector)

    def tagged(self, tag: str) -> list[Node]:
        """Return the elements of a tag, in the page's order."""
        if not self._by_tag and self._page.root is not None:
            for node in self._page.root.traverse():
                self._by_tag[node.tag or ""].append(node)
        return self._by_tag.get(tag, [])

    def strip(self, tags: Iterable[str]) -> None:
        """Take the elements of some tags out of the tree, with all that is in them."""
        for tag in tags:
            for node in self.tagged(tag):
                node.decompose(recursive=False)  # taken out, not freed: others of these tags may stand in it
        self._by_tag.clear()


def address_of(tree: Tree, relation: str) -> str:
    """Return where a page's first `link` element of a relation leads; empty where there is none.

    >>> address_of(Tree('<link rel="Canonical nofollow" href=/a>'), "canonical")
    '/a'
    """
    for link in tree.tagged("link"):
        attributes = link.attributes
        if "href" in attributes and relation in (attributes.get("rel") or "").lower().split():
            return attribute(link, "href")
    return ""


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
