"""Attempts: what a run may claim to have had of its sources' days. No claim is larger than what is true.

What a finished attempt means is written down in docs/decisions/0013-what-a-partition-s-state-is-made-from.md.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from storage.records import Attempt
from storage.schema import ARTICLES_DATASET
from storage.store import Store
from tasks.documents import Outcome
from tasks.edit import versions
from tasks.fetch.sources import Source
from tasks.fetch.window import Window
from tasks.job import Job
from tasks.listings import as_last_seen
from tasks.partitions import PASSING, Key, Reach
from tasks.planning import reach_of, reading
from tasks.publish import Failure, Published
from tasks.survey import rows_of

_DAY: Final = timedelta(days=1)


def remember_attempts(job: Job, sources: Sequence[Source], published: Published) -> None:
    """Record what a finished run over whole sources may claim of their days."""
    with job.place.open() as store:
        remember_readings(store, job, sources, published)
        store.ledger.record_attempts(_claims(store, job, sources, published, _inputs_by_day(store, published)))


def remember_readings(store: Store, job: Job, sources: Sequence[Source], published: Published) -> None:
    """Note which sources a run has read to their end: those that are all there at once, and of which nothing failed."""
    failed = {failure.source for failure in published.failures}
    for source in sources:
        if job.window is None and reach_of(source) is Reach.WHOLE and not source.only and source.name not in failed:
            store.ledger.put_note(reading(source), job.started_at.isoformat())


def _inputs_by_day(store: Store, published: Published) -> Counter[Key]:
    """Count inputs that are articles, by source and the day on which these lie."""
    rows = published.outcomes.select(["source", "article_id"]).to_pylist()
    places = store.ledger.places(
        ARTICLES_DATASET.name, {row["article_id"] for row in rows if row["article_id"] is not None}
    )
    return Counter((row["source"], places[row["article_id"]]) for row in rows if row["article_id"] in places)


def _claims(
    store: Store, job: Job, sources: Sequence[Source], published: Published, inputs: Counter[Key]
) -> Iterator[Attempt]:
    own = job.started_at.astimezone(UTC).date()
    asked = [own] if job.window is None else [min(job.window.first, own), min(job.window.last, own)]
    days = [own - _DAY, *asked, *(day for _, day in inputs)]
    around = Window(first=min(days), last=max(days))
    known = store.ledger.attempts([source.name for source in sources], around.first, around.last)
    rows = rows_of(store, around, versions(job.desk))
    for source in (as_last_seen(store, source) for source in sources):
        before = {attempt.day for attempt in known if attempt.source == source.name}
        fell_on = {day for name, day in inputs if name == source.name}
        failed = [failure for failure in published.failures if failure.source == source.name]
        for day in sorted(_claimed_days(source, job.window, own, fell_on, before, has_failed=bool(failed))):
            key = source.name, day
            failures = _failures(store, source, day, failed if day == own or job.window else [])
            yield Attempt(
                source=source.name,
                day=day,
                run=job.run,
                started_at=job.started_at,
                finished_at=job.clock(),
                inputs=inputs[key] + (_no_articles(source, published) if day == own else 0),
                articles=sum(rows.get(key, Counter()).values()),
                failed=len(failures),
                reason=failures[0].reason if failures else None,
                detail=failures[0].detail if failures else None,
            )


def _claimed_days(
    source: Source, window: Window | None, own: date, fell_on: set[date], before: set[date], *, has_failed: bool
) -> set[date]:
    """Return the days of which a run has had all that its source had to give.

    What is all there at once has been read, and a feed shows what it shows. A source that could be asked for the past
    has been asked for what is new: the run may claim its own day, and go on with days that were claimed before; with a
    window, it has been asked for these days.
    """
    reach = reach_of(source)
    if source.only:  # a part of a folder: it says nothing of any day
        return set()
    if window is not None and reach is not Reach.PRESENT:
        asked = {day for day in window.days() if day <= own}
        return fell_on & asked if reach is Reach.WHOLE and has_failed else asked
    if reach is Reach.WHOLE:
        return fell_on
    if reach is Reach.PRESENT:
        return {day for day in fell_on | {own} if window is None or window.has(day)}
    return {own} | {day for day in fell_on | {own - _DAY} if day in before}


def _failures(store: Store, source: Source, day: date, in_run: list[Failure]) -> list[Failure]:
    """Return what failed on a day and has not succeeded since, or what failed in the run, if that is more.

    What is read from a file has no day before it is read: its failures are told by its not being read to the end.
    """
    if reach_of(source) is Reach.WHOLE:
        return []
    since = datetime.combine(day, time(), UTC)
    known = [
        Failure(source=source.name, reason=visit.reason, detail=f"{visit.url}: {visit.detail or visit.reason}")
        for visit in store.ledger.failures([source.name], since, since + _DAY)
        if visit.reason in PASSING
    ]
    return max(known, in_run, key=len)


def _no_articles(source: Source, published: Published) -> int:
    """Count a source's inputs that are no articles: they belong to the day of the run."""
    rows = published.outcomes.select(["source", "outcome", "article_id"]).to_pylist()
    return sum(
        row["source"] == source.name and row["article_id"] is None and row["outcome"] != Outcome.REPEATED
        for row in rows
    )
