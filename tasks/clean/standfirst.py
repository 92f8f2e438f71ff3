"""The sentences between headline and body, where they stand outside the body's container."""

from tasks.clean.labels import is_standfirst
from tasks.clean.nodes import text_of
from tasks.clean.reading import Reading

_TAGS = frozenset({"h2", "p", "div", "section", "span", "strong"})
_SHORTEST, _LONGEST = 40, 700


def find_standfirst(reading: Reading, container: int) -> str:
    """Return the standfirst of an article; empty where none is marked as one between headline and container."""
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
        if is_marked and _SHORTEST < outline.length[index] < _LONGEST and outline.link_density(index) < 0.3:
            return text_of(outline.nodes[index])
    return ""
