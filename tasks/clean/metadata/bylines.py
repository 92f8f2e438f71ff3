"""Who wrote an article, where only the page itself says so."""

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from tasks.clean.data import vocabulary
from tasks.clean.labels import traits_of, words_of
from tasks.clean.metadata.lines import is_headline, lines_of
from tasks.clean.nodes import Node, Tree, ancestors, attribute, label_of, text_of

_WORDS = vocabulary("names")


def _labelled(*words: str) -> str:
    return ", ".join(f"[class*={word} i]" for word in words)


_LINKS = ", ".join(f'a[href*="{folder}" i]' for folder in _WORDS["folders"])
# The surest marks first.
_TIERS = (
    "[rel~=author], [itemprop~=author]",
    _LINKS,
    _labelled("author-name", "author_name", "authorname", "byline", "by-line", "contributor", "creator__"),
    _labelled("author", "autor", "verfasser", "writer", "redakteur", "journalist", "attribution"),
)
_LONGEST = 120
_MOST = 30
# Names of pictures' makers, of other articles' authors and of readers stand in such elements.
_FOREIGN_TAGS = frozenset({"figure", "figcaption", "picture", "blockquote", "nav"})
_FOREIGN_LABEL = re.compile(
    r" (?:photo\w*|foto\w*|caption|credits?|licen[cs]e|copyright|figure|gallery|related|recommend\w*|popular|trending) "
)
# Dates, and what follows them, are no names.
_TAIL = re.compile(r"\s*(?:\d.*|[|•·–—].*|\b(?:published|updated|posted|am \d).*)$", re.IGNORECASE)
_IMPRINT = re.compile(r"©|copyright|powered by|rights reserved", re.IGNORECASE)
# "By" opens the line, or follows a date that does.
_SPOKEN = re.compile(
    r"(?:^\W{0,3}|^.{0,40}\d\W{1,4})((?:"
    + "|".join(map(re.escape, sorted(_WORDS["spoken"], key=len, reverse=True)))
    + r")[\s:：]\s*(?=(?-i:[^\W\d_a-z])).*)",
    re.IGNORECASE,
)


def visible_bylines(tree: Tree, headline: Node | None, title: str) -> Iterator[list[str]]:
    """Yield the bylines that a page shows near its headline, those of the surest kind of mark first."""
    for selector in _TIERS:
        nodes = _after(tree, selector, headline)
        names = filter(_is_named_in_address, nodes) if selector == _LINKS else nodes
        if found := [name for node in names for name in _names_in(node)]:
            yield list(dict.fromkeys(found))
    if spoken := _spoken(tree, headline, title):
        yield [spoken]


def _after(tree: Tree, selector: str, headline: Node | None) -> list[Node]:
    """Return the elements a selector finds, the first after the headline, with its neighbours."""
    nodes = tree.css(f"h1, {selector}")
    start = next((at for at, node in enumerate(nodes) if headline is not None and node.mem_id == headline.mem_id), -1)
    candidates = [node for node in (*nodes[start + 1 :], *nodes[: max(start, 0)]) if node.tag != "h1"][:_MOST]
    usable = [node for node in candidates if 2 < len(text_of(node)) < _LONGEST and not _is_foreign(node)]
    if not usable:
        return []
    first = usable[0]
    home = _home(first)
    return [first, *(node for node in usable[1:6] if _home(node) & home)]


def _is_named_in_address(link: Node) -> bool:
    """Tell whether an author's page is linked by the author's name: other links to it say what it is."""
    address = _plain(unquote(attribute(link, "href")))
    return any(len(word) > 2 and word in address for word in _plain(text_of(link)).split())


def _plain(text: str) -> str:
    """Return text in lower case without accents, as addresses have it."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _home(node: Node) -> set[int]:
    """Return the parent, and its parent where it holds nothing else: the entries of a list are neighbours."""
    parent = node.parent
    if parent is None:
        return set()
    is_shell = parent.parent is not None and len(text_of(parent)) <= len(text_of(node)) + 4
    return {parent.mem_id, parent.parent.mem_id} if is_shell and parent.parent is not None else {parent.mem_id}


def _is_foreign(node: Node) -> bool:
    above = (node, *ancestors(node, 6))
    return any(traits_of(label_of(each)).is_comments or each.tag in _FOREIGN_TAGS for each in above) or any(
        _FOREIGN_LABEL.search(words_of(label_of(each))) for each in above[:4]
    )


def _names_in(node: Node) -> list[str]:
    links = [text for link in node.css("a") if 2 < len(text := _TAIL.sub("", text_of(link))) < _LONGEST]
    return links if links and node.tag != "a" else [_TAIL.sub("", text_of(node))]


def _spoken(tree: Tree, headline: Node | None, title: str) -> str:
    """Return the first short line after the headline that opens with "By" or its like; empty where there is none."""
    is_after = False
    for line in lines_of(tree):
        if not is_after:
            is_after = is_headline(line, headline, title)
        elif sum(map(len, line.pieces)) < 4 * _LONGEST and len(text := line.text) < _LONGEST:
            name = _TAIL.sub("", spoken[1]) if (spoken := _SPOKEN.match(text)) and not _IMPRINT.search(text) else ""
            if name and not _is_foreign(line.block) and not _is_imprint(line.block):
                return name
    return ""


def _is_imprint(node: Node) -> bool:
    """Tell whether an element stands in the page's footer, and not in its article's."""
    above = [each.tag for each in ancestors(node)]
    return "footer" in above and "article" not in above and "main" not in above
