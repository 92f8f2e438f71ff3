"""Filling partitions: a unit of a backfill's plan, from the page archive and, where that will not do, from its sources.

A unit is a run of its own, with its own staging and commit, so that one that fails takes no other with it.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import chain
from typing import Final

from storage.records import Attempt
from storage.store import Store
from tasks.archived import Selection, collect_archived
from tasks.attempts import remember_readings
from tasks.batch import Editors
from tasks.collect import collect_pages
from tasks.documents import Reason
from tasks.edit import versions
from tasks.fetch.sources import SourceKind
from tasks.job import Job
from tasks.partitions import (
    BROKEN_OFF,
    LASTING,
    MENDABLE,
    NOT_KEPT,
    Evidence,
    Expected,
    Key,
    Partition,
    Reach,
    Unit,
)
from tasks.phrasing import counted
from tasks.planning import Request, expected, plan_by
from tasks.progress import listening
from tasks.publish import Failure, Published, publish_run, together
from tasks.rows import versions_key
from tasks.survey import look

_LONGEST_DETAIL: Final = 300


def fill(job: Job, unit: Unit, request: Request, editors: Editors) -> Published | None:
    """Bring a unit's partitions up to date, and record the attempt at each; None where another run has done so.

    `job` is the unit's own run. Done again after a crash, it ends in the same rows.
    """
    job = replace(job, started_at=job.clock(), window=unit.window)
    request = replace(request, window=unit.window, only=MENDABLE)
    with _at_work(job, unit) as store:
        found = look(store, unit.window, request.versions, request.names)
        todo = _still_to_do(store, unit, request, found)
        if not todo:
            return None
        published, found = _attempted(store, job, todo, request, found, editors)
        # What the archive turned out not to have, its source may.
        asked = {(each.source, each.day) for each in todo if each.asks}
        rest = [
            each
            for each in _still_to_do(store, unit, request, found)
            if each.asks and (each.source, each.day) not in asked
        ]
        if not rest:
            return published
        more, _ = _attempted(store, replace(job, run=f"{job.run}-asked"), rest, request, found, editors)
        return together([published, more])


def _attempted(
    store: Store, job: Job, todo: Sequence[Partition], request: Request, before: Evidence, editors: Editors
) -> tuple[Published, Evidence]:
    """Attempt partitions from the page archive and, of those for which that will not do, from their sources.

    Returns what that brought, and what is found then.
    """
    asked = [source for source in request.sources if source.name in {each.source for each in todo if each.asks}]
    store.ledger.record_attempts(_begun(each, before, job) for each in todo if each.asks)
    # The addresses of a list have no days: the list is taken as a whole.
    asking = replace(job, window=None) if any(each.kind is SourceKind.URL_LIST for each in asked) else job
    for batch in chain(collect_archived(job, _selection(todo, request)), collect_pages(asking, asked)):
        editors.edit(job, batch)
    published = publish_run(job)
    remember_readings(store, asking, asked, published)
    after = look(store, request.window, request.versions, request.names)
    by_name = {source.source: source for source in expected(store, request, after)}
    claims = (_concluded(each, by_name[each.source], before, after, published, job) for each in todo)
    attempts = [claim for claim in claims if claim is not None]
    store.ledger.record_attempts(attempts)
    known = after.attempts | {(each.source, each.day): each for each in attempts}
    return published, replace(after, attempts=known)


def _still_to_do(store: Store, unit: Unit, request: Request, found: Evidence) -> list[Partition]:
    """Return the unit's partitions as they are now, of those about which something is still to be done."""
    planned = {(each.source, each.day) for each in unit.partitions}
    return [each for each in plan_by(store, request, found).chosen if (each.source, each.day) in planned]


def _selection(todo: Sequence[Partition], request: Request) -> Selection:
    partitions = frozenset((each.source, each.day) for each in todo)
    return Selection(partitions=partitions, stale_only=not request.again)


