"""Who wrote an article, where only the page itself says so."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import dropwhile, islice
from urllib.parse import unquote

from tasks.clean.data import vocabulary
from tasks.clean.labels import traits_of, words_of
from tasks.clean.metadata.headline import Headline
from tasks.clean.metadata.lines import Lines, headline_test
from tasks.clean.metadata.sources import Sources
from tasks.clean.nodes import Node, Tree, ancestors, attribute, label_of, parted_text_of, text_of

_WORDS = vocabulary("names")


# All begin with a slash: said once, it is looked for first.
_FOLDER = re.compile(
    f"/(?:{'|'.join(re.escape(folder.removeprefix('/')) for folder in _WORDS['folders'])})", re.IGNORECASE
)
_LABELLED = ", ".join(f"[class*={word} i]" for word in _WORDS["labels"])
_NAME_LABEL = re.compile(r"author[-_ ]?name|by-?line|contributor|creator")
_LONGEST = 120
_MOST_MARKED, _MOST, _MOST_WORDS = 400, 30, 5
# Names of pictures' makers, of other articles' authors and of readers stand in such elements.
_FOREIGN_TAGS = frozenset({"figure", "figcaption", "picture", "blockquote", "nav"})
_FOREIGN_LABEL = re.compile(
    r" (?:photo\w*|foto\w*|caption|credits?|licen[cs]e|copyright|figure|gallery|related|recommend\w*|popular|trending) "
)
# Dates, and what follows them, are no names.
_TAIL = re.compile(r"\s*(?:\d.*|[|•·–—].*|\b(?:published|updated|posted|am \d).*)$", re.IGNORECASE)
_NUMBER_FOLLOWS = re.compile(r"\s*\d")
# The day with its month: a month before it is a name, as in "Jo March, 26 May".
_WHOLE_DAY_FOLLOWS = re.compile(r"\s*\d{1,4}(?:[./-]\d|\.?\s+(?:de\s+)?([^\W\d_]+))")
_DAYS = frozenset(_WORDS["days"])
_MONTHS = frozenset(word for words in vocabulary("dates")["months"] for word in words.split())
_WEEKDAYS = _DAYS - _MONTHS
_IMPRINT = re.compile(r"©|copyright|powered by|rights reserved", re.IGNORECASE)
# "By" opens the line, or follows a date that does.
_SPOKEN = re.compile(
    r"(?:^\W{0,3}|^.{0,40}\d\W{1,4})((?:"
    + "|".join(map(re.escape, sorted(_WORDS["spoken"], key=len, reverse=True)))
    + r")[\s:：]\s*(?=(?-i:[^\W\d_a-z])).*)",
    re.IGNORECASE,
)


def visible_bylines(sources: Sources, headline: Headline) -> Iterator[list[str]]:
    """Yield the bylines that a page shows near its headline, those of the surest kind of mark first."""
    for nodes in _marked(sources.tree, headline.node):
        if names := _names_in(nodes):
            yield names
    if spoken := _spoken(sources.lines, headline):
        yield [spoken]


def _marked(tree: Tree, headline: Node | None) -> Iterator[list[Node]]:
    """Yield the elements that a page's author marked as bylines, by kind of mark."""
    yield _from_headline(tree, "[rel~=author], [itemprop~=author]", headline)
    yield [link for link in _from_headline(tree, "a[href]", headline, _leads_to_a_folder) if _is_named_in_address(link)]
    labelled = _from_headline(tree, _LABELLED, headline)
    yield [node for node in labelled if _NAME_LABEL.search(label_of(node))]
    yield labelled


def _leads_to_a_folder(link: Node) -> bool:
    """Tell whether a link leads to where sites keep authors' pages: lexbor compares nine words more slowly."""
    attributes = link.attributes
    return _FOLDER.search(attributes["href"] or "") is not None and "license" not in (attributes.get("rel") or "")


def _from_headline(
    tree: Tree, selector: str, headline: Node | None, is_meant: Callable[[Node], bool] | None = None
) -> list[Node]:
    """Return the elements that a selector finds and a test lets pass, those after the headline first."""
    nodes = tree.css(f"h1, {selector}")
    start = next((at for at, node in enumerate(nodes) if headline is not None and node.mem_id == headline.mem_id), -1)
    candidates = (node for node in (*nodes[start + 1 :], *nodes[: max(start, 0)]) if node.tag != "h1")
    return list(islice(filter(is_meant, candidates) if is_meant else candidates, _MOST_MARKED))


