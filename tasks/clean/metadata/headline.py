"""The headline: which text it is, and which element shows it."""

import re
from dataclasses import dataclass
from itertools import islice

from tasks.clean.metadata.sources import Sources
from tasks.clean.metadata.titles import agreement, choose_title, parts_of, without_kicker, without_site_name
from tasks.clean.nodes import Node, Tree, ancestors, attribute, label_of, text_of

_MOST_HEADINGS, _MOST_PIECES = 20, 8
# What old pages set a headline in instead of an h1.
_HEADLINE_TAGS = "h2, h3, font, b, strong, big"
_MOST_HEADLINES = 200
_TITLE_WEIGHTS = {"og:title": 1.0, "twitter:title": 0.5}
_KICKER = re.compile(r"(?<=:)\s+")
_TRAIL = re.compile("crumb")
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
    shown = _shown(sources, declared)
    declared.append((document_title(sources.tree), 0.5))
    if not any(title for title, _ in declared):
        declared = [(title, 1.0) for title in sources.tags.all("title")][:1]
    site = " ".join(sources.site_names)
    title = ""
    if shown or any(title for title, _ in declared[:-1]):
        title = choose_title(list(shown), declared, site, introducing=_introducing(shown))
    if not title and (alone := _part_shown_alone(sources.tree, document_title(sources.tree))):
        return alone
    title = title or choose_title([], declared, site)
    return Headline(title, max(shown.items(), key=lambda pair: agreement(pair[0], [title]), default=("", None))[1])


def document_title(tree: Tree) -> str:
    """Return what a browser shows as the page's title."""
    node = tree.css_first("head title") or tree.css_first("title")
    return text_of(node) if node is not None else ""


def _shown(sources: Sources, declared: list[tuple[str, float]]) -> dict[str, Node]:
    """Return what the headings say that may show the headline, each with its element."""
    headings = [heading for heading in sources.tree.css("h1")[:_MOST_HEADINGS] if not _leads_home(heading)]
    shown = {text: heading for heading in headings if len(text := _heading_text(heading, declared)) > 3}
    in_trail = [text for text, heading in shown.items() if _is_in_trail(heading)]
    if in_trail and (other := _declared_to_people(sources, declared)):
        shown = {text: heading for text, heading in shown.items() if text not in in_trail} | other
    return shown


def _declared_to_people(sources: Sources, declared: list[tuple[str, float]]) -> dict[str, Node]:
    """Return the second-rank heading that shows og:title, which is written for people rather than search engines."""
    declared_title = next(iter(sources.tags.values.get("og:title", ())), "")
    title = without_site_name(declared_title, " ".join(sources.site_names), only_names=True)
    headings = {_heading_text(heading, declared): heading for heading in sources.tree.css("h2")[:_MOST_HEADINGS]}
    return {title: headings[title]} if title in headings and not _is_link(headings[title]) else {}


def _is_in_trail(heading: Node) -> bool:
    """Tell whether a heading is the last step of the breadcrumbs above an article rather than its headline."""
    return any(_TRAIL.search(label_of(node)) for node in (heading, *ancestors(heading, limit=3)))


def _introducing(shown: dict[str, Node]) -> str:
    """Return the only heading that stands in the `header` of an `article`; empty where there is none, or several."""
    tags = {text: [above.tag for above in ancestors(heading, limit=6)] for text, heading in shown.items()}
    found = [text for text, above in tags.items() if "header" in above and "article" in above[above.index("header") :]]
    return found[0] if len(found) == 1 else ""


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
