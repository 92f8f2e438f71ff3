"""What stands in an article's container and is no part of it: found on the outline, cut from the tree."""

from collections.abc import Iterator

from tasks.clean.outline import Outline
from tasks.clean.reading import Reading

# A word whose elements hold more of the container than this names something else here ("event-", "sidebar-grid").
_MOST_BY_WORD = 0.4
_MOST_BY_ELEMENT = 0.3
_MOST_OF_COMMENTS = 0.9
# With this much text beside it, an aside may be cut however long it is.
_ENOUGH_BESIDE = 1_200
_ASIDE_TAGS = frozenset({"aside", "footer", "address"})


def cut_boilerplate(reading: Reading, container: int) -> set[int]:
    """Take furniture out of the container and return what was cut. Nodes below must not be touched afterwards."""
    outline = reading.outline
    size = max(1, outline.length[container])
    inside = range(container + 1, outline.ends[container])
    foreign = {index for index in inside if reading.is_foreign[index]}
    cut = foreign | _aside(outline, container, size) | _by_word(reading, container, size)
    for index in _topmost(outline, cut):
        outline.nodes[index].decompose()
    return cut


def _aside(outline: Outline, container: int, size: int) -> set[int]:
    return {
        index
        for index in range(container + 1, outline.ends[container])
        if outline.length[index] > 0
        and (outline.length[index] < _MOST_BY_WORD * size or size - outline.length[index] > _ENOUGH_BESIDE)
        and (outline.tags[index] in _ASIDE_TAGS or _stands_alone(outline, index) or _is_hidden(outline, index))
    }


def _stands_alone(outline: Outline, index: int) -> bool:
    """Tell whether an element is a time that is not part of a sentence: a dateline."""
    parent = outline.parents[index]
    return outline.tags[index] == "time" and outline.own[parent] == outline.length[index]


def _is_hidden(outline: Outline, index: int) -> bool:
    attributes = outline.nodes[index].attributes
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    style = attributes.get("style")
    return bool(style) and "display:none" in (style or "").replace(" ", "").lower()


def _by_word(reading: Reading, container: int, size: int) -> set[int]:
    outline = reading.outline
    hits: dict[str, list[int]] = {}
    for index in range(container + 1, outline.ends[container]):
        if word := outline.traits[index].junk:
            hits.setdefault(word, []).append(index)
    cut: set[int] = set()
    for elements in hits.values():
        held = sum(outline.length[index] for index in _topmost(outline, elements))
        for index in elements:
            if reading.is_comment[index]:
                is_cut = outline.length[index] < _MOST_OF_COMMENTS * size
            else:
                is_cut = held < _MOST_BY_WORD * size and outline.length[index] < _MOST_BY_ELEMENT * size
            if is_cut:
                cut.add(index)
    return cut


def _topmost(outline: Outline, elements: set[int] | list[int]) -> Iterator[int]:
    end = 0
    for index in sorted(elements):
        if index >= end:
            end = outline.ends[index]
            yield index
