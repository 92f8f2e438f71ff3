"""Whether a page holds an article at all: errors, walls and section fronts, told by what they say and how little."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.clean.data import vocabulary
from tasks.clean.whitespace import flat
from tasks.documents import Reason
from tasks.words import count_words

# A page with this much text is no wall, whatever its headline says.
_LONGEST_WALL = 1_200
_LONGEST_WALL_IN_ARTICLE = 400
# A page with less text than this says nothing beside the phrase of a wall; one that declares an article may say more.
_LONGEST_NOTICE = 400
_LONGEST_NOTICE_IN_ARTICLE = 150
_FEWEST_LETTERS = 20
# Words that describe a product or a video; with more such a page is an article about it.
_LONGEST_DESCRIPTION = 80
_FRONT_TEASERS = 10
_FRONT_PARAGRAPH = 350
_FRONT_LINKS = 0.3

_WALLS = vocabulary("walls")
# A challenge says "access denied" and "not found" too, so that the order matters.
_PHRASES = {
    Reason.CAPTCHA: _WALLS["captcha"],
    Reason.SOFT_404: _WALLS["soft_404"],
    Reason.CONSENT_WALL: _WALLS["consent_wall"],
    Reason.LOGIN_WALL: _WALLS["login_wall"],
    Reason.ERROR_PAGE: _WALLS["error_page"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Impression:
    """What a verdict is passed on."""

    headlines: Sequence[str]  # the article's title and the document's
    text: str  # the article as found
    page_text: str  # all visible text, or the beginning of it, with its white space
    is_declared_article: bool = False
    link_density: float = 0.0  # of the whole page
    path: str = ""  # of its URL
    teasers: int = 0  # headings that are links
    longest: int = 0  # characters in the longest paragraph
    declared_other: Reason | None = None  # a product or a video, where the page declares no article


def verdict(impression: Impression) -> Reason | None:
    """Say why a page is no article; None where it is one.

    >>> verdict(Impression(headlines=["404 Not Found"], text="Try the search.", page_text="404 Try the search."))
    <Reason.SOFT_404: 'soft-404'>
    """
    if not impression.text and not flat(impression.page_text):
        return Reason.EMPTY
    if reason := _wall(impression):
        return reason
    if _is_section_front(impression):
        return Reason.SECTION_FRONT
    if impression.declared_other and count_words(impression.text) < _LONGEST_DESCRIPTION:
        return impression.declared_other
    if sum(map(str.isalpha, impression.text[:1_000])) < _FEWEST_LETTERS:
        return Reason.NO_ARTICLE_TEXT
    return None


def _wall(impression: Impression) -> Reason | None:
    """Tell a wall by its headline, else by the text around it: many a site speaks of cookies on every page."""
    # "Missing sailor not found" is a headline too.
    longest_wall = _LONGEST_WALL_IN_ARTICLE if impression.is_declared_article else _LONGEST_WALL
    if len(impression.text) >= longest_wall:
        return None
    longest_notice = _LONGEST_NOTICE_IN_ARTICLE if impression.is_declared_article else _LONGEST_NOTICE
    seen = flat(impression.page_text)
    rest = seen if len(seen) < longest_notice else ""
    return _named("\n".join(impression.headlines)) or _named(rest)


def _named(said: str) -> Reason | None:
    said = said.casefold()
    return next((reason for reason, phrases in _PHRASES.items() if any(phrase in said for phrase in phrases)), None)


def _is_section_front(impression: Impression) -> bool:
    """Tell a page of teasers: an address like a section's, many headings that are links, no paragraph of length."""
    return (
        not impression.is_declared_article
        and _names_section(impression.path)
        and impression.teasers >= _FRONT_TEASERS
        and impression.longest < _FRONT_PARAGRAPH
        and impression.link_density > _FRONT_LINKS
    )


def _names_section(path: str) -> bool:
    """Tell whether a path is near the root, or made of single words: articles have numbers or sentences in theirs.

    >>> _names_section("/"), _names_section("/news/local/"), _names_section("/news/ferry-sails-again")
    (True, True, False)
    """
    parts = path.strip("/").split("/")
    if any(map(str.isdigit, path)):
        return False
    return len(parts) == 1 or not any(mark in part for part in parts for mark in "-_.")
