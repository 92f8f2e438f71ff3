"""The entries of a live blog: which blocks belong to one, and when it was posted."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, groupby, islice, pairwise

from tasks.clean.blocks import ENTRY_MARK, Block
from tasks.clean.container import squeeze
from tasks.clean.metadata.dates import Moment, parse_moment
from tasks.clean.metadata.hours import LONGEST_HOUR, age_said, clock_said
from tasks.clean.metadata.jsonld import Update
from tasks.clean.nodes import attribute
from tasks.clean.outline import Outline
from tasks.clean.reading import Reading
from tasks.clean.whitespace import tidy
from tasks.documents import LiveEntry, Precision, TextBlock

# Where nothing declares a live blog, this many dated pieces make one, if they hold this part of the text.
_FEWEST, _FEWEST_DECLARED = 3, 2
_LEAST_SHARE = 0.5
_LONGEST_COVERAGE = timedelta(days=7)
_BEGINS_WITHIN = timedelta(hours=2)
# Dated pieces of less text, or of links, are a list of headlines.
_SHORTEST_ENTRY = 40
_MOST_LINKED = 0.5
_MOST_ENTRIES = 500
# An entry's time stands at most this deep in what holds the entries.
_REACH = 12
# Letters by which an update that metadata quote is found in the text.
_PROBE, _SHORTEST_PROBE = 48, 12
_BEGINNING = 160
_DIGIT = re.compile(r"\d")
_NO_HOURS = frozenset({"a", "b", "dt", "em", "i", "li", "td", "h1"})


@dataclass(frozen=True, slots=True)
class Entries:
    """When the entries of a live blog were posted, by number; and the `time` elements that stand between them."""

    posted: Mapping[int, datetime]
    times: Sequence[int] = ()  # also those in words


@dataclass(frozen=True, slots=True)
class Day:
    """By what hours that name no day are read: when the article was published, and when its page was fetched."""

    published: Moment
    fetched_at: datetime


def mark_entries(reading: Reading, container: int, *, is_declared: bool, day: Day | None = None) -> Entries:
    """Mark the dated entries in a container, before anything is cut.

    Entries are pieces that stand side by side, each with a `time` of its own, or else with an hour in words.
    """
    outline, posted = reading.outline, _times(reading, container)
    in_words = {} if posted or is_declared or day is None else _times_in_words(reading, container, day)
    holder, starts = _holder(outline, container, posted or in_words)
    pieces = list(_pieces(outline, holder, starts))
    entries = [(moment, piece) for moment, piece in pieces if _is_prose(outline, piece)][:_MOST_ENTRIES]
    held = sum(outline.length[index] for _, piece in entries for index in piece)
    if len(entries) < (_FEWEST_DECLARED if is_declared else _FEWEST):
        return Entries({})
    if not is_declared and not (
        held >= _LEAST_SHARE * outline.length[container] and _is_ticker([moment for moment, _ in entries])
    ):
        return Entries({})
    for number, (_, piece) in enumerate(entries):
        for index in piece:
            outline.nodes[index].attrs[ENTRY_MARK] = str(number)
    return Entries(
        posted={number: moment for number, (moment, _) in enumerate(entries)},
        times=[*in_words, *(piece[0] for _, piece in entries if outline.tags[piece[0]] == "time")],
    )


def cut_times(outline: Outline, entries: Entries, cut: set[int]) -> None:
    """Take the times between entries out of the tree, as `cut_boilerplate` did with those that stand alone."""
    for index in entries.times:
        if index not in cut and not any(above in cut for above in outline.ancestors(index)):
            outline.nodes[index].decompose()
            cut.add(index)


def _is_ticker(posted: Sequence[datetime]) -> bool:
    """Tell whether instants run one way within days, as a live blog's do; those of other articles do neither."""
    in_order = sorted(posted)
    return in_order[-1] - in_order[0] <= _LONGEST_COVERAGE and list(posted) in (in_order, in_order[::-1])


def _times(reading: Reading, container: int) -> dict[int, datetime]:
    """Return the `time` elements of a container that name an instant."""
    outline, found = reading.outline, {}
    for index in range(container + 1, outline.ends[container]):
        if outline.tags[index] == "time" and not reading.is_comment[index]:
            moment = parse_moment(attribute(outline.nodes[index], "datetime"))
            if moment is not None and moment.precision is Precision.INSTANT:
                found[index] = moment.instant
    return found


def _times_in_words(reading: Reading, container: int, day: Day) -> dict[int, datetime]:
    """Return the elements of a container that say nothing but an hour, or how long ago it was."""
    outline = reading.outline
    short = {
        index: tidy(text)
        for index in range(container + 1, outline.ends[container])
        if 2 < outline.length[index] <= LONGEST_HOUR and outline.tags[index] not in _NO_HOURS
        if _DIGIT.search(text := outline.nodes[index].text(deep=True)) and not reading.is_comment[index]
    }
    ages = {index: day.fetched_at - age for index, text in short.items() if (age := age_said(text)) is not None}
    clocks = {index: clock for index, text in short.items() if (clock := clock_said(text)) is not None}
    return ages if len(ages) > len(clocks) else _dated(clocks, day)


