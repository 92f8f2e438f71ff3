"""A cleaned piece of HTML as typed blocks and tables, and the text they make."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement

from tasks.clean.data import vocabulary
from tasks.clean.datelines import is_byline, is_chronicle, is_dateline
from tasks.clean.outline import BLOCK_TAGS
from tasks.clean.phrases import is_box_title
from tasks.clean.tables import read_table
from tasks.clean.whitespace import tidy
from tasks.documents import BlockKind, Table, TextBlock

STANDFIRST_MARK = "data-desk-standfirst"
"""Attribute of an element that holds the standfirst."""

ENTRY_MARK = "data-desk-entry"
"""Attribute of an element that belongs to an entry of a live blog: the entry's number."""

BETWEEN = "\n\n"
"""What stands between two blocks of a text."""

BETWEEN_CELLS = "| "
"""What stands between two cells of a table's row: of "310 335" nobody could tell that it is two numbers."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of an article that stands by itself."""

    kind: BlockKind
    text: str
    linked: int = 0  # characters inside links
    level: int = 0  # of a heading, 1 to 6
    entry: int | None = None  # of a live blog, by its number

    @property
    def link_density(self) -> float:
        """Return the share of the text that stands in links (0 to 1)."""
        return self.linked / len(self.text) if self.text else 0.0


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a piece of HTML holds."""

    blocks: list[Block]
    tables: list[Table]


_KIND_OF_TAG = {
    **{f"h{level}": BlockKind.HEADING for level in range(1, 7)},
    **dict.fromkeys(("li", "dd", "dt"), BlockKind.ITEM),
    "blockquote": BlockKind.QUOTE,
    "figcaption": BlockKind.CAPTION,
    "figure": BlockKind.CAPTION,
    "caption": BlockKind.CAPTION,
    "tr": BlockKind.ROW,
}
# In these, the kind of what surrounds them goes on.
_PASSING = frozenset({"p", "div", "section", "article", "span", "td", "th", "center", "main"})
# A mark ends an opening wherever it stands: "Tags:storm".
_OPENING = re.compile(
    "(?:"
    + "|".join(map(re.escape, sorted(vocabulary("phrases")["openings"], key=len, reverse=True)))
    + r")(?:(?<!\w)|(?!\w))",
    re.IGNORECASE,
)
_LONGEST_FURNITURE = 140
_SHORTEST_REPEAT = 100
_LETTER = re.compile(r"[^\W_]")
_MAY_BE_HEAD_LINE = frozenset({BlockKind.PARAGRAPH, BlockKind.HEADING})
_SHORTEST_RUNNING = 100
_NO_LETTERS = re.compile(r"[\W_]+")
# Of a title in letters, and how many marks one may have more than the other.
_SHORTEST_TITLE, _LONGEST_KICKER, _MOST_MARKS = 12, 60, 5


def read_fragment(html: str) -> Fragment:
    """Read a piece of HTML into typed blocks.

    >>> read = read_fragment("<h2>Why</h2><p>It <b>rained</b>.</p><ul><li>hard</ul>")
    >>> [(block.kind.value, block.text) for block in read.blocks]
    [('heading', 'Why'), ('paragraph', 'It rained.'), ('list-item', 'hard')]
    """
    soup = BeautifulSoup(html, "lxml", multi_valued_attributes=None)
    reader = _Reader()
    reader.read(soup.body or soup, BlockKind.PARAGRAPH, level=0, linked=False)
    reader.finish()
    return Fragment(reader.blocks, reader.tables)


class _Reader:
    """Gathers inline text until a block begins or ends."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.tables: list[Table] = []
        self._entry: int | None = None
        self._between_cells, self._is_new_cell = "", False
        self._pieces: list[str] = []
        self._linked = 0
        self._kind, self._level = BlockKind.PARAGRAPH, 0

    def read(self, element: Tag, kind: BlockKind, level: int, linked: bool) -> None:
        for child in element.children:
            if isinstance(child, Tag):
                self._enter(child, kind, level, linked)
            elif type(child) is NavigableString:
                self._add(str(child), kind, level, linked)

    def _enter(self, tag: Tag, kind: BlockKind, level: int, linked: bool) -> None:
        if tag.name == "br":
            self._break(tag)
        elif (tag.name in BLOCK_TAGS or tag.has_attr(ENTRY_MARK)) and not (
            kind is BlockKind.ROW and tag.name in _PASSING
        ):
            self._enter_block(tag, kind, level, linked)
        else:
            if tag.name in ("td", "th"):
                self._next_cell()
            self.read(tag, kind, level, linked or tag.name == "a")

    def _enter_block(self, tag: Tag, kind: BlockKind, level: int, linked: bool) -> None:
        self.finish()
        around = self._entry, self._between_cells
        if tag.name == "table" and (table := read_table(tag)):
            self.tables.append(table)
            kind = BlockKind.PARAGRAPH  # where a figure holds it, it is no caption
            self._between_cells = BETWEEN_CELLS
        if (number := tag.get(ENTRY_MARK)) is not None:
            self._entry = _number(str(number))
        if tag.has_attr(STANDFIRST_MARK):
            kind = BlockKind.STANDFIRST
        self.read(tag, *_kind_inside(tag.name, kind, level), linked)
        self.finish()
        self._entry, self._between_cells = around

    def _add(self, text: str, kind: BlockKind, level: int, linked: bool) -> None:
        if not self._pieces:
            self._kind, self._level = kind, level
        if self._is_new_cell and not text.isspace():
            self._pieces.append(self._between_cells)
            self._is_new_cell = False
        self._pieces.append(text)
        if linked:
            self._linked += len(text.strip())

    def _break(self, tag: Tag) -> None:
        if _follows_break(tag.previous_sibling):
            self.finish()
        else:
            self._space()

    def _space(self) -> None:
        if self._pieces:
            self._pieces.append(" ")

    def _next_cell(self) -> None:
        self._space()
        self._is_new_cell = bool(self._pieces)

    def finish(self) -> None:
        """End the block that is being gathered."""
        if text := tidy("".join(self._pieces)):
            self.blocks.append(Block(self._kind, text, self._linked, self._level, self._entry))
        self._pieces, self._linked, self._is_new_cell = [], 0, False


