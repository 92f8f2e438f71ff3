"""Which element of a page holds the article."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from tasks.clean.labels import is_body
from tasks.clean.outline import PARAGRAPH_TAGS, Outline
from tasks.clean.reading import Reading

# A paragraph speaks for its parent, and less for each element further up.
_DECAY = 0.88
_DECAY_OF_WRAPPERS = 0.97
_REACH = 6
_CANDIDATES = 25
_SHARE_OF_JUNK = 0.4
# An article begins below its headline and a standfirst. With this much more text in between, the chance is half.
_NEAR = 500
_FAR = 1_500
_BEFORE_HEADLINE = 0.4
_MOST_WRAPPERS = 8
_WIDER_BY = 1.15
_HIGHER_BY = 5
_UNLIKE = 0.5
_OF_ONE_MAKE, _FEWEST_OF_ONE_MAKE = 0.9, 4
_WORD_CHARACTERS = re.compile(r"\W+")


def likely_containers(reading: Reading, probes: Sequence[str]) -> list[int]:
    """Return the elements that may hold the article's body, the likeliest first; none where nothing stands out.

    `probes` are pieces of the body that metadata quotes.
    """
    scores = _scores(reading)
    best_first = sorted(scores, key=scores.__getitem__, reverse=True)[:_CANDIDATES]
    judged = {index: scores[index] * _trust(reading, index) for index in best_first}
    if probes:
        places = _places(reading, probes)
        judged = {index: score * (0.2 + _found(reading.outline, index, places)) for index, score in judged.items()}
    return sorted(judged, key=judged.__getitem__, reverse=True)


def _scores(reading: Reading) -> dict[int, float]:
    """Return how much running text speaks for each element that has some near below it."""
    outline = reading.outline
    scores: dict[int, float] = {}
    for index, size in enumerate(reading.running):
        if not size:
            continue
        share = size * (_SHARE_OF_JUNK if reading.is_junk[index] else 1.0)
        above = outline.parents[index] if outline.tags[index] in PARAGRAPH_TAGS else index
        for _ in range(_REACH):
            if above <= 0:
                break
            scores[above] = scores.get(above, 0.0) + share
            wrapper = outline.wrappers[above]
            share *= _DECAY * _DECAY_OF_WRAPPERS ** (outline.depths[above] - outline.depths[wrapper])
            above = outline.parents[wrapper]
    return scores


def _trust(reading: Reading, index: int) -> float:
    """Return by what a candidate's score is multiplied, from what it is and where it stands."""
    outline, trust = reading.outline, _nearness(reading, index)
    tag, wrappers = outline.tags[index], _wrappers(outline, index)
    if any(
        "articlebody" in (outline.nodes[each].attributes.get("itemprop") or "").lower() for each in (index, *wrappers)
    ):
        trust *= 1.6
    if _is_body(outline, index):
        trust *= 1.3
    elif any(_is_body(outline, each) for each in wrappers):
        trust *= 1.15
    if tag in ("article", "main"):
        trust *= 1.1
    if tag in ("aside", "footer", "header"):
        trust *= 0.3
    if reading.is_comment[index]:
        trust *= 0.2
    own_article = index if tag == "article" else _enclosing_article(outline, index)
    if reading.home is not None and own_article is not None and own_article != reading.home:
        trust *= 0.5
    density = outline.link_density(index)
    if density > 0.3:
        trust *= max(0.2, 1 - 1.5 * (density - 0.3))
    return trust


def _wrappers(outline: Outline, index: int) -> list[int]:
    """Return the elements around an element and nothing else, as far as they are near."""
    around = [index]
    while around[-1] != outline.wrappers[index] and len(around) < _MOST_WRAPPERS:
        around.append(outline.parents[around[-1]])
    return around[1:]


def _is_body(outline: Outline, index: int) -> bool:
    return bool(outline.labels[index]) and is_body(outline.labels[index])


def _nearness(reading: Reading, index: int) -> float:
    outline, headline = reading.outline, reading.headline
    if headline is None or outline.contains(index, headline):
        return 1.0
    if index < headline:
        return _BEFORE_HEADLINE
    skipped = max(0, reading.prose_before[index] - reading.prose_before[headline] - _NEAR)
    return _FAR / (_FAR + skipped)


def _enclosing_article(outline: Outline, index: int) -> int | None:
    return next((above for above in outline.ancestors(index) if outline.tags[above] == "article"), None)


def _places(reading: Reading, probes: Sequence[str]) -> list[list[int]]:
    """Return for each probe the blocks of running text in which it begins."""
    blocks = [index for index, size in enumerate(reading.running) if size]
    texts = [squeeze(reading.outline.nodes[index].text(deep=True)) for index in blocks]
    starts = list(accumulate(map(len, texts), initial=0))
    whole = "".join(texts)
    return [
        [blocks[bisect_right(starts, found.start()) - 1] for found in re.finditer(re.escape(probe), whole)]
        for probe in probes
    ]


def _found(outline: Outline, index: int, places: list[list[int]]) -> float:
    """Return which share of the probes begins in an element."""
    return sum(any(outline.contains(index, place) for place in each) for each in places) / len(places)


def squeeze(text: str) -> str:
    """Return a text's word characters alone, so that texts can be compared whatever their spaces and marks.

    >>> squeeze("So, what?")
    'Sowhat'
    """
    return _WORD_CHARACTERS.sub("", text)


def widen(reading: Reading, index: int) -> int:
    """Climb while an ancestor brings a good deal more running text with few links: adverts split bodies in two."""
    outline = reading.outline
    # In a gallery that is the article, furniture is all there is.
    measure = reading.running_text if reading.is_junk[index] else reading.prose
    chosen, text, above = index, measure(index), index
    held: float = text
    for _ in range(_HIGHER_BY):
        below, above = above, outline.parents[outline.wrappers[above]]
        if above < 0:
            break
        held += _besides(outline, above, below, measure)
        if held > _WIDER_BY * text + 150:
            if above == 0 and not _is_of_one_make(outline, below, measure):
                break
            if reading.is_comment[above] or outline.link_density(above) >= 0.3:
                break
            chosen, text = above, measure(above)
            held = text
    return chosen


def _besides(outline: Outline, above: int, below: int, measure: Callable[[int], int]) -> float:
    """Measure what an element brings besides the part we come from; a part of another make counts half."""
    parts = list(outline.children(above))
    home = next(part for part in parts if outline.contains(part, below))
    make = _make(outline, home)
    return sum(
        measure(part) * (1.0 if outline.tags[part] in PARAGRAPH_TAGS or _make(outline, part) == make else _UNLIKE)
        for part in parts
        if part != home
    )


def _is_of_one_make(outline: Outline, below: int, measure: Callable[[int], int]) -> bool:
    """Tell whether nearly all on a page stands in parts like one of them, and these are many: then they make a body."""
    parts = list(outline.children(0))
    make = next(_make(outline, part) for part in parts if outline.contains(part, below))
    alike = [measure(part) for part in parts if _make(outline, part) == make and measure(part)]
    return len(alike) >= _FEWEST_OF_ONE_MAKE and sum(alike) >= _OF_ONE_MAKE * measure(0)


def _make(outline: Outline, index: int) -> tuple[str, str]:
    return outline.tags[index], outline.labels[index]
