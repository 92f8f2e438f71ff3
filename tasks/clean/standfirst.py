"""The sentences between headline and body, outside the body's container or on top of it."""

from collections.abc import Iterable
from itertools import islice

from tasks.clean.blocks import STANDFIRST_MARK
from tasks.clean.captions import is_caption
from tasks.clean.container import squeeze
from tasks.clean.labels import is_standfirst
from tasks.clean.nodes import parted_text_of, text_of
from tasks.clean.outline import Outline
from tasks.clean.reading import Reading

_BLOCK_TAGS = frozenset({"h2", "p", "div", "section"})
_TAGS = _BLOCK_TAGS | {"span", "strong"}
_MOST_LINKED = 0.3
_SHORTEST, _LONGEST = 40, 700
_SAME = 32
# With this much text before it, a paragraph stands in the body.
_MOST_BEFORE = 200
# A caption is so near above its words; a byline has so few parts.
_REACH, _MOST_PARTS = 6, 50


def find_standfirst(reading: Reading, container: int, summary: str) -> str:
    """Return the standfirst of an article: what is marked as one, or is its summary, between headline and container."""
    outline, headline = reading.outline, reading.headline
    if headline is None:
        return ""
    for index in range(headline + 1, container):
        if outline.contains(index, container) or outline.tags[index] not in _TAGS:
            continue
        parent = outline.parents[index]
        is_marked = is_standfirst(outline.labels[index]) or (
            outline.tags[index] in ("p", "h2")
            and parent > 0
            and not outline.contains(parent, container)
            and is_standfirst(outline.labels[parent])
        )
        if not _SHORTEST < outline.length[index] < _LONGEST or outline.link_density(index) >= _MOST_LINKED:
            continue
        is_meant = is_marked or (outline.own[index] == outline.length[index] and _begins(outline, index, summary))
        if is_meant and not _is_beside(outline, index, headline):
            return parted_text_of(outline.nodes[index])
    return ""


def _is_beside(outline: Outline, index: int, headline: int | None) -> bool:
    """Tell whether an element is no standfirst, whatever it is called: a caption, or little besides one or a date."""
    for above in islice(outline.ancestors(index), _REACH):
        if headline is not None and outline.contains(above, headline):
            break
        if is_caption(outline, above):
            return True
    parts = range(index, min(outline.ends[index], index + _MOST_PARTS))
    others = sum(outline.length[part] for part in parts if outline.tags[part] == "time" or is_caption(outline, part))
    return outline.length[index] - others <= _SHORTEST


def _begins(outline: Outline, index: int, summary: str) -> bool:
    beginning = squeeze(text_of(outline.nodes[index]))[:_SAME]
    return len(beginning) == _SAME and squeeze(summary).startswith(beginning)


def mark_standfirst(outline: Outline, container: int, headline: int | None, cut: Iterable[int]) -> None:
    """Mark the standfirst on top of a container, where the page's author named one and it was not cut."""
    if (index := _on_top(outline, container, headline, set(cut))) is not None:
        outline.nodes[index].attrs[STANDFIRST_MARK] = ""


def _on_top(outline: Outline, container: int, headline: int | None, cut: set[int]) -> int | None:
    before = past = 0
    for index in range(max(container, headline or 0) + 1, outline.ends[container]):
        if index in cut:
            past = max(past, outline.ends[index])
        if index < past:
            continue
        if before > _MOST_BEFORE:
            break
        size = outline.length[index]
        if (
            outline.tags[index] in _BLOCK_TAGS
            and _SHORTEST < size < min(_LONGEST, outline.length[container] // 2)
            and outline.link_density(index) < _MOST_LINKED
            and is_standfirst(outline.labels[index])
            and not _is_beside(outline, index, headline)
        ):
            return index
        before += outline.own[index]
    return None
