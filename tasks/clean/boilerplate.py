"""What stands in an article's container and is no part of it: found on the outline, cut from the tree."""

from collections.abc import Iterator

from tasks.clean.nodes import text_of
from tasks.clean.outline import BLOCK_TAGS, INLINE_TAGS, PARAGRAPH_TAGS, Outline
from tasks.clean.phrases import is_box_title
from tasks.clean.reading import Reading

# A word whose elements hold more of the container than this names something else here ("event-", "sidebar-grid").
_MOST_BY_WORD = 0.4
_MOST_BY_ELEMENT = 0.3
_MOST_OF_COMMENTS = 0.9
# A phrase stands in a sentence when its block has this many times its text.
_SENTENCE = 1.5
_SHORTEST_TITLE, _LONGEST_TITLE = 4, 60
_CELLS = frozenset({"td", "th"})
_MOST_BY_TITLE = 0.3
_SHORTEST_SENTENCE = 80
# With this much text beside it, an aside may be cut however long it is.
_ENOUGH_BESIDE = 1_200
_ASIDE_TAGS = frozenset({"aside", "footer", "address"})
# What a label says of these is about a word in a sentence: a link to a "tag" page is part of its paragraph.
_PHRASE_TAGS = frozenset({"a", "abbr", "b", "cite", "em", "i", "mark", "strong"})


def cut_boilerplate(reading: Reading, container: int) -> set[int]:
    """Take furniture out of the container and return what was cut. Nodes below must not be touched afterwards."""
    outline = reading.outline
    size = max(1, outline.length[container])
    inside = range(container + 1, outline.ends[container])
    foreign = {index for index in reading.foreign if index in inside}
    cut = foreign | _aside(outline, container, size) | _by_word(reading, container, size) | _titled(reading, container)
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
    # What must be paid for is kept from screen readers by some, and shown all the same.
    if "hidden" in attributes or (attributes.get("aria-hidden") == "true" and not outline.traits[index].is_paywall):
        return True
    style = attributes.get("style")
    return bool(style) and "display:none" in (style or "").replace(" ", "").lower()


def _by_word(reading: Reading, container: int, size: int) -> set[int]:
    outline = reading.outline
    hits: dict[str, list[int]] = {}
    for index in range(container + 1, outline.ends[container]):
        if (word := outline.traits[index].junk) and not _is_text(outline, index):
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


def _titled(reading: Reading, container: int) -> set[int]:
    """Return boxes that say themselves what they are: their first text is a title such as "Related stories"."""
    outline = reading.outline
    most = _MOST_BY_TITLE * max(1, outline.length[container])
    cut: set[int] = set()
    for index in range(container + 1, outline.ends[container]):
        if not _SHORTEST_TITLE <= outline.length[index] <= _LONGEST_TITLE:
            continue
        if outline.own[index] != outline.length[index] and outline.tags[index] not in INLINE_TAGS:
            continue
        if outline.tags[outline.wrappers[index]] in _CELLS:  # with others in its row: it heads a column
            continue
        box = _box(outline, index, container, most)
        if box != index and is_box_title(text_of(outline.nodes[index])):
            cut.add(box)
    return cut


def _box(outline: Outline, title: int, container: int, most: float) -> int:
    """Return the outermost element of which a title is the first text, of those with at most so many characters."""
    box = title
    while (above := outline.parents[box]) > container and outline.starts[above] == outline.starts[title]:
        if outline.length[above] > most:
            break
        box = above
    return box


def _is_text(outline: Outline, index: int) -> bool:
    """Tell whether an element is a phrase among others of its paragraph, or a paragraph that must be paid for."""
    # schema.org asks publishers to mark the paragraphs behind a paywall: the class "paywall" names the article.
    if outline.traits[index].is_paywall and outline.tags[index] in PARAGRAPH_TAGS:
        return True
    if outline.tags[index] not in _PHRASE_TAGS:
        return False
    block = next((above for above in outline.ancestors(index) if outline.tags[above] in BLOCK_TAGS), 0)
    return outline.own[block] > max(_SHORTEST_SENTENCE, _SENTENCE * outline.length[index])


def _topmost(outline: Outline, elements: set[int] | list[int]) -> Iterator[int]:
    end = 0
    for index in sorted(elements):
        if index >= end:
            end = outline.ends[index]
            yield index
