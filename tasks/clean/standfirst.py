"""The sentences between headline and body, where they stand outside the body's container."""

from tasks.clean.container import squeeze
from tasks.clean.labels import is_standfirst
from tasks.clean.nodes import text_of
from tasks.clean.outline import Outline
from tasks.clean.reading import Reading

_TAGS = frozenset({"h2", "p", "div", "section", "span", "strong"})
_SHORTEST, _LONGEST = 40, 700
_SAME = 32


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
        if not _SHORTEST < outline.length[index] < _LONGEST or outline.link_density(index) >= 0.3:
            continue
        if is_marked or (outline.own[index] == outline.length[index] and _begins(outline, index, summary)):
            return text_of(outline.nodes[index])
    return ""


def _begins(outline: Outline, index: int, summary: str) -> bool:
    beginning = squeeze(text_of(outline.nodes[index]))[:_SAME]
    return len(beginning) == _SAME and squeeze(summary).startswith(beginning)
