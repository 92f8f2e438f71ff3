"""Looks after a run from a thread beside it: shows its progress in Prefect, and hears there that it was cancelled.

The run never waits for it, and goes on where the server does not answer.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar, copy_context
from time import monotonic
from typing import Final
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.objects import StateType
from prefect.exceptions import Abort
from prefect.runtime import flow_run
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.console import notice
from flows.logs import quieten_prefect
from flows.run_page import UNREACHABLE
from storage.store import Place
from tasks.job import Job
from tasks.progress import Progress, listening
from tasks.report.summary import RunSummary

EVERY: Final = 3.0  # seconds
STOP: Final = signal.SIGUSR1  # not SIGINT: a process that a script runs in the background does not hear that
MANY_FAILURES: Final = 2
FEWEST_UPDATES: Final = 50  # of the bar, over a run of any length: each is an event that the server keeps

# Where the stages of each flow begin and end, in per cent of the whole; no other moves the bar.
_STAGES: Final = {"collect": (0, 50), "edit": (50, 85), "commit": (85, 95)}
SPANS: Final[Mapping[str, Mapping[str, tuple[int, int]]]] = {
    "ingest": _STAGES,
    "reprocess": _STAGES,
    "backfill": {"backfill": (0, 95)},
}


class RunCancelledError(Exception):
    """The run was cancelled in Prefect; it has stopped in good order."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("cancelled in Prefect; what was done is kept, and the next run goes on from there.")


class ServerGoneError(Abort):
    """The run is done, and there is no server to tell; to Prefect, a signal to end it without asking anything more."""

    def __init__(self, summary: RunSummary) -> None:
        """Carry what came of the run."""
        super().__init__("The Prefect server does not answer.")
        self.summary = summary


class Companion:
    """The thread that looks after one run. What it is told by the run, it keeps until its next look."""

    def __init__(self, job: Job, flow_run_id: UUID, tags: Iterable[str], *, stops: bool) -> None:
        """Look after a run that Prefect knows by this id; with `stops`, interrupt it when it is cancelled there."""
        self.is_cancelled = False
        self._tags = sorted(tags)
        self._failures = 0
        self._flow_run_id = flow_run_id
        self._job = job
        self._stops = stops
        self._bar: UUID | None = None
        self._now = (0.0, "starting")
        self._shown: tuple[float, str] | None = None
        self._began = self._shown_at = monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=copy_context().run, args=(self._keep,), name="companion", daemon=True)

    @property
    def has_lost_server(self) -> bool:
        """Whether the server has failed to answer for a while, and still does."""
        return self._failures >= MANY_FAILURES

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look after the run while the block lasts; then show how far it came, unless the server takes long."""
        token = _companion.set(self)
        self._thread.start()
        try:
            yield
            self._now = 100.0, "done"
        finally:
            _companion.reset(token)
            self._done.set()
            self._thread.join(EVERY)

    def hear(self, progress: Progress) -> None:
        """Take note of how far the run has come; the bar never goes back."""
        first, last = SPANS.get(self._job.flow, {}).get(progress.stage, (0, 0))
        share = min(1.0, progress.done / progress.total) if progress.total else 0.0
        of = "" if progress.total is None else f" of {progress.total:,}"
        percent = max(self._now[0], round(first + (last - first) * share, 1))
        self._now = percent, f"{progress.stage}: {progress.done:,}{of}"

    def _keep(self) -> None:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), get_client(sync_client=True) as client:
            self._try(client, self._look)
            while not self._done.wait(EVERY):
                self._try(client, self._look)
            self._try(client, self._show)

    def _try(self, client: SyncPrefectClient, do: Callable[[SyncPrefectClient], None]) -> None:
        """Ask something of the server; when it has failed to answer twice, say so once."""
        try:
            do(client)
        except UNREACHABLE:
            self._failures += 1
            if self._failures == MANY_FAILURES:
                quieten_prefect()
                notice("The Prefect server does not answer; the run goes on without it.", style="yellow")
        else:
            self._failures = 0

    def _look(self, client: SyncPrefectClient) -> None:
        now = monotonic()
        if self._bar is None:
            client.update_flow_run(self._flow_run_id, tags=self._tags)
        if self._bar is None or now - self._shown_at >= (now - self._began) / FEWEST_UPDATES:
            self._shown_at = now
            self._show(client)
        if self._stops and not self.is_cancelled and _is_cancelled(client, self._flow_run_id):
            self.is_cancelled = True
            signal.pthread_kill(threading.main_thread().ident or 0, STOP)

    def _show(self, client: SyncPrefectClient) -> None:
        """Move the bar to where the run is."""
        if self._now == self._shown:
            return
        percent, told = now = self._now
        described = f"{self._job.name}: {told}"
        if self._bar is None:
            made = ArtifactCreate(
                key=f"{self._job.flow}-progress",
                type="progress",
                data=percent,
                description=described,
                flow_run_id=self._flow_run_id,
            )
            self._bar = client.create_artifact(made).id
        else:
            client.update_artifact(self._bar, ArtifactUpdate(data=percent, description=described))
        self._shown = now


_companion: ContextVar[Companion | None] = ContextVar("companion", default=None)


def _is_cancelled(client: SyncPrefectClient, flow_run_id: UUID) -> bool:
    state = client.read_flow_run(flow_run_id).state
    return state is not None and state.type in (StateType.CANCELLING, StateType.CANCELLED)


def flow_tags(place: Place) -> tuple[str, str]:
    """Return the tags that a run over a dataset carries in Prefect.

    They are given to the run alone: tasks that inherit a tag ask the server for a slot of it, each of them.

    >>> flow_tags(Place(root="s3://news/desk/"))
    ('copydesk', 'dataset:desk')
    """
    return "copydesk", f"dataset:{place.root.rstrip('/').rsplit('/', 1)[-1]}"


@contextmanager
def accompanied(job: Job) -> Iterator[None]:
    """Have a run looked after while the block lasts; raises `RunCancelledError` in it where the run is cancelled."""
    found = flow_run.get_id()
    if found is None:  # called as a plain function
        yield
        return
    tags = {*flow_run.get_tags(), *flow_tags(job.place)}
    companion = Companion(job, UUID(str(found)), tags, stops=is_on_its_own())
    with _stoppable() if is_on_its_own() else nullcontext(), companion.looking(), listening(companion.hear):
        try:
            yield
        except KeyboardInterrupt:
            if companion.is_cancelled:
                raise RunCancelledError from None
            raise


@contextmanager
def _stoppable() -> Iterator[None]:
    """Have `STOP` interrupt this thread, the process's main one, as Ctrl-C would; one that comes late does nothing."""
    before = signal.signal(STOP, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(STOP, before if callable(before) else signal.SIG_IGN)


def has_lost_server() -> bool:
    """Whether the run that this is called in has lost its Prefect server."""
    companion = _companion.get()
    return companion is not None and companion.has_lost_server


def is_on_its_own() -> bool:
    """Whether no runner or worker of Prefect has started this process: those stop a cancelled run themselves."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    return in_main_thread and "PREFECT__FLOW_RUN_ID" not in os.environ
