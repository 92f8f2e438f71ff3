"""Partitions as a calendar in the terminal: a cell a day, a line a source; letters say what colours say."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from rich.table import Table
from rich.text import Text

from tasks.partitions import LETTERS, MEANINGS, Partition, State, count_states
from tasks.report.days import blocks_of_weeks
from tasks.report.plots import shade
from tasks.report.words import MONTHS

SHADES: Final = "░▒▓█"
STYLES: Final[Mapping[State, str]] = {
    State.FRESH: "green",
    State.EMPTY: "green",
    State.RUNNING: "bold color(16) on cyan3",
    State.MISSING: "bold color(231) on red3",
    State.STALE: "bold color(16) on gold3",
    State.PARTIAL: "bold color(231) on purple4",
    State.FAILED: "bold color(231) on dark_red",
    State.UNREACHABLE: "dim",
}
_LONGEST_NAME: Final = 24


def calendar(partitions: Sequence[Partition], width: int) -> Text:
    """Return the calendar of some partitions: as many weeks side by side as the width allows."""
    by_source: dict[str, dict[date, Partition]] = {}
    for each in partitions:
        by_source.setdefault(each.source, {})[each.day] = each
    most = max((each.rows for each in partitions), default=0)
    margin = min(_LONGEST_NAME, max(map(len, by_source), default=0)) + 2
    shown = Text()
    for mondays in blocks_of_weeks((each.day for each in partitions), max(1, (width - margin) // 8)):
        shown.append(" " * margin).append(_months(mondays), style="bold").append("\n")
        shown.append(" " * margin).append(" ".join(f"{day.day:<7}" for day in mondays).rstrip(), style="dim")
        for source, days in by_source.items():
            shown.append(f"\n{_named(source):<{margin}}").append(_line(days, mondays, most))
        shown.append("\n\n")
    return shown


def state_table(partitions: Sequence[Partition]) -> Table:
    """Return how many days of each source are in which state; columns that occur only."""
    counts = count_states(partitions)
    seen = [state for state in State if any(states[state] for states in counts.values())]
    rows: dict[str, int] = {}
    for each in partitions:
        rows[each.source] = rows.get(each.source, 0) + each.rows
    table = Table(box=None, pad_edge=False, header_style="dim", show_footer=len(counts) > 1)
    table.add_column("source", footer="all")
    table.add_column("articles", justify="right", footer=f"{sum(rows.values()):,}")
    for state in seen:
        total = sum(states[state] for states in counts.values())
        table.add_column(Text(str(state)), justify="right", footer=f"{total:,}")
    table.add_column("days", justify="right", footer=f"{len(partitions):,}")
    for source, states in counts.items():
        counted = (f"{states[state]:,}" if states[state] else "" for state in seen)
        table.add_row(Text(source), f"{rows[source]:,}", *counted, f"{states.total():,}")
    return table


def legend(partitions: Sequence[Partition]) -> Table:
    """Return what the signs mean that a calendar of these partitions has."""
    seen = {each.state for each in partitions}
    table = Table(box=None, pad_edge=False, show_header=False)
    for state in State:
        if state in seen:
            sign = SHADES if state is State.FRESH else LETTERS[state]
            table.add_row(Text().append(sign, STYLES[state]), str(state), Text(MEANINGS[state], style="dim"))
    return table


def _months(mondays: Sequence[date]) -> str:
    """Name each month above the first week that begins in it, where there is room; the first of all with its year."""
    line = ""
    for number, monday in enumerate(mondays):
        if number == 0 or monday.month != mondays[number - 1].month:
            name = MONTHS[monday.month - 1] + (f" {monday.year}" if number == 0 or monday.month == 1 else "")
            if len(line) <= number * 8:
                line = f"{line:<{number * 8}}{name} "
    return line.rstrip()


def _line(days: Mapping[date, Partition], mondays: Sequence[date], most: int) -> Text:
    line = Text()
    for monday in mondays:
        for number in range(7):
            line.append(*_cell(days.get(monday + timedelta(days=number)), most))
        line.append(" ")
    return line


def _cell(partition: Partition | None, most: int) -> tuple[str, str]:
    if partition is None:
        return " ", ""
    if partition.state is State.FRESH:
        return SHADES[shade(partition.rows, most) - 1], STYLES[State.FRESH]
    return LETTERS[partition.state], STYLES[partition.state]


def _named(source: str) -> str:
    return source if len(source) <= _LONGEST_NAME else f"{source[: _LONGEST_NAME - 1]}…"
