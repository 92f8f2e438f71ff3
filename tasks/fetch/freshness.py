"""When a source is worth asking again, and when it has fallen silent: arithmetic on when it last brought news."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import exp, log

_WEIGHT = 0.3  # of the newest gap in the running mean
_LONGEST_BACKOFF = timedelta(days=1)
_EARLY = 0.1  # share of an interval by which a visit may come early: a schedule does not strike to the second
_SHORTEST_SILENCE = timedelta(days=2)
_GAPS_OF_SILENCE = 6


class Answer(StrEnum):
    """What came of the last visit to a listing."""

    READ = "read"
    NOT_MODIFIED = "not-modified"
    PASSED_OVER = "passed-over"  # its index says that it is as it was
    DEFERRED = "deferred"
    FAILED = "failed"


class Condition(StrEnum):
    """How a source is, as far as its visits tell."""

    FRESH = "fresh"
    SILENT = "silent"
    FAILING = "failing"
    NEVER_VISITED = "never visited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """How often a source may be visited by itself, and how long it may be quiet.

    An `adaptive` source is left alone until its next visit is due. `silent_after` None: as its own rhythm suggests.
    """

    adaptive: bool = True
    least: timedelta = timedelta(minutes=10)
    most: timedelta = timedelta(days=1)
    silent_after: timedelta | None = None


USUAL = Attention()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How a listing was over its visits: `changed_at` is when one last brought something new, `gap` the mean between.

    The mean is geometric: one night, or one holiday, does not outweigh a day of busy hours.
    """

    visited_at: datetime
    next_visit: datetime
    changed_at: datetime | None = None
    gap: timedelta | None = None
    failures: int = 0

    def is_due(self, now: datetime) -> bool:
        """Tell whether it is time for the next visit, or so nearly that the one after would be too late."""
        return now >= self.next_visit - _EARLY * (self.next_visit - self.visited_at)


def after_answer(known: Rhythm | None, now: datetime, *, brought: bool, attention: Attention) -> Rhythm:
    """Return the rhythm after a visit that was answered, with something new or without.

    With news, the next visit comes twice as soon as this one did, and not later than after half the mean gap; without,
    after half the mean gap, or half the time that it has been quiet, whichever is longer.

    >>> noon = datetime(2024, 2, 26, 12)
    >>> first = after_answer(None, noon, brought=True, attention=USUAL)
    >>> later = after_answer(first, noon + timedelta(hours=4), brought=True, attention=USUAL)
    >>> later.gap, later.next_visit - later.visited_at
    (datetime.timedelta(seconds=14400), datetime.timedelta(seconds=7200))
    >>> quiet = after_answer(later, noon + timedelta(hours=16), brought=False, attention=USUAL)
    >>> quiet.next_visit - quiet.visited_at
    datetime.timedelta(seconds=21600)
    """
    if known is None:
        known = Rhythm(visited_at=now, next_visit=now)
    if not brought:
        wait = max(known.gap or timedelta(0), _quiet(known, now)) / 2
        return replace(known, visited_at=now, next_visit=now + _bounded(wait, attention), failures=0)
    gap = known.gap if known.changed_at is None else _mean(known.gap, now - known.changed_at)
    waited = now - known.visited_at
    wait = min(gap or waited, waited) / 2
    return Rhythm(visited_at=now, next_visit=now + _bounded(wait, attention), changed_at=now, gap=gap)


def _quiet(known: Rhythm, now: datetime) -> timedelta:
    """Return how long it has been quiet; of a listing that never brought anything the waits grow as they would then."""
    return 3 * (known.next_visit - known.visited_at) if known.changed_at is None else now - known.changed_at


def after_failure(known: Rhythm | None, now: datetime, attention: Attention) -> Rhythm:
    """Return the rhythm after a visit in vain: the next comes later each time, a day later at most."""
    failures = 1 if known is None else known.failures + 1
    wait = min(attention.least * 2 ** min(failures - 1, 20), _LONGEST_BACKOFF)
    before = known or Rhythm(visited_at=now, next_visit=now)
    return replace(before, visited_at=now, next_visit=now + _bounded(wait, attention), failures=failures)


def after_deferral(known: Rhythm | None, now: datetime, until: datetime) -> Rhythm:
    """Return the rhythm after a visit that was put off: nothing was learned, and `until` is when to come again."""
    before = known or Rhythm(visited_at=now, next_visit=until)
    return replace(before, visited_at=now, next_visit=until)


def quiet_since(rhythm: Rhythm, newest: datetime | None) -> datetime | None:
    """Return when a source last brought something: the visit that saw it, or at first the date of its newest entry."""
    return rhythm.changed_at if rhythm.gap is not None or newest is None else newest


def longest_quiet(rhythm: Rhythm, attention: Attention) -> timedelta:
    """Return how long a source may be quiet before it is silent: two days, or several times its mean gap.

    >>> daily = Rhythm(visited_at=datetime(2024, 2, 26), next_visit=datetime(2024, 2, 26), gap=timedelta(days=1))
    >>> longest_quiet(daily, USUAL).days, longest_quiet(daily, Attention(silent_after=timedelta(days=3))).days
    (6, 3)
    """
    if attention.silent_after is not None:
        return attention.silent_after
    return max(_SHORTEST_SILENCE, _GAPS_OF_SILENCE * (rhythm.gap or timedelta(0)))


def is_silent(rhythm: Rhythm, newest: datetime | None, attention: Attention) -> bool:
    """Tell whether the last visit found a source quiet for too long; that nobody has visited it is no silence."""
    since = quiet_since(rhythm, newest)
    if since is None or rhythm.changed_at == rhythm.visited_at:
        return False
    return rhythm.visited_at - since > longest_quiet(rhythm, attention)


def _mean(mean: timedelta | None, gap: timedelta) -> timedelta:
    """Return the running geometric mean; a gap of nothing counts as a second."""
    seconds = max(gap.total_seconds(), 1.0)
    if mean is None:
        return timedelta(seconds=seconds)
    before = max(mean.total_seconds(), 1.0)
    return timedelta(seconds=exp(log(before) + _WEIGHT * (log(seconds) - log(before))))


def _bounded(wait: timedelta, attention: Attention) -> timedelta:
    return min(max(wait, attention.least), attention.most)
