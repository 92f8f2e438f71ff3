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
from tasks.fetch.sources import Source
from tasks.fetch.window import Window
from tasks.job import Job
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
    """Note which sources a run has read from end to end: those that are all there at once, and of which none failed."""
    failed = {failure.source for failure in published.failures}
    for source in sources:
        if reach_of(source) is Reach.WHOLE and source.name not in failed:
            store.ledger.put_note(reading(source.name), job.started_at.isoformat())


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
    days = [own - _DAY, own, *(day for _, day in inputs)]
    window = Window(first=min(days), last=max(days))
    before = {
        (attempt.source, attempt.day): attempt
        for attempt in store.ledger.attempts([source.name for source in sources], window.first, window.last)
    }
    rows = rows_of(store, window)
    for source in sources:
        fell_on = {day for name, day in inputs if name == source.name}
        for day in sorted(_claimed_days(source, own, fell_on, before)):
            key = source.name, day
            failed = _failures(store, source, day, published if day == own else None)
            yield Attempt(
                source=source.name,
                day=day,
                run=job.run,
                started_at=job.started_at,
                finished_at=job.clock(),
                inputs=inputs[key] + (_no_articles(source, published) if day == own else 0),
                articles=sum(rows.get(key, Counter()).values()),
                failed=len(failed),
                reason=failed[0].reason if failed else None,
                detail=failed[0].detail if failed else None,
            )


def _claimed_days(source: Source, own: date, fell_on: set[date], before: dict[Key, Attempt]) -> set[date]:
    """Return the days of which a run has had all that its source had to give.

    What is all there at once has been read, and a feed shows what it shows. A source that could be asked for the past
    has been asked for what is new: the run may claim its own day, and go on with days that were claimed before.
    """
    match reach_of(source):
        case Reach.WHOLE:
            return fell_on
        case Reach.PRESENT:
            return fell_on | {own}
        case _:
            return {own} | {day for day in fell_on | {own - _DAY} if (source.name, day) in before}


def _failures(store: Store, source: Source, day: date, published: Published | None) -> list[Failure]:
    """Return what failed on a day and has not succeeded since; of a run's own day also what failed in the run.

    What is read from a file has no day before it is read: its failures are told by its not being read from end to end.
    """
    if reach_of(source) is Reach.WHOLE:
        return []
    since = datetime.combine(day, time(), UTC)
    known = [
        Failure(source=source.name, reason=visit.reason, detail=f"{visit.url}: {visit.detail or visit.reason}")
        for visit in store.ledger.failures([source.name], since, since + _DAY)
        if visit.reason in PASSING
    ]
    in_run = [failure for failure in published.failures if failure.source == source.name] if published else []
    return max(known, in_run, key=len)


def _no_articles(source: Source, published: Published) -> int:
    """Count a source's inputs that are no articles: they belong to the day of the run."""
    rows = published.outcomes.select(["source", "outcome", "article_id"]).to_pylist()
    return sum(
        row["source"] == source.name and row["article_id"] is None and row["outcome"] != Outcome.REPEATED
        for row in rows
    )
