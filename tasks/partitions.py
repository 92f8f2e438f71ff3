"""Partitions: what each source has of each day, and what is to be done about it. Values in, values out.

A partition is a source's day. Its state follows from what is found, never from what a run remembers having meant to do:
the rows of the dataset with the versions that made them, the pages in the archive, and the attempts in the ledger. See
docs/decisions/0013-what-a-partition-s-state-is-made-from.md.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final, TypeAlias

from storage.records import Attempt
from tasks.documents import Reason
from tasks.fetch.window import Window

Key: TypeAlias = tuple[str, date]
"""A partition's name: its source and its day."""


class State(StrEnum):
    """How a partition stands."""

    FRESH = "fresh"
    EMPTY = "empty"
    RUNNING = "running"
    MISSING = "missing"
    STALE = "stale"
    PARTIAL = "partial"
    FAILED = "failed"
    UNREACHABLE = "unreachable"


MEANINGS: Final[Mapping[State, str]] = {
    State.FRESH: "all there, made by today's versions",
    State.EMPTY: "asked for, and nothing was published",
    State.RUNNING: "a run is at work on it",
    State.MISSING: "never had, or rows are gone",
    State.STALE: "rows made by older versions or with other watchlists",
    State.PARTIAL: "had, but for what may succeed another time",
    State.FAILED: "the last attempt came to nothing, or cannot be completed",
    State.UNREACHABLE: "past, and the source shows the present only",
}

LETTERS: Final[Mapping[State, str]] = {
    State.EMPTY: "·",
    State.RUNNING: "R",
    State.MISSING: "M",
    State.STALE: "S",
    State.PARTIAL: "P",
    State.FAILED: "F",
    State.UNREACHABLE: "–",
}
"""How a calendar writes a state, so that it can be read without colours; what is fresh is drawn by its amount."""

MENDABLE: Final = (State.MISSING, State.STALE, State.FAILED, State.PARTIAL)
"""The states that a backfill may do something about."""

# Reasons of an attempt, beside those of a rejection.
DEFERRED: Final = "deferred"
CUT_SHORT: Final = "cut-short"
BROKEN_OFF: Final = "broken-off"
NOT_KEPT: Final = "page-not-kept"

PASSING: Final = frozenset(
    {
        Reason.UNREACHABLE,
        Reason.TIMEOUT,
        Reason.TLS_ERROR,
        Reason.HTTP_ERROR,
        Reason.INCOMPLETE,
        Reason.ROBOTS_UNREACHABLE,
        Reason.BAD_CONTENT_ENCODING,
        Reason.BAD_FEED,
        Reason.BAD_SITEMAP,
        Reason.CRASHED,
    }
)
"""Why an input failed that may succeed another time."""

LASTING: Final = frozenset({Reason.DAMAGED_ARCHIVE, Reason.UNREADABLE_FILE, NOT_KEPT})
"""Why an input failed that will fail again until someone mends what it is read from.

All other reasons are answers: the input was had, and is no article.
"""