def _number(mark: str) -> int | None:
    """Return an entry's number; None where the page has put something of its own there."""
    return int(mark) if len(mark) < 9 and mark.isdecimal() else None


def _kind_inside(name: str, kind: BlockKind, level: int) -> tuple[BlockKind, int]:
    own = _KIND_OF_TAG.get(name)
    if kind in (BlockKind.STANDFIRST, BlockKind.CAPTION):  # all that is in one is part of it
        return kind, level
    if own is None:
        return (kind, level) if name in _PASSING else (BlockKind.PARAGRAPH, 0)
    return own, int(name[1]) if own is BlockKind.HEADING else 0


def _follows_break(element: PageElement | None) -> bool:
    while type(element) is NavigableString and not element.strip():
        element = element.previous_sibling
    return isinstance(element, Tag) and element.name == "br"


def article_blocks(blocks: Iterable[Block], title: str, authors: Iterable[str] = ()) -> list[Block]:
    """Drop what is furniture: the title again, dates and bylines, calls to read on, lists of links, lone headings.

    >>> heading, call = Block(BlockKind.HEADING, "Why", level=2), Block(BlockKind.PARAGRAPH, "Read more: rain", 4)
    >>> article_blocks([heading, call], "Rain")
    []
    """
    folded = title.casefold()
    kept = [block for block in blocks if block.text.casefold() != folded and not _is_furniture(block)]
    return list(_without_empty_headings(_without_head_lines(_without_repeats(kept), title, tuple(authors))))


def _without_repeats(blocks: list[Block]) -> list[Block]:
    """Keep the first of two equal blocks, and none of three: that is the placeholder of something embedded."""
    counts = Counter(block.text for block in blocks if len(block.text) >= _SHORTEST_REPEAT)
    seen: set[str] = set()
    kept = []
    for block in blocks:
        if counts[block.text] < 3 and block.text not in seen:
            kept.append(block)
        if counts[block.text] == 2:
            seen.add(block.text)
    return kept


def _without_head_lines(blocks: list[Block], title: str, authors: tuple[str, ...]) -> list[Block]:
    """Drop titles, bylines and dates above the running text, and below its beginning dates with the hour.

    Other dates head the parts of a chronicle, and a name that comes again says who speaks.
    """
    counts = Counter(block.text for block in blocks)
    has_days = is_chronicle(block.text for block in blocks)
    kept = list[Block]()
    is_below = False
    for block in blocks:
        may_be = block.kind in _MAY_BE_HEAD_LINE and counts[block.text] == 1
        is_date = may_be and not has_days and is_dateline(block.text, needs_hour=is_below)
        if not is_date and not (may_be and not is_below and _names_article(block.text, title, authors)):
            kept.append(block)
        is_below = is_below or len(block.text) >= _SHORTEST_RUNNING
    return kept


def _names_article(text: str, title: str, authors: tuple[str, ...]) -> bool:
    return is_byline(text, authors) or _ends_with_title(text, title)


def _ends_with_title(text: str, title: str) -> bool:
    """Tell whether a line is a title, perhaps below its kicker."""
    if not len(title) <= len(text) + _MOST_MARKS <= len(title) + _LONGEST_KICKER:
        return False
    squeezed = _NO_LETTERS.sub("", title).casefold()
    return len(squeezed) >= _SHORTEST_TITLE and _NO_LETTERS.sub("", text).casefold().endswith(squeezed)


def _is_furniture(block: Block) -> bool:
    text, density = block.text, block.link_density
    return (
        (block.kind is BlockKind.HEADING and block.level == 1)
        or (len(text) < _LONGEST_FURNITURE and (_OPENING.match(text) is not None or is_box_title(text)))
        or (density > 0.8 and len(text) < 200 and block.kind is not BlockKind.ROW)
        or (density > 0.5 and block.kind is BlockKind.ITEM)
        or not _LETTER.search(text)
    )


def _without_empty_headings(blocks: list[Block]) -> Iterator[Block]:
    for block, following in zip(blocks, [*blocks[1:], None], strict=False):
        if block.kind is BlockKind.HEADING and (
            following is None or (following.kind is BlockKind.HEADING and following.level <= block.level)
        ):
            continue
        yield block


def text_of_blocks(blocks: Iterable[Block]) -> str:
    """Return the text that blocks make: a blank line stands between them."""
    return BETWEEN.join(block.text for block in blocks)


def placed(blocks: Iterable[Block]) -> tuple[TextBlock, ...]:
    """Return where blocks stand in the text they make.

    >>> blocks = [Block(BlockKind.HEADING, "Why"), Block(BlockKind.PARAGRAPH, "It rained.")]
    >>> [(each.start, each.end) for each in placed(blocks)]
    [(0, 3), (5, 15)]
    """
    found = []
    start = 0
    for block in blocks:
        end = start + len(block.text)
        found.append(TextBlock(kind=block.kind, start=start, end=end))
        start = end + len(BETWEEN)
    return tuple(found)
