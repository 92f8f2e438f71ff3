"""Batches edited on a Dask cluster: slices by reference, sent to workers that have the package and reach the store.

Dask gives what a lost worker had to another one. A page that takes workers down is not tried on them for ever: its
slice comes back, and is edited by halves in processes of this machine, as `tasks.batch.Workers` does.
"""

import logging
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from storage.store import Place
from tasks.batch import Edited, EditSlice, Slice, edit_carefully, edit_slice, slices
from tasks.documents import Versions
from tasks.edit import Desk, versions
from tasks.intake import BatchRef
from tasks.job import Job

if TYPE_CHECKING:
    from distributed import Client, Future

LOCAL: Final = "local"
PATIENCE: Final = 120.0  # seconds without any worker after which a cluster is given up
_ANSWER: Final = 20.0  # seconds that a scheduler has to answer
_DEATHS: Final = 1  # of workers of a cluster of our own, until a slice is edited carefully


class ClusterError(Exception):
    """The Dask cluster cannot be used: it is not there, has no workers, or its workers have another copydesk."""


class Cluster:
    """A Dask cluster that edits pages: one that is there, by its scheduler's address, or one of our own processes.

    Use as `with Cluster(address) as cluster`; threads may share it. `edit` is what a worker does with a slice.
    """

    def __init__(
        self, address: str, workers: int = 1, edit: EditSlice = edit_slice, *, patience: float = PATIENCE
    ) -> None:
        """Remember where it is; `local` starts a scheduler and so many worker processes on this machine."""
        self._address = address
        self._workers = workers
        self._edit = edit
        self._patience = patience
        self._open = ExitStack()
        self._connected: Client | None = None

    def __enter__(self) -> Self:
        """Connect, and see that somebody is there who has this copydesk."""
        with ExitStack() as opened:
            self._connected = _connect(opened, self._address, self._workers, self._patience)
            self._greet()
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect; what is not begun is dropped, and processes of our own end."""
        self._open.close()
        self._connected = None

    def edit(self, job: Job, batch: BatchRef) -> Edited:
        """Edit a batch, its slices wherever a worker is free."""
        parts = slices(batch)
        futures = [self._submit(job, part) for part in parts]
        return sum((self._result(future, job, part) for future, part in zip(futures, parts, strict=True)), Edited())

    @property
    def _client(self) -> "Client":
        if self._connected is None:
            raise ClusterError("This cluster is not connected: use it in a `with` block.")
        return self._connected

    def _greet(self) -> None:
        try:
            self._wait(self._client.submit(versions, Desk(), pure=False))
        except (ImportError, RuntimeError) as error:  # the scheduler, which reads tasks too, wraps it in the latter
            raise ClusterError(
                f"{self._address}: the scheduler or a worker cannot import copydesk ({error.__cause__ or error}). "
                "Install there what is installed here."
            ) from error

    def _submit(self, job: Job, part: Slice) -> "Future":
        name = f"{job.run}-{part.key}-{part.start:05d}"
        return self._client.submit(
            edit_there,
            versions(job.desk),
            self._edit,
            job.place,
            job.run,
            part,
            job.desk,
            key=f"edit-{name}",
            pure=False,
        )

    def _result(self, future: "Future", job: Job, part: Slice) -> Edited:
        from distributed import KilledWorker

        try:
            edited = self._wait(future)
        except KilledWorker:
            return edit_carefully(job, part, self._edit)
        assert isinstance(edited, Edited)
        return edited

    def _wait(self, future: "Future") -> object:
        """Return a result; give up where nobody is left to make it."""
        from distributed import TimeoutError as NotYet
        from distributed.client import FutureCancelledError

        while True:
            try:
                return future.result(timeout=self._patience)
            except NotYet:
                if future.done():  # then it is the slice's own
                    raise
                if not self._client.scheduler_info()["workers"]:
                    raise ClusterError(
                        f"{self._address}: no worker of this Dask cluster is left. Start some (`dask worker "
                        f"{self._address}`); the next run goes on from what was done."
                    ) from None
            except FutureCancelledError:
                raise ClusterError(
                    f"{self._address}: the scheduler of this Dask cluster is gone. Start it again; the next run goes "
                    "on from what was done."
                ) from None


def edit_there(expected: Versions, edit: EditSlice, place: Place, run: str, part: Slice, desk: Desk) -> Edited:
    """Edit a slice on a worker, unless that has another copydesk, whose rows would differ."""
    if (found := versions(desk)) != expected:
        raise ClusterError(
            f"A worker of the Dask cluster has another copydesk ({found}) than the flow ({expected}). "
            "Install on every worker what is installed here."
        )
    return edit(place, run, part, desk)


def _connect(opened: ExitStack, address: str, workers: int, patience: float) -> "Client":
    """Return a client of the cluster, once it has a worker; all that is to be closed later goes on the stack."""
    try:
        from distributed import Client, LocalCluster
    except ModuleNotFoundError as error:
        raise ClusterError(f"Dask is not installed ({error}). Install it: pip install 'copydesk[dask]'") from None
    if address == LOCAL:
        # The culprit of a crash is found by processes of this machine anyhow: here, too, no need to lose many workers.
        started = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,  # what a worker's death means is told in rows
            scheduler_kwargs={"allowed_failures": _DEATHS, "dashboard": False},
        )
        place: object = opened.enter_context(started)
    else:
        place = address
    try:
        client = opened.enter_context(Client(place, set_as_default=False, timeout=min(patience, _ANSWER)))
        client.wait_for_workers(1, timeout=patience)
    except TimeoutError:
        raise ClusterError(
            f"{address}: no worker of this Dask cluster is to be had. Start some: dask worker {address}"
        ) from None
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"{address}: no Dask scheduler answers here ({error}). Start one with `dask scheduler`, or take `dask` out "
            "of copydesk.toml to edit pages on this machine."
        ) from None
    return client
