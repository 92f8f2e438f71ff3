"""Which element of a page holds the article."""

import re
from collections.abc import Sequence

from tasks.clean.labels import is_body
from tasks.clean.outline import PARAGRAPH_TAGS, SIDE_TAGS, Outline

# Shorter pieces of text are captions, buttons, menus.
_SHORTEST_PARAGRAPH = 25
_SHORTEST_OTHER = 60
_MOST_LINKED = 0.6
# A paragraph speaks for its parent, and less for each element further up.
_DECAY = 0.88
_REACH = 6
_CANDIDATES = 25
# An article with a headline and less text than this is a header; the body stands elsewhere.
_SHORTEST_HOME = 400
_WIDER_BY = 1.15
_WORD_CHARACTERS = re.compile(r"\W+")


def find_container(outline: Outline, headline: int | None, probes: Sequence[str]) -> int:
    """Return the element that holds the article's body; 0, the page's body, where nothing stands out.

    `headline` is the index of the h1 that shows the title; `probes` are pieces of the body that metadata quotes.
    """
    weights = [_weight(outline, index) for index in range(len(outline.nodes))]
    home = _enclosing_article(outline, headline) if headline is not None else None
    for start, end in foreign_articles(outline, headline):
        weights[start:end] = [0] * (end - start)
    scores = _scores(outline, weights)
    if not scores:
        return 0
    best_first = sorted(scores, key=scores.__getitem__, reverse=True)[:_CANDIDATES]
    judged = {index: scores[index] * _trust(outline, index, home, probes) for index in best_first}
    return _widen(outline, max(judged, key=judged.__getitem__), weights)


def foreign_articles(outline: Outline, headline: int | None) -> list[tuple[int, int]]:
    """Return the spans of `article` elements beside the one with the headline: other articles, and teasers for them."""
    home = _enclosing_article(outline, headline) if headline is not None else None
    if home is None:
        return []
    home_text = sum(_weight(outline, index) for index in range(home, outline.ends[home]))
    if home_text < _SHORTEST_HOME:
        return []
    return [
        (index, outline.ends[index])
        for index, tag in enumerate(outline.tags)
        if tag == "article" and not outline.contains(index, home) and not outline.contains(home, index)
    ]


def running_text(outline: Outline, container: int) -> int:
    """Return how many characters of running text stand in an element, without what its label names as furniture."""
    span = range(container, outline.ends[container])
    return sum(_weight(outline, index) for index in span if not outline.is_junk[index])


def _weight(outline: Outline, index: int) -> int:
    """Return how many characters of running text a block brings."""
    own, linked, tag = outline.own[index], outline.own_linked[index], outline.tags[index]
    shortest = _SHORTEST_PARAGRAPH if tag in PARAGRAPH_TAGS else _SHORTEST_OTHER
    if own < shortest or linked > _MOST_LINKED * own or tag in SIDE_TAGS or outline.is_comment[index]:
        return 0
    return own - linked


def _scores(outline: Outline, weights: Sequence[int]) -> dict[int, float]:
    scores: dict[int, float] = {}
    for index, weight in enumerate(weights):
        if not weight:
            continue
        share = weight * (0.4 if outline.is_junk[index] else 1.0)
        above = outline.parents[index] if outline.tags[index] in PARAGRAPH_TAGS else index
        for _ in range(_REACH):
            if above <= 0:
                break
            scores[above] = scores.get(above, 0.0) + share
            share *= _DECAY
            above = outline.parents[above]
    return scores


def _enclosing_article(outline: Outline, index: int) -> int | None:
    return next((above for above in outline.ancestors(index) if outline.tags[above] == "article"), None)


def _trust(outline: Outline, index: int, home: int | None, probes: Sequence[str]) -> float:
    """Return by what a candidate's score is multiplied, from what it is and where it stands."""
    trust = 1.0
    node, tag, label = outline.nodes[index], outline.tags[index], outline.labels[index]
    if "articlebody" in (node.attributes.get("itemprop") or "").lower():
        trust *= 1.6
    if label and is_body(label):
        trust *= 1.3
    if tag in ("article", "main"):
        trust *= 1.1
    if tag in ("aside", "footer", "header"):
        trust *= 0.3
    if outline.is_comment[index]:
        trust *= 0.2
    own_article = index if tag == "article" else _enclosing_article(outline, index)
    if home is not None and own_article is not None and own_article != home:
        trust *= 0.5
    density = outline.link_density(index)
    if density > 0.3:
        trust *= max(0.2, 1 - 1.5 * (density - 0.3))
    return trust * (0.2 + _found(outline, index, probes) if probes else 1.0)


def _found(outline: Outline, index: int, probes: Sequence[str]) -> float:
    text = squeeze(outline.nodes[index].text(deep=True))
    return sum(probe in text for probe in probes) / len(probes)


def squeeze(text: str) -> str:
    """Return a text's word characters alone, so that texts can be compared whatever their spaces and marks.

    >>> squeeze("So, what?")
    'Sowhat'
    """
    return _WORD_CHARACTERS.sub("", text)


def _widen(outline: Outline, index: int, weights: Sequence[int]) -> int:
    """Climb while an ancestor brings a good deal more running text with few links: adverts split bodies in two."""
    weights = [0 if junk else weight for weight, junk in zip(weights, outline.is_junk, strict=True)]
    chosen, text = index, sum(weights[index : outline.ends[index]])
    for above in list(outline.ancestors(index))[:5]:
        wider = sum(weights[above : outline.ends[above]])
        if wider > _WIDER_BY * text + 150:
            if outline.is_comment[above] or outline.link_density(above) >= 0.3:
                break
            chosen, text = above, wider
    return chosen
