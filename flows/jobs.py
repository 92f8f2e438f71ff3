"""A run from its begin to its conclusion: its names, its lock, its times, its place in the ledger."""

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import randbits, token_hex
from time import perf_counter
from typing import Any, Final, cast

from prefect.artifacts import create_table_artifact
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.clock import utc_now
from flows.desks import desk_of
from flows.events import announce
from flows.parameters import ReprocessParameters
from flows.places import check_reach, place_of
from flows.settings import Settings
from storage.records import Run as LedgerRun
from storage.verify import Finding
from tasks.archived import Planned
from tasks.batch import Editors, Workers
from tasks.cluster import Cluster
from tasks.documents import Outcome
from tasks.edit import versions
from tasks.fetch.exchange import Limits
from tasks.fetch.sources import Source
from tasks.fetch.window import Window
from tasks.housekeeping import Completed, Dropped
from tasks.job import Job
from tasks.publish import Published, count_outcomes
from tasks.report.summary import Run, RunSummary, summarise
from tasks.standing import part_due, silent_sources, told_waiting

# Some batches are on their way at a time; the rest wait as references.
THREADS: Final = cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner(max_workers=16))


def ingest_run_name() -> str:
    """Return a readable name for a run in Prefect: what it does, and for which sources."""
    chosen = flow_run.parameters["parameters"].sources
    return f"ingest {', '.join(Path(source).name or source for source in chosen[:3]) or 'all sources'}"


def reprocess_run_name() -> str:
    """Return a readable name for a run in Prefect: what it does anew, of which sources and days."""
    asked: ReprocessParameters = flow_run.parameters["parameters"]
    first, last = (str(day) if day else "" for day in (asked.first_day, asked.last_day))
    days = f" {first}…{last}" if first or last else ""
    return f"reprocess {asked.only}, {', '.join(asked.sources[:3]) or 'all sources'}{days}"


def begin(flow: str, settings: Settings, window: Window | None = None) -> Job:
    """Name a run and settle how it works; with a window, it keeps to those days."""
    now = utc_now()
    return Job(
        run=f"{now:%Y%m%dT%H%M%S}-{token_hex(3)}",
        name=flow_run.get_name() or flow,
        flow=flow,
        place=place_of(settings),
        started_at=now,
        clock=utc_now,
        seed=randbits(32),
        desk=desk_of(settings),
        contact=settings.contact,
        batch_size=settings.batch_size,
        workers=settings.workers or os.cpu_count() or 1,
        limits=Limits(backoff_seconds=settings.backoff),
        announce=announce,
        window=window,
    )


def editors(settings: Settings) -> Editors:
    """Return who edits pages, to be used in a `with` block: processes of this machine, or a Dask cluster."""
    workers = settings.workers or os.cpu_count() or 1
    if settings.dask is None:
        return Workers(workers)
    check_reach(settings)
    return Cluster(settings.dask, workers)


@contextmanager
def working(job: Job) -> Iterator[None]:
    """Hold the run's lock, by which others know that it is alive, and note its start in the ledger."""
    gc.freeze()  # what is loaded stays: the collector need not look at 200,000 objects again, 0.1 s each time
    with job.place.open() as store, store.files.lock(f"run-{job.run}"):
        store.ledger.start_run(LedgerRun(run=job.run, flow=job.flow, started_at=job.started_at))
        yield


class Stopwatch:
    """The seconds that each stage took."""

    def __init__(self) -> None:
        """Start with none."""
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Time a stage."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = perf_counter() - start


def choose_due(job: Job, sources: Sequence[Source]) -> tuple[Sequence[Source], list[str]]:
    """Return the sources whose next visit is due, and a sentence for each that is left alone."""
    with job.place.open() as store:
        due, waiting = part_due(store.ledger, sources, job.started_at)
    return due, told_waiting(waiting)


def told_silent(job: Job, sources: Sequence[Source]) -> list[str]:
    """Return a sentence for each of a run's sources that is silent."""
    with job.place.open() as store:
        return [str(silence) for silence in silent_sources(store.ledger, sources)]


def conclude(
    job: Job,
    published: Published,
    near_duplicates: int,
    seconds: dict[str, float],
    warnings: Sequence[str] = (),
) -> RunSummary:
    """Sum up a run, note it in the ledger, and show its outcomes in Prefect."""
    finished, made_by = utc_now(), versions(job.desk)
    summary = summarise(
        Run(
            run_id=job.run,
            run_name=job.name,
            flow=job.flow,
            started_at=job.started_at,
            finished_at=finished,
            copydesk_version=made_by.pipeline,
            rules_version=made_by.rules,
            taxonomy_version=made_by.taxonomy,
            data_folder=job.place.root,
        ),
        published.outcomes,
        inputs=published.inputs,
        near_duplicates=near_duplicates,
        rejected=published.rejected,
        seconds_by_stage=seconds,
        warnings=[
            *warnings,
            *(
                f"{source}: {count:,} {'entry' if count == 1 else 'entries'} left out ({why})."
                for (source, why), count in published.left_out.items()
            ),
        ],
    )
    with job.place.open() as store:
        store.ledger.finish_run(job.run, finished, count_outcomes(published.outcomes), seconds)
    create_table_artifact(
        _outcome_rows(summary), key="outcomes", description=f"What became of the inputs of {job.name}."
    )
    return summary


def conclude_upkeep(
    job: Job, completed: Completed, moved: int, dropped: Dropped, findings: Sequence[Finding], seconds: dict[str, float]
) -> None:
    """Note in the ledger what housekeeping did, and show it in Prefect."""
    counts = {
        "runs completed": completed.runs,
        "chores completed": completed.chores,
        "pages found again": completed.pages,
        "articles moved": moved,
        "archive files dropped": dropped.files,
        "rejections dropped": dropped.rejections,
        "findings": len(findings),
    }
    with job.place.open() as store:
        store.ledger.finish_run(job.run, utc_now(), counts, seconds)
    create_table_artifact([counts], key="upkeep", description=f"What {job.name} did.")


def show_plan(job: Job, planned: Sequence[Planned]) -> None:
    """Show in Prefect what a run is going to do."""
    rows = [
        {
            "source": line.source,
            "cause": str(line.cause),
            "pages": line.pages,
            "days": f"{line.first_day} … {line.last_day}",
            "not kept": line.not_kept,
        }
        for line in planned
    ]
    create_table_artifact(rows, key="reprocess-plan", description=f"What {job.name} is going to edit anew.")


def _outcome_rows(summary: RunSummary) -> list[dict[str, str | int]]:
    """Return a row a source: its inputs and their outcomes."""
    return [
        {"source": source.source, "inputs": source.inputs, **{str(each): source.count(each) for each in Outcome}}
        for source in summary.sources
    ]
