"""Planning a backfill: what is asked for, held against what the dataset shows. Reads, and changes nothing."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from storage.schema import ARTICLES_DATASET
from storage.store import Place, Store
from tasks.documents import Versions
from tasks.fetch.sources import Source, SourceError, SourceKind
from tasks.fetch.window import Window
from tasks.listings import as_last_seen
from tasks.partitions import MENDABLE, Evidence, Expected, Partition, Plan, Reach, State, plan
from tasks.rows import versions_key
from tasks.survey import days_known, look, seconds_a_page

LATEST: Final = 24  # weeks with articles that a report shows
_WHOLE: Final = frozenset({SourceKind.FOLDER, SourceKind.FILE, SourceKind.URL_LIST})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which partitions a backfill is to bring up to date: those of a window, of some sources, in some states.

    `others` are the names of sources that only the dataset knows, beside `sources`; None: all of them. With `again`,
    what failed for a lasting reason is tried again, too. `versions` are those of the desk as it is. A `glance` takes no
    day for missing that lies before its source was first attempted: nobody has asked for it.
    """

    window: Window
    today: date
    versions: Versions
    sources: tuple[Source, ...] = ()
    others: tuple[str, ...] | None = None
    only: Collection[State] = field(default=MENDABLE)
    again: bool = False
    glance: bool = False

    @property
    def names(self) -> set[str] | None:
        """The names of the sources; None where it is all that there are."""
        return None if self.others is None else {*self.others, *(source.name for source in self.sources)}


def make_plan(place: Place, request: Request) -> Plan:
    """Look at the dataset and say what is to be done."""
    with place.open() as store:
        return plan_by(store, request, look(store, request.window, request.versions, request.names))


def latest_partitions(
    place: Place, sources: Sequence[Source], today: date, versions: Versions
) -> tuple[Partition, ...]:
    """Return how the latest weeks of a dataset stand; none where it has no articles yet."""
    with place.open() as store:
        known = days_to_show(store, sources, today)
        if known is None:
            return ()
        window = replace(known, first=latest_weeks(store, known, LATEST))
        request = Request(window=window, today=today, versions=versions, sources=tuple(sources), glance=True)
        return plan_by(store, request, look(store, request.window, versions)).partitions


def days_to_show(store: Store, sources: Iterable[Source], today: date) -> Window | None:
    """Return the days from the first with articles to the last; to today where a source goes on publishing."""
    known = days_known(store)
    if known is None:
        return None
    goes_on = any(reach_of(source) is not Reach.WHOLE for source in sources)
    return Window(first=min(known.first, today), last=today if goes_on else min(known.last, today))


def latest_weeks(store: Store, known: Window, weeks: int) -> date:
    """Return the first day of the latest so many weeks that have articles, among the days that are known."""
    days = (day for day in store.ledger.placed_by_day(ARTICLES_DATASET.name) if known.has(day))
    mondays = sorted({day - timedelta(days=day.weekday()) for day in days}, reverse=True)
    return max(known.first, mondays[:weeks][-1]) if mondays else known.first


def plan_by(store: Store, request: Request, evidence: Evidence) -> Plan:
    """Say what is to be done, by what was found."""
    _check_names(store, request, evidence)
    return plan(
        request.window,
        expected(store, request, evidence),
        evidence,
        versions=versions_key(request.versions),
        today=request.today,
        only=request.only,
        again=request.again,
        seconds_a_page=seconds_a_page(store),
    )


def expected(store: Store, request: Request, evidence: Evidence) -> list[Expected]:
    """Return the sources that partitions are expected of: those that can be asked, and those that left something."""
    since = store.ledger.first_attempts() if request.glance else {}
    known = [
        _expected(store, as_last_seen(store, source), since.get(source.name, request.today) if request.glance else None)
        for source in request.sources
    ]
    named = {source.source for source in known}
    return known + [Expected(source=name) for name in sorted(evidence.sources() - named)]


def _expected(store: Store, source: Source, since: date | None) -> Expected:
    noted = store.ledger.note(reading(source))
    return Expected(
        source=source.name,
        reach=reach_of(source),
        since=since,
        read_at=None if noted is None else datetime.fromisoformat(noted),
        delay=0.0 if source.is_local else source.delay,
    )


def reach_of(source: Source) -> Reach:
    """Return what can be asked of a source about its past."""
    if source.kind in _WHOLE:
        return Reach.WHOLE
    return Reach.PAST if source.reaches_past else Reach.PRESENT


def reading(source: Source) -> str:
    """Return the name of the note that says when a source that is all there at once was last read to its end."""
    place = source.location if "://" in source.location else str(Path(source.location).resolve())
    return f"read {source.name} {place}"


def _check_names(store: Store, request: Request, evidence: Evidence) -> None:
    """Refuse a name of which neither the settings nor the dataset know anything."""
    for name in sorted(set(request.others or ()) - evidence.sources()):
        known = look(store, request.window, request.versions).sources() | {source.name for source in request.sources}
        close = get_close_matches(name, sorted(known), n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(sorted(known)) or 'none'}."
        raise SourceError(
            f"{name}: copydesk.toml has no source of this name, and the dataset nothing of it "
            f"from {request.window.first} to {request.window.last}. {hint}"
        )