def break_off(job: Job, unit: Unit, trouble: str) -> None:
    """Record that a unit could not be done, and why."""
    with job.place.open() as store:
        before = look(store, unit.window, versions(job.desk), {each.source for each in unit.partitions})
        store.ledger.record_attempts(
            replace(
                _begun(each, before, job),
                finished_at=job.clock(),
                failed=1,
                reason=BROKEN_OFF,
                detail=trouble[:_LONGEST_DETAIL],
            )
            for each in unit.partitions
        )


@contextmanager
def _at_work(job: Job, unit: Unit) -> Iterator[Store]:
    """Hold the run's lock, by which others know that it is alive, and the day's: two backfills do a day in turn."""
    with ExitStack() as stack:
        store = stack.enter_context(job.place.open())
        stack.enter_context(store.files.lock(f"backfill-{unit.window.first}"))
        stack.enter_context(store.files.lock(f"run-{job.run}"))
        stack.enter_context(listening(lambda _: None))  # how far a backfill has come is told in units
        yield store


def _begun(partition: Partition, before: Evidence, job: Job) -> Attempt:
    """Return an attempt that has begun; it promises what the one before it did."""
    known = before.attempts.get((partition.source, partition.day))
    return Attempt(
        source=partition.source,
        day=partition.day,
        run=job.run,
        started_at=job.started_at,
        articles=max(partition.rows, known.articles if known is not None else 0),
    )


def _concluded(
    partition: Partition, source: Expected, before: Evidence, after: Evidence, published: Published, job: Job
) -> Attempt | None:
    """Return what may be claimed of a partition now; None where the archive alone does not tell of the whole day."""
    key = partition.source, partition.day
    known = before.attempts.get(key)
    failed, why = _failed(partition, source, before, after, published, versions_key(versions(job.desk)))
    claim = replace(
        _begun(partition, before, job),
        finished_at=job.clock(),
        inputs=max(_rows(after, key), 0 if source.reach is Reach.WHOLE else published.inputs.get(source.source, 0)),
        articles=_rows(after, key),
        failed=failed,
        reason=why.reason if why is not None else None,
        detail=why.detail[:_LONGEST_DETAIL] if why is not None else None,
    )
    if partition.asks or failed:
        return claim
    if known is not None and known.finished_at is not None:
        return _carried_on(known, claim)
    return None if source.can_be_asked(partition.day, job.started_at.date()) else claim


def _carried_on(known: Attempt, claim: Attempt) -> Attempt:
    """Return the claim of an attempt before, which the archive has only brought up to date."""
    is_open = known.failed and known.reason not in LASTING and known.reason != BROKEN_OFF
    return replace(
        claim,
        started_at=known.started_at,
        inputs=max(known.inputs, claim.inputs),
        failed=known.failed if is_open else 0,
        reason=known.reason if is_open else None,
        detail=known.detail if is_open else None,
    )


def _failed(
    partition: Partition, source: Expected, before: Evidence, after: Evidence, published: Published, today: str
) -> tuple[int, Failure | None]:
    """Return how many pages of a partition could not be had, and the first reason why."""
    key = partition.source, partition.day
    known, rows = before.attempts.get(key), _rows(after, key)
    failures = [failure for failure in published.failures if failure.source == partition.source]
    if partition.asks and source.reach is Reach.WHOLE and rows:
        failures = []  # a page on disk that cannot be read has no day: it may be lacking on those that have nothing
    short = 0 if partition.asks or known is None else known.articles - rows
    lacking = max(short, after.kept.get(key, 0)) + rows - after.rows.get(key, {}).get(today, 0)
    if lacking > 0 and not failures:
        reason, also = (Reason.DAMAGED_ARCHIVE, ", nor from its source") if partition.asks else (NOT_KEPT, "")
        detail = f"{counted(lacking, 'page')} cannot be read from the archive{also}"
        failures = [Failure(source=partition.source, reason=reason, detail=detail)]
    return max(len(failures), lacking), failures[0] if failures else None


def _rows(evidence: Evidence, key: Key) -> int:
    return sum(evidence.rows.get(key, {}).values())
