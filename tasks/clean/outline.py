"""A page's body as columns: one walk over the tree, then arithmetic on lists."""

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.clean.data import vocabulary
from tasks.clean.labels import Traits, traits_of
from tasks.clean.nodes import LONGEST_LABEL, Node, Tree

_TAGS = vocabulary("tags")
BLOCK_TAGS, PARAGRAPH_TAGS, SIDE_TAGS, INLINE_TAGS = (
    frozenset(_TAGS[part]) for part in ("block", "paragraph", "side", "inline")
)
_STRIPPED_TAGS = frozenset(_TAGS["stripped"])
_NO_PARENT = -1
_UNNAMED = Traits()


@dataclass(frozen=True, slots=True)
class Outline:
    """Columns over the elements of a page's body, in document order: an element's descendants follow it at once.

    `length` and `linked` count the characters of text below an element, all and inside links; `own` and `own_linked`
    those that belong to the element as a block, without the blocks inside it.
    """

    nodes: list[Node]
    parents: list[int]
    tags: list[str]
    depths: list[int]
    ends: list[int]  # the index after the last descendant
    starts: list[int]  # characters of text before the element
    wrappers: list[int]  # the outermost element that holds the same text and no more
    length: list[int]
    linked: list[int]
    own: list[int]
    own_linked: list[int]
    labels: list[str]  # classes and id; empty for elements without text
    traits: list[Traits]  # of the labels

    def ancestors(self, index: int) -> Iterator[int]:
        """Yield an element's ancestors, nearest first, without the body itself."""
        index = self.parents[index]
        while index > 0:
            yield index
            index = self.parents[index]

    def children(self, index: int) -> Iterator[int]:
        """Yield the elements right below one."""
        child = index + 1
        while child < self.ends[index]:
            yield child
            child = self.ends[child]

    def link_density(self, index: int) -> float:
        """Return the share of an element's text that stands in links (0 to 1)."""
        return self.linked[index] / self.length[index] if self.length[index] else 0.0

    def contains(self, outer: int, inner: int) -> bool:
        """Tell whether one element is the other or stands below it."""
        return outer <= inner < self.ends[outer]


@dataclass(frozen=True, slots=True)
class _Walked:
    """What one walk over the tree finds: elements, texts as (parent, characters), and what holds no article's text."""

    nodes: list[Node]
    parents: list[int]
    tags: list[str]
    starts: list[int]
    texts: list[tuple[int, int]]
    stripped: list[Node]


def outline_of(tree: Tree) -> Outline | None:
    """Measure a page's body; None where it has none. What never holds an article's text is taken out of the tree."""
    body = tree.body
    if body is None:
        return None
    walked = _walk(body)
    for node in walked.stripped:
        node.decompose(recursive=False)
    length, linked, own, own_linked = _count(walked)
    ends = _sum_up(walked.parents, length, linked)
    labels = [_label(node) if size else "" for node, size in zip(walked.nodes, length, strict=True)]
    traits = [traits_of(label) if label else _UNNAMED for label in labels]
    return Outline(
        nodes=walked.nodes,
        parents=walked.parents,
        tags=walked.tags,
        starts=walked.starts,
        depths=_depths(walked.parents),
        ends=ends,
        wrappers=_wrappers(walked.parents, length),
        length=length,
        linked=linked,
        own=own,
        own_linked=own_linked,
        labels=labels,
        traits=traits,
    )


def _walk(body: Node) -> _Walked:
    """Visit all below the body in document order, by hand: lexbor's own walk would make each node's parent anew."""
    nodes, parents, tags, starts = [body], [_NO_PARENT], [body.tag or ""], [0]
    texts: list[tuple[int, int]] = []
    stripped: list[Node] = []
    resume: list[tuple[Node | None, int]] = []
    node, parent, total = body.first_child, 0, 0
    while node is not None or resume:
        if node is None:
            node, parent = resume.pop()
            continue
        tag = node.tag or "-undef"
        if tag == "-text":
            if size := len((node.text_content or "").strip()):
                texts.append((parent, size))
                total += size
        elif tag in _STRIPPED_TAGS:
            stripped.append(node)
        elif tag[0] not in "-!_":
            nodes.append(node)
            parents.append(parent)
            tags.append(tag)
            starts.append(total)
            if (child := node.first_child) is not None:
                resume.append((node.next, parent))
                node, parent = child, len(nodes) - 1
                continue
        node = node.next
    return _Walked(nodes, parents, tags, starts, texts, stripped)


def _count(walked: _Walked) -> tuple[list[int], list[int], list[int], list[int]]:
    """Credit each text to its element and its block."""
    elements = len(walked.nodes)
    block_of, in_link = [0] * elements, [False] * elements
    for index, (parent, tag) in enumerate(zip(walked.parents, walked.tags, strict=True)):
        block_of[index] = index if tag in BLOCK_TAGS or parent < 0 else block_of[parent]
        in_link[index] = tag == "a" or (parent >= 0 and in_link[parent])
    length, linked, own, own_linked = ([0] * elements for _ in range(4))
    for parent, size in walked.texts:
        block = block_of[parent]
        length[parent] += size
        own[block] += size
        if in_link[parent]:
            linked[parent] += size
            own_linked[block] += size
    return length, linked, own, own_linked


def _sum_up(parents: list[int], length: list[int], linked: list[int]) -> list[int]:
    """Add what is below an element to it, and return where its descendants end."""
    ends = list(range(1, len(parents) + 1))
    for index in range(len(parents) - 1, 0, -1):
        parent = parents[index]
        if parent >= 0:
            length[parent] += length[index]
            linked[parent] += linked[index]
            if ends[index] > ends[parent]:
                ends[parent] = ends[index]
    return ends


def _depths(parents: list[int]) -> list[int]:
    depths = [0] * len(parents)
    for index, parent in enumerate(parents):
        if parent >= 0:
            depths[index] = depths[parent] + 1
    return depths


def _wrappers(parents: list[int], length: list[int]) -> list[int]:
    wrappers = list(range(len(parents)))
    for index, parent in enumerate(parents):
        if parent > 0 and length[parent] == length[index]:
            wrappers[index] = wrappers[parent]
    return wrappers


def _label(node: Node) -> str:
    attributes = node.attributes
    classes, identifier = attributes.get("class"), attributes.get("id")
    return f"{classes or ''} {identifier or ''}".strip()[:LONGEST_LABEL] if classes or identifier else ""
