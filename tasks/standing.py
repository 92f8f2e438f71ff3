"""How each source stands, as its visits tell: fresh, silent, failing or never visited, and when it is asked again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.ledger import Ledger
from storage.records import FeedVisit
from tasks.fetch.freshness import Answer, Condition, is_silent, longest_quiet, quiet_since
from tasks.fetch.sources import Source, SourceKind
from tasks.listings import rhythm_of

_LISTS = frozenset(
    {SourceKind.WEB, SourceKind.HOME, SourceKind.FEED, SourceKind.SITEMAP, SourceKind.PAGE}
)  # what can be asked for what is new


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A source and how it stands. Of one that was never visited nothing else is known."""

    source: Source
    condition: Condition
    visit: FeedVisit | None = None

    @property
    def kind(self) -> str:
        """What the source turned out to be; of an address that nobody has looked at, that is not known."""
        return (self.visit and self.visit.kind) or kind_of(self.source)

    @property
    def next_visit(self) -> datetime | None:
        """When a schedule may ask it again; None where it may at any time."""
        is_bound = self.source.attention.adaptive and self.source.kind in _LISTS
        return self.visit.next_visit if self.visit is not None and is_bound else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A source that has brought nothing for too long: since when, how long it may be quiet, and what it says instead.

    `str()` of it is a sentence for operators.
    """

    source: str
    location: str
    since: datetime
    visited_at: datetime
    longest: timedelta
    why: str

    def __str__(self) -> str:
        """Return the silence as a sentence."""
        return f"{self.source}: silent, nothing new since {self.since:%Y-%m-%d %H:%M} UTC; {self.why}."


def standings(ledger: Ledger, sources: Sequence[Source]) -> list[Standing]:
    """Return how sources stand, in their order."""
    visits = ledger.feed_visits([source.location for source in sources])
    return [_standing(source, visits.get(source.location)) for source in sources]


def part_due(ledger: Ledger, sources: Sequence[Source], now: datetime) -> tuple[list[Source], list[Standing]]:
    """Part sources into those to be visited now and those whose next visit is not due yet."""
    due: list[Source] = []
    waiting: list[Standing] = []
    for standing in standings(ledger, sources):
        if standing.visit is None or standing.next_visit is None or rhythm_of(standing.visit).is_due(now):
            due.append(standing.source)
        else:
            waiting.append(standing)
    return due, waiting


def silent_sources(ledger: Ledger, sources: Sequence[Source]) -> list[Silence]:
    """Return the sources that their last visit found quiet for too long.

    That nobody visits a source is no silence of it, so that no present time is asked for: its last visit counts.
    """
    found = (_silence(standing.source, standing.visit) for standing in standings(ledger, sources))
    return [silence for silence in found if silence is not None]


def told_waiting(waiting: Iterable[Standing]) -> list[str]:
    """Return a sentence for each source that was left alone because its next visit is not due."""
    return [f"{each.source.name}: not asked, next visit at {each.next_visit:%Y-%m-%d %H:%M} UTC." for each in waiting]


def kind_of(source: Source) -> str:
    """Return what a source is as far as its settings tell."""
    return "unknown" if source.kind is SourceKind.WEB else source.kind


def _standing(source: Source, visit: FeedVisit | None) -> Standing:
    if visit is None:
        condition = Condition.NEVER_VISITED
    elif visit.failures:
        condition = Condition.FAILING
    elif _silence(source, visit) is not None:
        condition = Condition.SILENT
    else:
        condition = Condition.FRESH
    return Standing(source=source, condition=condition, visit=visit)


def _silence(source: Source, visit: FeedVisit | None) -> Silence | None:
    """Return the silence of a listing; a single page, a folder and a list of addresses may be as they are for ever."""
    if visit is None or visit.kind == SourceKind.PAGE or source.kind not in _LISTS:
        return None
    rhythm = rhythm_of(visit)
    since = quiet_since(rhythm, visit.newest)
    if since is None or not is_silent(rhythm, visit.newest, source.attention):
        return None
    return Silence(
        source=source.name,
        location=source.location,
        since=since,
        visited_at=visit.fetched_at,
        longest=longest_quiet(rhythm, source.attention),
        why=_why(visit),
    )


def _why(visit: FeedVisit) -> str:
    """Say what a silent source answers instead of news."""
    if visit.failures:
        visits = "visit" if visit.failures == 1 else f"{visit.failures:,} visits"
        return f"its last {visits} failed ({visit.detail})"
    if not visit.entries:
        return "it lists nothing"
    if visit.answer == Answer.NOT_MODIFIED:
        return 'it answers "not modified" (304)'
    return "all that it lists is old"
