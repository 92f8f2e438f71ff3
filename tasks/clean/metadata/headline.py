"""The headline: which text it is, and which element shows it."""

import re
from dataclasses import dataclass
from itertools import islice

from tasks.clean.metadata.sources import Sources
from tasks.clean.metadata.titles import agreement, choose_title, parts_of, without_kicker
from tasks.clean.nodes import Node, Tree, ancestors, attribute, text_of

_MOST_HEADINGS, _MOST_PIECES = 20, 8
# What old pages set a headline in instead of an h1.
_HEADLINE_TAGS = "h2, h3, font, b, strong, big"
_MOST_HEADLINES = 200
_TITLE_WEIGHTS = {"og:title": 1.0, "twitter:title": 0.5}
_KICKER = re.compile(r"(?<=:)\s+")
_FRONT_PAGE = re.compile(r"(?:https?:)?//[^/?#]+/?|/|\./|index\.\w+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Headline:
    """A page's title, and the element that shows it, where one does."""

    text: str
    node: Node | None


def find_headline(sources: Sources) -> Headline:
    """Return the headline of a page's article."""
    declared = [(sources.linked.headline, 1.0)]
    for name, weight in _TITLE_WEIGHTS.items():
        declared += [(title, weight) for title in sources.tags.values.get(name, ())[:1]]
    headings = [heading for heading in sources.tree.css("h1")[:_MOST_HEADINGS] if not _leads_home(heading)]
    shown = {text: heading for heading in headings if len(text := _heading_text(heading, declared)) > 3}
    declared.append((document_title(sources.tree), 0.5))
    if not any(title for title, _ in declared):
        declared = [(title, 1.0) for title in sources.tags.all("title")][:1]
    site = " ".join(sources.site_names)
    title = choose_title(list(shown), declared, site) if shown or any(title for title, _ in declared[:-1]) else ""
    if not title and (alone := _part_shown_alone(sources.tree, document_title(sources.tree))):
        return alone
    title = title or choose_title([], declared, site)
    return Headline(title, max(shown.items(), key=lambda pair: agreement(pair[0], [title]), default=("", None))[1])


def document_title(tree: Tree) -> str:
    """Return what a browser shows as the page's title."""
    node = tree.css_first("head title") or tree.css_first("title")
    return text_of(node) if node is not None else ""


def _heading_text(heading: Node, declared: list[tuple[str, float]]) -> str:
    """Return what a heading says, without a kicker that stands in an element of its own or before a colon."""
    whole = text_of(heading)
    pieces = list(islice(filter(None, map(text_of, heading.iter(include_text=True))), _MOST_PIECES + 1))
    if len(pieces) == 1:
        pieces = [text for text in _KICKER.split(whole, maxsplit=1) if text]
    return without_kicker(whole, pieces, [title for title, _ in declared]) if len(pieces) <= _MOST_PIECES else whole


def _part_shown_alone(tree: Tree, title: str) -> Headline | None:
    """Return the longest part of a document's title that an element shows as all its text: an old page's headline."""
    if not (parts := parts_of(title)):
        return None
    alone = {text_of(node): node for node in tree.css(_HEADLINE_TAGS)[:_MOST_HEADLINES] if not _is_link(node)}
    return next((Headline(part, alone[part]) for part in parts if part in alone), None)


def _leads_home(heading: Node) -> bool:
    """Tell whether a heading is the site's name, linked to its front page."""
    link = heading.css_first("a[href]") or next(
        (above for above in ancestors(heading, limit=2) if above.tag == "a"), None
    )
    if link is None or len(text_of(link)) < len(text_of(heading)):
        return False
    return bool(_FRONT_PAGE.fullmatch(attribute(link, "href")))


def _is_link(node: Node) -> bool:
    """Tell whether a node is or stands in a link: a newspaper's own name usually does."""
    return node.tag == "a" or any(above.tag == "a" for above in ancestors(node, limit=4))
