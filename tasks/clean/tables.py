"""Tables that hold facts, as rows of cells; those that only lay out a page are none."""

from collections.abc import Iterator

from bs4 import Tag

from tasks.clean.whitespace import tidy
from tasks.documents import Table

# Beyond these a table is a page's layout, or an attack on whoever makes a grid of it.
_MOST_ROWS, _MOST_COLUMNS = 2_000, 60
_LONGEST_CELL = 400
# What stands in cells that lay out a page.
_LAYOUT_TAGS = ("table", "h1", "h2", "h3", "h4", "form", "article", "section", "figure")

_Cell = tuple[str, int, int]  # text, columns and rows it spans


def read_table(tag: Tag) -> Table | None:
    """Read a `table` element; None where it lays out a page: nested, of one row or column, or with essays for cells.

    >>> from bs4 import BeautifulSoup
    >>> markup = "<table><tr><th>Port<th>Ships<tr><td>Harrow<td>12</table>"
    >>> read_table(BeautifulSoup(markup, "lxml").table)
    Table(caption=None, header_rows=1, rows=(('Port', 'Ships'), ('Harrow', '12')))
    """
    if tag.get("role") in ("presentation", "none") or tag.find(_LAYOUT_TAGS) or tag.find_parent("table"):
        return None
    written = [row for row in tag.find_all("tr", limit=_MOST_ROWS + 1) if row.find(("td", "th"))]
    if not 2 <= len(written) <= _MOST_ROWS:
        return None
    grid = _squared([[_cell(cell) for cell in row.find_all(("td", "th"), limit=_MOST_COLUMNS + 1)] for row in written])
    if grid is None or len(grid[0]) < 2:
        return None
    if any(len(cell) > _LONGEST_CELL for row in grid for cell in row):
        return None
    caption = tag.find("caption")
    return Table(
        caption=(tidy(caption.get_text()) or None) if caption else None,
        header_rows=_header_rows(written),
        rows=tuple(map(tuple, grid)),
    )


def _cell(cell: Tag) -> _Cell:
    return tidy(" ".join(cell.strings)), _span(cell, "colspan"), _span(cell, "rowspan")


def _span(cell: Tag, name: str) -> int:
    written = cell.get(name)
    return max(1, int(written)) if isinstance(written, str) and written.isdecimal() and len(written) < 4 else 1


def _squared(rows: list[list[_Cell]]) -> list[list[str]] | None:
    """Give each cell its place in a grid, as browsers do; None where there are more than anyone reads.

    >>> _squared([[("Sea", 2, 1)], [("Fish", 1, 2), ("3", 1, 1)], [("4", 1, 1)]])
    [['Sea', ''], ['Fish', '3'], ['', '4']]
    """
    places: list[dict[int, str]] = []
    taken: dict[int, int] = {}  # columns that a cell from above still fills, and in how many rows
    for row in rows:
        filled = dict.fromkeys(taken, "")
        taken = {column: left - 1 for column, left in taken.items() if left > 1}
        for column, (text, columns, height) in _placed(row, filled):
            if column + columns > _MOST_COLUMNS:
                return None
            filled |= {column: text} | dict.fromkeys(range(column + 1, column + columns), "")
            if height > 1:
                taken |= dict.fromkeys(range(column, column + columns), height - 1)
        places.append(filled)
    width = max((max(filled) + 1 for filled in places if filled), default=0)
    return [[filled.get(column, "") for column in range(width)] for filled in places]


def _placed(row: list[_Cell], filled: dict[int, str]) -> Iterator[tuple[int, _Cell]]:
    column = 0
    for cell in row:
        while column in filled:
            column += 1
        yield column, cell
        column += cell[1]


def _header_rows(rows: list[Tag]) -> int:
    """Return how many rows on top are headings: those of a `thead`, or of `th` alone."""
    for number, row in enumerate(rows):
        in_head = row.parent is not None and row.parent.name == "thead"
        if not in_head and row.find("td") is not None:
            return number
    return 0