def _dated(clocks: Mapping[int, timedelta], day: Day) -> dict[int, datetime]:
    """Read times by the clock from the day of publication on, in the order that makes the coverage shorter.

    Coverage that stands in the order of time begins when it is published, and none was written after it was fetched.
    All else tells what happened on a day, or will.
    """
    published, offset = day.published.instant, day.published.offset or timedelta()
    midnight = (published + offset).replace(hour=0, minute=0, second=0, microsecond=0) - offset
    in_order = list(clocks.items())
    readings = [_in_turn(midnight, each) for each in (in_order, in_order[::-1])]
    found = min(readings, key=lambda reading: max(reading.values(), default=midnight))
    posted = list(found.values())
    if not posted or max(posted) > day.fetched_at:
        return {}
    begins_with_it = published <= posted[0] <= published + _BEGINS_WITHIN
    return found if begins_with_it or posted != sorted(posted) else {}


def _in_turn(midnight: datetime, clocks: Sequence[tuple[int, timedelta]]) -> dict[int, datetime]:
    """Date clocks from a day on: where one is before the last, a day has passed."""
    found, last = dict[int, datetime](), timedelta()
    for index, clock in clocks:
        midnight += timedelta(days=clock < last)
        found[index], last = midnight + clock, clock
    return dict(sorted(found.items()))


def _holder(outline: Outline, container: int, posted: Mapping[int, datetime]) -> tuple[int, dict[int, datetime]]:
    """Return the element with the most children that hold a time, and these children with the first time in each."""
    children: dict[int, dict[int, datetime]] = {}
    for index, moment in posted.items():
        child = index
        for parent in islice(outline.ancestors(index), _REACH):
            if parent < container:
                break
            children.setdefault(parent, {}).setdefault(child, moment)
            child = parent
    return max(children.items(), key=lambda pair: len(pair[1]), default=(container, {}))


def _pieces(outline: Outline, holder: int, starts: Mapping[int, datetime]) -> Iterator[tuple[datetime, list[int]]]:
    """Yield the elements of each entry: one that holds it all, or those from one time to the next."""
    siblings = [index for index in _children(outline, holder) if outline.length[index]]
    is_flat = sum(_is_prose(outline, [start]) for start in starts) * 2 < len(starts)
    for place, index in enumerate(siblings):
        if index not in starts:
            continue
        following = place + 1
        while is_flat and following < len(siblings) and siblings[following] not in starts:
            following += 1
        yield starts[index], siblings[place:following]


def _children(outline: Outline, holder: int) -> Iterator[int]:
    index = holder + 1
    while index < outline.ends[holder]:
        yield index
        index = outline.ends[index]


def _is_prose(outline: Outline, piece: Sequence[int]) -> bool:
    length = sum(outline.length[index] for index in piece)
    linked = sum(outline.linked[index] for index in piece)
    return length >= _SHORTEST_ENTRY and linked <= _MOST_LINKED * length


def entries_of(
    blocks: Sequence[Block], places: Sequence[TextBlock], posted: Mapping[int, datetime], updates: Sequence[Update]
) -> tuple[LiveEntry, ...]:
    """Return the entries with their places in the text: as they were marked in the page, else as metadata quote them.

    `places` are those of the blocks.
    """
    spans = [*_marked(blocks, posted)] or [*_quoted(blocks, updates)]
    return tuple(
        LiveEntry(published_at=moment, start=places[first].start, end=places[last].end) for moment, first, last in spans
    )


def _marked(blocks: Sequence[Block], posted: Mapping[int, datetime]) -> Iterator[tuple[datetime, int, int]]:
    for number, together in groupby(enumerate(blocks), key=lambda numbered: numbered[1].entry):
        places = [place for place, _ in together]
        if number in posted:
            yield posted[number], places[0], places[-1]


def _quoted(blocks: Sequence[Block], updates: Sequence[Update]) -> Iterator[tuple[datetime, int, int]]:
    """Find updates in the text; each lasts to the block that ends it, or to where the next one begins."""
    if not updates:
        return
    squeezed = _Squeezed([squeeze(block.text) for block in blocks])
    starts: dict[int, tuple[datetime, str]] = {}
    for update in updates[:_MOST_ENTRIES]:
        moment = parse_moment(update.published)
        start = squeezed.block_of(squeeze(f"{update.headline}{update.body[:_BEGINNING]}")[:_PROBE])
        if start is None:
            start = squeezed.block_of(squeeze(update.body[:_BEGINNING])[:_PROBE])
        if start is not None and moment is not None and moment.precision is Precision.INSTANT:
            starts.setdefault(start, (moment.instant, squeeze(update.body[-_BEGINNING:])[-_PROBE:]))
    for start, following in pairwise([*sorted(starts), len(blocks)]):
        posted, ending = starts[start]
        last = squeezed.block_of(ending, start, following, at_end=True)
        yield posted, start, following - 1 if last is None else last


class _Squeezed:
    """The blocks' word characters as one string, in which to find what metadata quote."""

    def __init__(self, blocks: Sequence[str]) -> None:
        self._text = "".join(blocks)
        self._starts = [0, *accumulate(map(len, blocks))]

    def block_of(self, piece: str, first: int = 0, following: int = -1, *, at_end: bool = False) -> int | None:
        """Return the block in which a piece begins, or ends; None where it is not found, or too short to look for."""
        found = self._text.find(piece, self._starts[first], self._starts[following])
        if found < 0 or len(piece) < _SHORTEST_PROBE:
            return None
        return bisect_right(self._starts, found + len(piece) - 1 if at_end else found) - 1
