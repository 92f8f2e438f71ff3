"""Draw how the days of each source stand: a line a source, a cell a day, as `copydesk status` does in the terminal."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from markupsafe import Markup

from tasks.partitions import LETTERS, MEANINGS, MENDABLE, Partition, State, newest_first, sentence
from tasks.phrasing import counted
from tasks.report.plots import shade
from tasks.report.words import MONTHS, WEEKDAYS, clipped

CELL, ROW, WEEK_GAP = 9, 17, 5  # in pixels
LEFT, TOP = 144, 34  # room for the names of sources, and of months and Mondays
WEEKS = 12  # side by side
MOST_SOURCES = 24
MOST_REASONS = 12
_WEEK: Final = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Days:
    """What a page shows of partitions."""

    drawing: Markup
    told: str
    states: tuple[tuple[State, str, str], ...]  # those that occur: the state, its sign, its meaning
    reasons: tuple[str, ...]
    left_out: int
    first: date
    last: date
    mendable: int


def days_of(partitions: Sequence[Partition]) -> Days | None:
    """Return what a page shows of partitions; None where there are none."""
    if not partitions:
        return None
    seen = Counter(each.state for each in partitions)
    reasons = [sentence(each) for each in newest_first(partitions) if each.reason]
    return Days(
        drawing=strips(partitions),
        told=_in_words(partitions, seen),
        states=tuple((state, LETTERS.get(state, ""), MEANINGS[state]) for state in State if seen[state]),
        reasons=tuple(reasons[:MOST_REASONS]),
        left_out=max(0, len(reasons) - MOST_REASONS),
        first=min(each.day for each in partitions),
        last=max(each.day for each in partitions),
        mendable=sum(seen[state] for state in MENDABLE),
    )


def strips(partitions: Sequence[Partition]) -> Markup:
    """Draw the days of each source, in blocks of weeks below each other."""
    by_source: dict[str, dict[date, Partition]] = {}
    for each in partitions:
        by_source.setdefault(each.source, {})[each.day] = each
    shown = dict(sorted(by_source.items())[:MOST_SOURCES])
    most = max(each.rows for each in partitions)
    blocks = list(blocks_of_weeks((each.day for each in partitions), WEEKS))
    block_height = TOP + ROW * len(shown) + 14
    width = LEFT + max(map(len, blocks)) * (7 * (CELL + 1) + WEEK_GAP)
    drawn = Markup("").join(
        _block(mondays, number * block_height, shown, most) for number, mondays in enumerate(blocks)
    )
    return Markup(
        '<svg class="partitions" role="img" width="{0}" height="{1}" viewBox="0 0 {0} {1}">'
        "<title>How the days of each source stand</title><desc>{2}</desc>{3}</svg>"
    ).format(
        width, block_height * len(blocks), _in_words(partitions, Counter(each.state for each in partitions)), drawn
    )


def blocks_of_weeks(days: Iterable[date], most: int) -> Iterator[list[date]]:
    """Yield the Mondays of the weeks from the first day to the last, in blocks of one length, `most` at most.

    Blocks without any of the days are left out.

    >>> weeks = [date(2024, 1, 1) + timedelta(weeks=number) for number in range(9)]
    >>> [len(block) for block in blocks_of_weeks(weeks, 8)]
    [5, 4]
    """
    days = sorted(set(days))
    held = {day - timedelta(days=day.weekday()) for day in days}
    monday = days[0] - timedelta(days=days[0].weekday())
    mondays = [monday + number * _WEEK for number in range((days[-1] - monday).days // 7 + 1)]
    size = -(-len(mondays) // -(-len(mondays) // most))
    for start in range(0, len(mondays), size):
        if not held.isdisjoint(mondays[start : start + size]):
            yield mondays[start : start + size]


def _block(mondays: Sequence[date], top: int, sources: Mapping[str, Mapping[date, Partition]], most: int) -> Markup:
    parts = [_heads(mondays, top)]
    for row, (source, days) in enumerate(sources.items()):
        y = top + TOP + row * ROW
        parts.append(Markup('<text x="0" y="{}">{}</text>').format(y + 12, clipped(source, 20)))
        parts += [_cell(days[day], x, y, most) for day, x in _places(mondays) if day in days]
    return Markup("").join(parts)


def _places(mondays: Sequence[date]) -> Iterator[tuple[date, int]]:
    """Yield the days of these weeks, each with where it is drawn."""
    for week, monday in enumerate(mondays):
        for weekday in range(7):
            yield monday + timedelta(days=weekday), _left(week) + weekday * (CELL + 1)


def _heads(mondays: Sequence[date], top: int) -> Markup:
    """Name the month of each first week, and the day of each Monday."""
    parts = []
    for week, monday in enumerate(mondays):
        is_first = week == 0 or monday.month != mondays[week - 1].month
        if is_first and not (week == 0 and len(mondays) > 1 and mondays[1].month != monday.month):
            name = f"{MONTHS[monday.month - 1]} {monday.year}"
            parts.append(Markup('<text class="month" x="{}" y="{}">{}</text>').format(_left(week), top + 12, name))
        parts.append(Markup('<text class="monday" x="{}" y="{}">{}</text>').format(_left(week), top + 28, monday.day))
    return Markup("").join(parts)


def _left(week: int) -> int:
    return LEFT + week * (7 * (CELL + 1) + WEEK_GAP)


def _cell(partition: Partition, x: int, y: int, most: int) -> Markup:
    state, day = partition.state, partition.day
    fill = f"shade-{shade(partition.rows, most)}" if state is State.FRESH else f"s-{state}"
    told = f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}: {state}"
    rows = f", {counted(partition.rows, 'article')}" if partition.rows else ""
    why = f" ({partition.detail})" if partition.detail else ""
    cell = Markup('<g><title>{}</title><rect class="{}" x="{}" y="{}" width="{}" height="15" rx="1.5"/>').format(
        clipped(f"{told}{rows}{why}", 200), fill, x, y, CELL
    )
    letter = LETTERS.get(state)
    if letter is None:
        return cell + Markup("</g>")
    return cell + Markup('<text class="l-{}" x="{}" y="{}" text-anchor="middle">{}</text></g>').format(
        state, x + CELL / 2, y + 11, letter
    )


def _in_words(partitions: Sequence[Partition], seen: Mapping[State, int]) -> str:
    """Say what the calendar shows, for those who do not see it.

    >>> one = Partition(source="harbour", day=date(2024, 2, 5), state=State.STALE)
    >>> _in_words([one], {State.STALE: 1})
    '1 day of 1 source: 1 stale.'
    """
    days, sources = len({each.day for each in partitions}), len({each.source for each in partitions})
    states = ", ".join(f"{seen[state]:,} {state}" for state in State if seen.get(state))
    return f"{counted(days, 'day')} of {counted(sources, 'source')}: {states}."
