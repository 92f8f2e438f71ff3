"""A page as lines of text, the way it is read: a block's own text, up to the next block or line break."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from tasks.clean.data import vocabulary
from tasks.clean.nodes import Node, Tree, attribute, label_of
from tasks.clean.whitespace import flat

_BLOCKS = frozenset(vocabulary("tags")["block"])
_SILENT = frozenset({"script", "style", "noscript", "template", "svg", "option", "textarea"})
# No article is longer.
_MOST_LINES, _MOST_TIMES = 20_000, 40
# Inline elements are not nested deeper than this.
_DEEPEST = 40
_TELLING = frozenset({"-text", "br", "time"})


@dataclass(frozen=True, slots=True)
class TimeElement:
    """A `time` element: how many pieces of its line stand before it, what it says, and what it is called."""

    place: int
    written: str
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """What a page shows on one line: the text of one block, in pieces."""

    block: Node
    pieces: list[str] = field(default_factory=list)
    times: list[TimeElement] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The line as read."""
        return flat(" ".join(self.pieces))


class Lines:
    """The lines that a page shows, in its order, read when they are asked for, and once.

    >>> [line.text for line in Lines(Tree("<p>By <b>Ana</b><br>today</p>"))]
    ['By Ana', 'today']
    """

    def __init__(self, tree: Tree) -> None:
        self._read: list[Line] = []
        self._unread = _lines_of(tree)

    def __iter__(self) -> Iterator[Line]:
        yield from self._read
        for line in islice(self._unread, _MOST_LINES - len(self._read)):
            self._read.append(line)
            yield line


def _lines_of(tree: Tree) -> Iterator[Line]:
    line: Line | None = None
    blocks: dict[int, Node | None] = {}
    if tree.body is None:
        return
    for node in tree.body.traverse(include_text=True, skip_empty=True):
        tag = node.tag
        if tag not in _TELLING or (parent := node.parent) is None:
            continue
        key = parent.mem_id
        if key not in blocks:
            blocks[key] = _block_of(parent)
        block = blocks[key]
        if block is None:
            continue
        if line is None or tag == "br" or line.block.mem_id != block.mem_id:
            if line is not None:
                yield line
            line = Line(block)
        if tag == "-text":
            line.pieces.append(node.text_content or "")
        elif len(line.times) < _MOST_TIMES and (written := attribute(node, "datetime")):
            label = f"{label_of(node)} {attribute(node, 'itemprop')}".lower()
            line.times.append(TimeElement(len(line.pieces), written, label))
    if line is not None:
        yield line


def headline_test(headline: Node | None, title: str) -> Callable[[Line], bool]:
    """Return what tells the headline from other lines: its element, or, where that is no block, the title's words."""
    if headline is None or headline.tag not in _BLOCKS:
        return lambda line: bool(title) and line.text == title
    blocks = frozenset(node.mem_id for node in headline.traverse())
    return lambda line: line.block.mem_id in blocks


def _block_of(parent: Node) -> Node | None:
    """Return the nearest block that an element is or stands in; None where it shows no text."""
    if parent.tag in _SILENT:
        return None
    above: Node | None = parent
    for _ in range(_DEEPEST):
        if above is None or above.tag in _BLOCKS:
            break
        above = above.parent
    return above or parent
