"""What a page's outline is taken to mean: where its headline stands, what is running text, which labels to believe."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from tasks.clean.metadata.titles import agreement
from tasks.clean.nodes import text_of
from tasks.clean.outline import PARAGRAPH_TAGS, SIDE_TAGS, Outline

# Shorter pieces of text are captions, buttons, menus.
_SHORTEST_PARAGRAPH = 25
_SHORTEST_OTHER = 60
_MOST_LINKED = 0.6
_MOST_HEADINGS = 50
# An h1 needs to say half of the title; a lesser heading, most of it.
_HEADLINES = ((("h1",), 0.5), (("h2", "h3"), 0.7))
# An article with a headline and less text than this is a header; the body stands elsewhere.
_SHORTEST_HOME = 400
# What leaves less running text on the page than this is the page, whatever its label says.
_ENOUGH_BESIDE = 400
_SHARE_BESIDE = 0.33
# Readers comment below an article: what begins sooner after the headline is the article.
_SHORTEST_COMMENTED = 150
_ASIDES = frozenset({"aside", "footer"})


@dataclass(frozen=True, slots=True)
class Reading:
    """A page's outline with what it means; the columns run over its elements."""

    outline: Outline
    headline: int | None  # the heading that shows the title
    home: int | None  # the `article` that holds the headline, where it holds the body as well
    running: list[int]  # characters of running text that an element brings as a block
    before: list[int]  # running text before an element; at the end, that of the page
    prose_before: list[int]  # the same, without furniture
    foreign: frozenset[int]  # each `article` beside the one with the headline: another one, or a teaser for it
    is_comment: list[bool]  # in readers' comments
    is_junk: list[bool]  # in an element whose label names furniture

    def running_text(self, index: int) -> int:
        """Return how many characters of running text stand in an element."""
        return self.before[self.outline.ends[index]] - self.before[index]

    def prose(self, index: int) -> int:
        """Return how many characters of running text stand in an element, without furniture."""
        return self.prose_before[self.outline.ends[index]] - self.prose_before[index]


def read_page(outline: Outline, title: str) -> Reading:
    """Find the headline of an outline, its running text and its furniture."""
    headline = _find_headline(outline, title)
    running = [
        _running(own, linked, tag) if own >= _SHORTEST_PARAGRAPH else 0
        for own, linked, tag in zip(outline.own, outline.own_linked, outline.tags, strict=True)
    ]
    before = list(accumulate(running, initial=0))
    comments = _commented(outline, headline, before)
    home = _home(outline, headline, before)
    foreign = _foreign(outline, home)
    is_comment = _inside(outline, comments)
    is_junk = _inside(outline, _furniture(outline, headline, before))
    is_other = _inside(outline, sorted([*comments, *foreign]))
    running = [0 if told else size for size, told in zip(running, is_other, strict=True)]
    prose = [0 if told else size for size, told in zip(running, is_junk, strict=True)]
    return Reading(
        outline=outline,
        headline=headline,
        home=home,
        running=running,
        before=list(accumulate(running, initial=0)),
        prose_before=list(accumulate(prose, initial=0)),
        foreign=frozenset(foreign),
        is_comment=is_comment,
        is_junk=is_junk,
    )


def _find_headline(outline: Outline, title: str) -> int | None:
    """Return the index of the heading that shows the title; None where none does."""
    for tags, least in _HEADLINES:
        best, found = 0.0, None
        shown = (index for index, tag in enumerate(outline.tags) if tag in tags and outline.length[index] > 3)
        for index, _ in zip(shown, range(_MOST_HEADINGS), strict=False):
            agrees = agreement(text_of(outline.nodes[index]), [title])
            if agrees > best:
                best, found = agrees, index
        if best >= least:
            return found
    return None


def _running(own: int, linked: int, tag: str) -> int:
    if tag in SIDE_TAGS or linked > _MOST_LINKED * own:
        return 0
    return own - linked if own >= _SHORTEST_OTHER or tag in PARAGRAPH_TAGS else 0


def _commented(outline: Outline, headline: int | None, before: list[int]) -> list[int]:
    """Return the elements that are labelled as readers' comments, and can be."""
    return [
        index
        for index, traits in enumerate(outline.traits)
        if traits.is_comments and _size_beside(outline, index, headline, before) >= _SHORTEST_COMMENTED
    ]


def _size_beside(outline: Outline, index: int, headline: int | None, before: list[int]) -> int:
    """Return how much running text stands between the headline and a piece that would be comments, or beside it."""
    if headline is None:
        return before[-1] - (before[outline.ends[index]] - before[index])
    if outline.contains(index, headline):
        return 0
    return before[index] - before[headline] if index > headline else _SHORTEST_COMMENTED


def _furniture(outline: Outline, headline: int | None, before: list[int]) -> list[int]:
    """Return the elements labelled as furniture by a word that does not name the headline or most of the page."""
    page = before[-1]
    held: dict[str, int] = {}
    ends: dict[str, int] = {}
    labelled: list[tuple[int, str]] = []
    for index, (traits, tag) in enumerate(zip(outline.traits, outline.tags, strict=True)):
        word = traits.junk or (tag if tag in _ASIDES else "")
        if not word or (headline is not None and outline.contains(index, headline)):
            continue
        labelled.append((index, word))
        if index >= ends.get(word, 0):
            end = ends[word] = outline.ends[index]
            held[word] = held.get(word, 0) + before[end] - before[index]
    believed = {word for word, size in held.items() if page - size >= max(_ENOUGH_BESIDE, _SHARE_BESIDE * size)}
    return [index for index, word in labelled if word in believed]


def _inside(outline: Outline, claimed: Iterable[int]) -> list[bool]:
    """Tell which elements are or stand in one of those that are given in their order."""
    is_inside = [False] * len(outline.tags)
    past = 0
    for index in claimed:
        if index >= past:
            past = outline.ends[index]
            is_inside[index:past] = [True] * (past - index)
    return is_inside


def _home(outline: Outline, headline: int | None, before: list[int]) -> int | None:
    if headline is None:
        return None
    home = next((above for above in outline.ancestors(headline) if outline.tags[above] == "article"), None)
    if home is None or before[outline.ends[home]] - before[home] < _SHORTEST_HOME:
        return None
    return home


def _foreign(outline: Outline, home: int | None) -> list[int]:
    if home is None:
        return []
    return [
        index
        for index, tag in enumerate(outline.tags)
        if tag == "article" and not outline.contains(index, home) and not outline.contains(home, index)
    ]
