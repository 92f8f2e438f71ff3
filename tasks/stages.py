"""The Prefect tasks side by side: what a run does, batch by batch, by reference.

A task takes values and paths, calls a plain function, and answers with values and paths: documents never cross its
border. Retries are for a lost worker or a busy disk; one URL's retries belong to the client, and one page's trouble is
a rejection.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from storage.store import Place
from storage.verify import Verdict
from tasks import filling, housekeeping, survey
from tasks.archived import Planned, Selection, collect_archived
from tasks.archived import plan as plan_archived
from tasks.attempts import remember_attempts
from tasks.batch import Edited, Editors
from tasks.collect import collect_pages
from tasks.edit import versions
from tasks.fetch.sources import Source
from tasks.fetch.window import Window
from tasks.housekeeping import Completed, Dropped, Retention, fingerprint_anew
from tasks.intake import BatchRef
from tasks.job import Job
from tasks.partitions import Plan, Unit
from tasks.planning import Request, make_plan
from tasks.publish import Published, finish_interrupted, publish_run, tell_stories, write_report
from tasks.report.summary import RunSummary


# NO_CACHE: what was done is known to the ledger and the dataset, across runs and machines.
@task(name="finish interrupted runs", cache_policy=NO_CACHE)
def finish(job: Job) -> int:
    """Publish what earlier runs had edited when they were cut short."""
    return finish_interrupted(job)


@task(name="collect", cache_policy=NO_CACHE)
def collect(job: Job, sources: Sequence[Source]) -> Iterator[BatchRef]:
    """Fetch or read what the sources offer and archive it; yields a batch whenever one has come together."""
    yield from collect_pages(job, sources)


@task(name="plan", cache_policy=NO_CACHE)
def plan(job: Job, selection: Selection) -> tuple[Planned, ...]:
    """Say which archived pages are to be edited anew, and why."""
    return plan_archived(job.place, selection, versions(job.desk))


@task(name="collect archived", cache_policy=NO_CACHE)
def collect_kept(job: Job, selection: Selection) -> Iterator[BatchRef]:
    """Find archived pages that are wanted; yields a batch whenever one has come together. Asks nobody."""
    yield from collect_archived(job, selection)


@task(name="edit", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=exponential_backoff(5))
def edit(job: Job, batch: BatchRef, editors: Editors) -> Edited:
    """Clean, mend and tag a batch of pages; one outcome per page."""
    return editors.edit(job, batch)


@task(name="commit", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=exponential_backoff(5))
def commit(job: Job) -> Published:
    """Publish the run's batches to the dataset, a partition at a time."""
    return publish_run(job)


@task(name="stories", cache_policy=NO_CACHE)
def stories(job: Job, days: Sequence[date]) -> int:
    """Say which articles around the changed days tell the same story."""
    return tell_stories(job.place, days, run=job.run, now=job.started_at)


@task(name="fingerprints", cache_policy=NO_CACHE)
def fingerprints(job: Job, first_day: date | None, last_day: date | None) -> tuple[date, ...]:
    """Make fingerprints again from the stored texts, and tell all stories by them."""
    return fingerprint_anew(job.place, first_day, last_day, run=job.run, now=job.started_at)


@task(name="remember attempts", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=exponential_backoff(5))
def attempts(job: Job, sources: Sequence[Source], published: Published) -> None:
    """Record what the run may claim to have had of its sources' days."""
    remember_attempts(job, sources, published)


@task(name="plan days", cache_policy=NO_CACHE)
def plan_days(place: Place, request: Request) -> Plan:
    """Say which partitions are to be brought up to date, and in which order."""
    return make_plan(place, request)


@task(
    name="fill",
    task_run_name="fill {unit}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=exponential_backoff(5),
    retry_jitter_factor=0.5,
)
def fill(job: Job, unit: Unit, request: Request, editors: Editors) -> Published | None:
    """Bring a day up to date, or a source on disk; None where another run has done so meanwhile."""
    return filling.fill(job, unit, request, editors)


@task(name="break off", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=exponential_backoff(5))
def break_off(job: Job, unit: Unit, trouble: str) -> None:
    """Record that a day could not be brought up to date, and why."""
    filling.break_off(job, unit, trouble)


@task(name="untold", cache_policy=NO_CACHE)
def untold(place: Place, window: Window) -> tuple[date, ...]:
    """Find the days whose stories are not told yet."""
    with place.open() as store:
        return survey.untold(store, window)


@task(name="report", cache_policy=NO_CACHE)
def report(job: Job, summary: RunSummary, days: Sequence[date], sources: Sequence[Source] = ()) -> str:
    """Draw the run's report page."""
    return write_report(job.place, summary, days, versions(job.desk), sources)


@task(name="complete", cache_policy=NO_CACHE)
def complete(job: Job) -> Completed:
    """Complete what was cut short."""
    return housekeeping.complete(job.place, job.started_at, job.announce)


@task(name="move corrected", cache_policy=NO_CACHE)
def move_corrected(job: Job) -> int:
    """Move articles whose date was corrected to their day."""
    return housekeeping.move_corrected(job.place, job.started_at, job.announce)


@task(name="retire", cache_policy=NO_CACHE)
def retire(job: Job, retention: Retention) -> Dropped:
    """Drop archived pages and rejections that were kept for long enough."""
    return housekeeping.retire(job.place, retention, job.started_at)


@task(name="verify", cache_policy=NO_CACHE)
def prove(job: Job) -> Verdict:
    """Prove the dataset sound, and make again what follows from its articles."""
    return housekeeping.prove(job.place, job.started_at)


@task(name="compact", cache_policy=NO_CACHE)
def compact(job: Job) -> bool:
    """Tidy the ledger's database."""
    return housekeeping.compact(job.place)