def _names_in(nodes: list[Node]) -> list[str]:
    """Return what the first element that can hold a byline says, and its neighbours."""
    usable = [node for node in nodes[:_MOST] if 2 < len(text_of(node)) < _LONGEST and not _is_foreign(node)]
    if not usable:
        return []
    home = _home(usable[0])
    names = (name for node in usable[:6] if _home(node) & home for name in _names(node))
    return list(dict.fromkeys(names))


def _is_named_in_address(link: Node) -> bool:
    """Tell whether an author's page is linked by the author's name: other links to it say what it is."""
    address, words = _plain(unquote(attribute(link, "href"))), _plain(text_of(link)).split()
    return 1 < len(words) <= _MOST_WORDS and any(len(word) > 2 and word in address for word in words)


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


def _names(node: Node) -> list[str]:
    links = [text for link in node.css("a") if 2 < len(text := _name(link)) < _LONGEST]
    if links and node.tag != "a":
        return links
    pieces = _pieces(node)
    while len(pieces) == 1 and pieces[0].tag != "-text":
        pieces = _pieces(pieces[0])
    is_list = len(pieces) > 1 and all(piece.tag != "-text" and " " in text_of(piece) for piece in pieces)
    return [_name(piece) for piece in (pieces if is_list else [node])]


def _pieces(node: Node) -> list[Node]:
    return [piece for piece in node.iter(include_text=True) if text_of(piece)]


def _name(node: Node) -> str:
    """Return what an element says, without a date at its end, and without a day in an element of its own.

    >>> [_name(Tree(f"<p>{said}").css_first("p")) for said in ("Ana Ruiz, Monday, May 3", "Ana Ruiz <i>Monday</i>")]
    ['Ana Ruiz', 'Ana Ruiz']
    """
    said = parted_text_of(node)
    last = next(filter(None, map(text_of, reversed(list(islice(node.traverse(include_text=True), 1, _MOST))))), said)
    return _undated(said.removesuffix(last) if last.casefold() in _DAYS and last != said else said)


def _undated(said: str) -> str:
    """Cut from a name the date that follows it, with its words.

    >>> _undated("Ana Ruiz Monday, November 18, 2019"), _undated("Ana Ruiz | Courier"), _undated("Ana April")
    ('Ana Ruiz', 'Ana Ruiz', 'Ana April')
    >>> _undated("Jo March, 18 November 2019"), _undated("Jo May May 18, 2019")
    ('Jo March', 'Jo May')
    """
    name = _TAIL.sub("", said)
    if _NUMBER_FOLLOWS.match(said, len(name)):
        words = name.split()
        if words and not _has_month(said[len(name) :]) and _is_in(_MONTHS, words[-1]):
            words.pop()
        while words and _is_in(_WEEKDAYS, words[-1]):
            words.pop()
        name = " ".join(words)
    return name.rstrip(" ,")


def _has_month(date: str) -> bool:
    """Tell whether a date that begins with a number names its month after that.

    >>> _has_month("18 November 2019"), _has_month("2019-11-18"), _has_month("18, 2019")
    (True, True, False)
    """
    day = _WHOLE_DAY_FOLLOWS.match(date)
    return day is not None and (day[1] is None or _is_in(_MONTHS, day[1]))


def _is_in(words: frozenset[str], word: str) -> bool:
    return word.strip(".,").casefold() in words


def _spoken(lines: Lines, headline: Headline) -> str:
    """Return the first short line after the headline that opens with "By" or its like; empty where there is none."""
    is_headline = headline_test(headline.node, headline.text)
    for line in dropwhile(lambda line: not is_headline(line), lines):
        if sum(map(len, line.pieces)) > 4 * _LONGEST or len(text := line.text) > _LONGEST:
            continue
        name = _undated(spoken[1]) if (spoken := _SPOKEN.match(text)) and not _IMPRINT.search(text) else ""
        if name and not _is_foreign(line.block) and not _is_imprint(line.block):
            return name
    return ""


def _is_imprint(node: Node) -> bool:
    """Tell whether an element stands in the page's footer, and not in its article's."""
    above = [each.tag for each in ancestors(node)]
    return "footer" in above and "article" not in above and "main" not in above