class Reach(StrEnum):
    """What can be asked of a source about its past."""

    PAST = "past"  # any day: a sitemap, an archive by date
    PRESENT = "present"  # what it lists today: a feed
    WHOLE = "whole"  # all there ever was, at once: a folder, a WARC file
    NOTHING = "nothing"  # it is known from the dataset only: what the page archive keeps of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A source of which every day is expected, from `since` on where that is set.

    `read_at` is when one on disk was last read from end to end.
    """

    source: str
    reach: Reach = Reach.NOTHING
    since: date | None = None
    read_at: datetime | None = None
    delay: float = 0.0

    def is_expected(self, day: date) -> bool:
        """Whether a day is told even if nothing is known of it."""
        return self.reach is not Reach.NOTHING and (self.since is None or self.since <= day)

    def can_be_asked(self, day: date, today: date) -> bool:
        """Whether the source itself, and not only the page archive, can be asked what it published on a day."""
        return self.reach in (Reach.PAST, Reach.WHOLE) or (self.reach is Reach.PRESENT and day == today)

    def was_read_after(self, day: date) -> bool:
        """Whether all of it has been read since a day began."""
        return self.read_at is not None and day <= self.read_at.astimezone(UTC).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was found of partitions.

    `rows` counts rows by the versions that made them, `kept` the archived pages whose article is not in the dataset;
    `attempts` are the last ones, and `alive` the runs that are at work now.
    """

    rows: Mapping[Key, Mapping[str, int]] = field(default_factory=dict)
    kept: Mapping[Key, int] = field(default_factory=dict)
    attempts: dict[Key, Attempt] = field(default_factory=dict)
    alive: Collection[str] = ()

    def knows(self, key: Key) -> bool:
        """Whether anything at all is known of a partition."""
        return key in self.rows or key in self.kept or key in self.attempts

    def sources(self) -> set[str]:
        """Return the sources of which something is known."""
        return {source for known in (self.rows, self.kept, self.attempts) for source, _ in known}


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A source's day: its state, and why. Of its `rows`, `stale` were made by older versions or watchlists.

    `pages` is how many pages it will take to bring it up to date, as far as can be told. `asks` says that the page
    archive will not do, and the source itself is to be asked; `is_lasting`, that to try again will not help by itself.
    """

    source: str
    day: date
    state: State
    rows: int = 0
    stale: int = 0
    pages: int = 0
    asks: bool = False
    is_lasting: bool = False
    reason: str | None = None
    detail: str | None = None


def survey(
    window: Window, expected: Iterable[Expected], evidence: Evidence, *, versions: str, today: date
) -> tuple[Partition, ...]:
    """Return the state of every partition of a window up to today, by source and day.

    `versions` is what makes rows today. Of a source that is known from the dataset only, days are told of which
    something is known.

    >>> window = Window(first=date(2024, 2, 1), last=date(2024, 2, 2))
    >>> rows = {("harbour", date(2024, 2, 1)): {"rules 1": 3}}
    >>> found = survey(window, [Expected(source="harbour")], Evidence(rows=rows), versions="rules 2", today=window.last)
    >>> [(each.day.day, each.state.value, each.stale) for each in found]
    [(1, 'stale', 3)]
    """
    return tuple(
        _Case.of(source, day, evidence, versions, today).judged()
        for source in sorted(expected, key=lambda source: source.source)
        for day in window.days()
        if day <= today and (source.is_expected(day) or evidence.knows((source.source, day)))
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """What is known of one partition."""

    source: Expected
    day: date
    today: date
    rows: int
    stale: int
    kept: int
    attempt: Attempt | None
    is_alive: bool

    @classmethod
    def of(cls, source: Expected, day: date, evidence: Evidence, versions: str, today: date) -> "_Case":
        key = source.source, day
        made_by, attempt = evidence.rows.get(key, {}), evidence.attempts.get(key)
        rows = sum(made_by.values())
        return cls(
            source=source,
            day=day,
            today=today,
            rows=rows,
            stale=rows - made_by.get(versions, 0),
            kept=evidence.kept.get(key, 0),
            attempt=attempt,
            is_alive=attempt is not None and attempt.finished_at is None and attempt.run in evidence.alive,
        )

    @property
    def gone(self) -> int:
        """How many rows there should be and are not."""
        return max(self.kept, self.attempt.articles - self.rows if self.attempt is not None else 0)

    def judged(self) -> Partition:
        state, reason, detail = self._verdict()
        asks = self._must_ask(state) and self.source.can_be_asked(self.day, self.today)
        return Partition(
            source=self.source.source,
            day=self.day,
            state=state,
            rows=self.rows,
            stale=self.stale,
            pages=self._pages(state),
            asks=asks,
            is_lasting=reason in LASTING and not (asks and reason == NOT_KEPT),
            reason=reason,
            detail=detail,
        )

    def _verdict(self) -> tuple[State, str | None, str | None]:
        """Say first what is being done, then what is not there, then what is old, then what went wrong."""
        attempt = self.attempt
        if attempt is not None and self.is_alive:
            return State.RUNNING, None, f"since {attempt.started_at.astimezone(UTC):%H:%M} UTC"
        if self.gone and not self._has_failed_on(self.gone):
            lost = f"{self.gone:,} of {self.rows + self.gone:,} articles are gone"
            return State.MISSING, *(self._broken_off() or (None, lost))
        if self.stale and not self._has_failed_on(self.stale):
            return State.STALE, *(self._broken_off() or (None, None))
        if attempt is None:
            return self._unattempted(), None, None
        if attempt.finished_at is None:
            return State.PARTIAL, CUT_SHORT, f"run {attempt.run} was cut short"
        if attempt.failed:
            is_hopeless = not self.rows or attempt.reason in LASTING
            return (State.FAILED if is_hopeless else State.PARTIAL), attempt.reason, attempt.detail
        began = attempt.started_at.astimezone(UTC)
        if self.source.reach is Reach.PAST and began.date() <= self.day < self.today:
            return State.PARTIAL, None, f"asked for until {began:%H:%M} UTC only"
        return (State.FRESH if self.rows else State.EMPTY), None, None

    def _broken_off(self) -> tuple[str, str | None] | None:
        """Return why the last attempt broke off, if it did: what was to be done then is to be done still."""
        attempt = self.attempt
        return (BROKEN_OFF, attempt.detail) if attempt is not None and attempt.reason == BROKEN_OFF else None

    def _unattempted(self) -> State:
        """Judge a day that no run has claimed to have had."""
        if self.source.reach is Reach.WHOLE and self.source.was_read_after(self.day):
            return State.FRESH if self.rows else State.EMPTY
        if self.source.can_be_asked(self.day, self.today):
            return State.MISSING
        return State.FRESH if self.rows else State.UNREACHABLE

    def _has_failed_on(self, pages: int) -> bool:
        """Whether so many pages are just those that the last attempt could not read, and another could not either."""
        attempt = self.attempt
        return (
            attempt is not None
            and attempt.finished_at is not None
            and attempt.reason in LASTING
            and pages <= attempt.failed
        )

    def _must_ask(self, state: State) -> bool:
        """Whether the archive alone will not do: it does for rows that are old, or whose pages are all kept."""
        are_kept = state is State.MISSING and 0 < self.gone <= self.kept
        return state in MENDABLE and state is not State.STALE and not are_kept

    def _pages(self, state: State) -> int:
        if state not in MENDABLE:
            return 0
        if state is State.STALE:
            return self.stale
        return self.gone or (self.attempt.inputs if self.attempt is not None else 0)


# From states to work


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A piece of work with a run of its own: a day with all its sources, or a source on disk with all its days."""

    partitions: tuple[Partition, ...]

    def __str__(self) -> str:
        """Return the day; or a source on disk with its days."""
        first, last = self.window.first, self.window.last
        return f"{first}" if first == last else f"{self.partitions[0].source} {first}…{last}"

    @property
    def window(self) -> Window:
        """The days from the first to the last."""
        days = [each.day for each in self.partitions]
        return Window(first=min(days), last=max(days))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was found in a window, what of it is to be done, and in which order. `seconds` is an estimate."""

    window: Window
    partitions: tuple[Partition, ...] = field(repr=False)
    chosen: tuple[Partition, ...]
    units: tuple[Unit, ...] = field(repr=False)
    pages: int = 0
    seconds: float | None = None

    @property
    def left(self) -> tuple[Partition, ...]:
        """The partitions that are not as they should be, and that this plan leaves as they are."""
        chosen = {(each.source, each.day) for each in self.chosen}
        return tuple(
            each for each in self.partitions if each.state in MENDABLE and (each.source, each.day) not in chosen
        )


def plan(
    window: Window,
    expected: Sequence[Expected],
    evidence: Evidence,
    *,
    versions: str,
    today: date,
    only: Collection[State] = MENDABLE,
    again: bool = False,
    seconds_a_page: float | None = None,
) -> Plan:
    """Say what is to be done in a window: the newest day first, and before the days what has to be read from disk.

    `only` chooses states. What has failed for a lasting reason is left alone unless `again`.
    """
    partitions = survey(window, expected, evidence, versions=versions, today=today)
    chosen = tuple(each for each in partitions if _is_chosen(each, only, again=again))
    sources = {source.source: source for source in expected}
    usual = _usual_pages(partitions)
    pages = {(each.source, each.day): each.pages or usual.get(each.source, 0) for each in chosen}
    return Plan(
        window=window,
        partitions=partitions,
        chosen=chosen,
        units=tuple(_units(chosen, sources)),
        pages=sum(pages.values()),
        seconds=None
        if seconds_a_page is None
        else sum(
            pages[each.source, each.day] * (seconds_a_page + (sources[each.source].delay if each.asks else 0.0))
            for each in chosen
        ),
    )


def _is_chosen(each: Partition, only: Collection[State], *, again: bool) -> bool:
    """Whether something is to be done about a partition, and can be."""
    if each.state not in only or each.state not in MENDABLE:
        return False
    if each.is_lasting:
        return again
    return each.asks or each.state in (State.MISSING, State.STALE) or each.reason in (CUT_SHORT, BROKEN_OFF)


def _units(chosen: Iterable[Partition], sources: Mapping[str, Expected]) -> Iterator[Unit]:
    days: dict[date, list[Partition]] = {}
    disks: dict[str, list[Partition]] = {}
    for each in chosen:
        if each.asks and sources[each.source].reach is Reach.WHOLE:
            disks.setdefault(each.source, []).append(each)
        else:
            days.setdefault(each.day, []).append(each)
    for _, partitions in [*sorted(disks.items()), *sorted(days.items(), reverse=True)]:
        yield Unit(partitions=tuple(partitions))


def _usual_pages(partitions: Iterable[Partition]) -> dict[str, int]:
    """Return how many articles each source has on a day that has any."""
    rows: dict[str, list[int]] = {}
    for each in partitions:
        if each.rows:
            rows.setdefault(each.source, []).append(each.rows)
    return {source: round(sum(counts) / len(counts)) for source, counts in rows.items()}


def count_states(partitions: Iterable[Partition]) -> dict[str, Counter[State]]:
    """Count partitions by source and state."""
    counted: dict[str, Counter[State]] = {}
    for each in partitions:
        counted.setdefault(each.source, Counter())[each.state] += 1
    return counted


def newest_first(partitions: Sequence[Partition]) -> list[Partition]:
    """Return partitions in the order in which they are worked on."""
    return sorted(sorted(partitions, key=lambda each: each.source), key=lambda each: each.day, reverse=True)


def sentence(partition: Partition) -> str:
    """Say in a sentence how a partition stands, and why.

    >>> sentence(Partition(source="harbour", day=date(2024, 2, 5), state=State.STALE, rows=3, stale=3))
    'harbour 2024-02-05 is stale.'
    """
    why = f" ({': '.join(part for part in (partition.reason, partition.detail) if part)})"
    return f"{partition.source} {partition.day} is {partition.state}{why if len(why) > len(' ()') else ''}."
