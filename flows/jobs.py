"""A run from its begin to its conclusion: its names, its lock, its times, its gates, its place in the ledger."""

import gc
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import randbits, token_hex
from time import perf_counter
from typing import Any, Final, cast

from prefect import State
from prefect.exceptions import TerminationSignal
from prefect.futures import PrefectFuture
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Failed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.clock import utc_now
from flows.companion import RunCancelledError, ServerGoneError, accompanied, has_lost_server, is_on_its_own
from flows.desks import desk_of
from flows.endings import is_trouble
from flows.events import announce
from flows.logs import OURS, in_run, in_stage, speak_json, speaks_json
from flows.parameters import ReprocessParameters
from flows.places import check_reach, place_of
from flows.run_page import show, show_table
from flows.settings import LogFormat, Settings
from storage.errors import StoreError
from storage.records import Run as LedgerRun
from storage.store import Store
from storage.verify import Finding
from tasks.archived import Planned
from tasks.batch import Editors, Workers
from tasks.cluster import Cluster
from tasks.edit import versions
from tasks.fetch.exchange import Limits
from tasks.fetch.sources import Source
from tasks.fetch.window import Window
from tasks.gates import LOOKED_BACK, Figures, Gate, Gates, GateStatus, judge, surges
from tasks.housekeeping import Completed, Dropped
from tasks.job import Job
from tasks.publish import Published, count_outcomes
from tasks.report.summary import Run, RunSummary, summarise
from tasks.report.words import verdict
from tasks.standing import part_due, silent_sources, told_waiting

INGEST: Final = "ingest"  # the flow whose runs are held against those before

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
    """Name a run and settle how it works; with a window, it keeps to those days.

    In a worker of Prefect, its log lines are written as the settings ask.
    """
    now = utc_now()
    if settings.log_format is LogFormat.JSON and not speaks_json():
        speak_json()
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
        gates=gates_of(settings),
    )


def gates_of(settings: Settings) -> Gates:
    """Return the quality gates that the settings ask for."""
    own = {name: source.gates for name, source in settings.sources.items() if source.gates is not None}
    return Gates(
        limits=settings.gates.limits(),
        of_source={name: settings.gates.limits(gates) for name, gates in own.items()},
    )


def editors(settings: Settings) -> Editors:
    """Return who edits pages, to be used in a `with` block: processes of this machine, or a Dask cluster."""
    workers = settings.workers or os.cpu_count() or 1
    if settings.dask is None:
        return Workers(workers)
    check_reach(settings)
    return Cluster(settings.dask, workers)


@contextmanager
def _spared() -> Iterator[None]:
    """Let the collector leave alone what is loaded: it need not look at 200,000 objects again, 0.1 s each time."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()  # else DuckDB prints a page of leaks when the process ends


@contextmanager
def working(job: Job) -> Iterator[None]:
    """Hold the run's lock, by which others know that it is alive, and note its start and its end in the ledger.

    It is looked after meanwhile: see `flows/companion.py`.
    """
    with _spared(), job.place.open() as store, store.files.lock(f"run-{job.run}"), in_run(job.run, job.flow):
        started = LedgerRun(run=job.run, flow=job.flow, started_at=job.started_at, name=job.name)
        store.ledger.start_run(started)
        try:
            with accompanied(job):
                yield
        except ServerGoneError:
            raise
        except BaseException as error:
            with suppress(StoreError):  # which may be the very trouble
                store.ledger.fail_run(job.run, _trouble(error), utc_now())
            raise


def _trouble(error: BaseException) -> str:
    """Say in a line why a run did not end well."""
    if isinstance(error, KeyboardInterrupt | TerminationSignal):
        return "It was stopped from outside."
    if isinstance(error, RunCancelledError):
        return "It was cancelled in Prefect."
    told = str(error).strip().splitlines()
    return told[0] if told and is_trouble(error) else f"{type(error).__name__}: {''.join(told[:1])}"


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
            with in_stage(stage):
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
    """Sum up a run and hold it against its gates; note it in the ledger, and show it in Prefect."""
    finished, made_by = utc_now(), versions(job.desk)
    figures = Figures(
        started_at=job.started_at,
        outcomes=published.by_source(),
        corrections=published.corrections,
        undated=published.undated,
    )
    with job.place.open() as store:
        past = _past(store, figures) if job.flow == INGEST else ()
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
            gates=judge(job.gates, figures, past),
            warnings=[*warnings, *_left_out(published), *surges(figures, past)],
            corrections=published.corrections,
        )
        store.ledger.finish_run(
            job.run,
            finished,
            count_outcomes(published.outcomes),
            seconds,
            sources=figures.outcomes,
            corrections=figures.corrections,
            broken=[_sentence(gate) for gate in summary.gates if gate.status is not GateStatus.PASSED],
        )
    _log(summary)
    if not has_lost_server():
        show(job, summary)
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
    show_table([counts], key=f"{job.flow}-upkeep", description=f"What {job.name} did.")


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
    show_table(rows, key=f"{job.flow}-plan", description=f"What {job.name} is going to edit anew.")


def ended(summary: RunSummary) -> "RunSummary | State[RunSummary]":
    """Return what a flow returns at its end: its summary, in a failed state where a gate broke that is to fail it.

    To be called while the run is `working`. A run from a terminal that has lost its server ends here: Prefect would go
    on to look for that for a minute.
    """
    if has_lost_server() and is_on_its_own():
        raise ServerGoneError(summary)
    if not summary.broken_gates:
        return summary
    return Failed(message=" ".join(_sentence(gate) for gate in summary.broken_gates), data=summary)


def _past(store: Store, figures: Figures) -> list[Figures]:
    """Return what earlier runs over the same sources brought, as the ledger knows it."""
    runs = store.ledger.runs_of(figures.outcomes, INGEST, figures.started_at - LOOKED_BACK)
    return [
        Figures(started_at=run.started_at, outcomes=run.sources, corrections=run.corrections)
        for run in runs
        if run.started_at < figures.started_at
    ]


def _left_out(published: Published) -> list[str]:
    return [
        f"{source}: {count:,} {'entry' if count == 1 else 'entries'} left out ({why})."
        for (source, why), count in published.left_out.items()
    ]


def _sentence(gate: Gate) -> str:
    return f"{gate.name}: {gate.detail}"


def _log(summary: RunSummary) -> None:
    """Log what came of a run, and what is to be looked at."""
    logger = run_logger()
    logger.info(verdict(summary))
    for gate in summary.gates:
        if gate.status is not GateStatus.PASSED:
            logger.log(logging.ERROR if gate.status is GateStatus.FAILED else logging.WARNING, _sentence(gate))
    for warning in summary.warnings:
        logger.warning(warning)


def run_logger() -> "logging.Logger | logging.LoggerAdapter[logging.Logger]":
    """Return the logger of the flow's run in Prefect; outside of one, our own."""
    return logging.getLogger(OURS) if flow_run.get_id() is None else get_run_logger()
