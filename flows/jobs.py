"""A run from its begin to its conclusion: its names, its lock, its times, its place in the ledger."""

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import randbits, token_hex
from time import perf_counter

from prefect.artifacts import create_table_artifact
from prefect.runtime import flow_run

from flows.clock import utc_now
from flows.desks import desk_of
from flows.places import place_of
from flows.settings import Settings
from storage.records import Run as LedgerRun
from tasks.documents import Outcome
from tasks.edit import versions
from tasks.fetch.exchange import Limits
from tasks.fetch.sources import Source
from tasks.fetch.window import Window
from tasks.job import Job
from tasks.publish import Published, count_outcomes
from tasks.report.summary import Run, RunSummary, summarise
from tasks.standing import part_due, silent_sources, told_waiting


def ingest_run_name() -> str:
    """Return a readable name for a run in Prefect: what it does, and for which sources."""
    chosen = flow_run.parameters["parameters"].sources
    return f"ingest {', '.join(Path(source).name or source for source in chosen[:3]) or 'all sources'}"


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
        window=window,
    )


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


def _outcome_rows(summary: RunSummary) -> list[dict[str, str | int]]:
    """Return a row a source: its inputs and their outcomes."""
    return [
        {"source": source.source, "inputs": source.inputs, **{str(each): source.count(each) for each in Outcome}}
        for source in summary.sources
    ]
