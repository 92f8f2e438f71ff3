"""Call a flow in this process and have its summary, whatever became of the run in Prefect."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from prefect import State
from prefect.client.orchestration import get_client
from prefect.states import Cancelled

from flows.clock import utc_now
from flows.companion import RunCancelledError, ServerGoneError
from flows.logs import quieten_prefect
from flows.run_page import UNREACHABLE
from storage.store import Place
from tasks.report.summary import RunSummary


class ServerLostError(Exception):
    """The Prefect server stopped answering while a flow ran, and the run did not come to its end."""

    leaves_at_once = True


def call(flow: Callable[[], State[Any]], place: Place) -> tuple[RunSummary, bool]:
    """Call a flow, as `lambda: ingest(parameters, return_state=True)`; return its summary, and whether Prefect has it.

    A gate that failed the run is told in the summary. Raises what the flow raised, `RunCancelledError`, or
    `ServerLostError` where the server died before the run was done; the work itself needs no server.
    """
    began = utc_now()
    try:
        state = flow()
    except ServerGoneError as error:
        return error.summary, False
    except UNREACHABLE as error:
        quieten_prefect()
        if (summary := _summary_since(place, began)) is not None:
            return summary, False
        raise ServerLostError(
            "The Prefect server stopped answering during the run, which ended early. What was done is kept, and the "
            "next run goes on from there: see that the server runs, and run again."
        ) from error
    if state.is_cancelling() or state.is_cancelled():
        _settle_cancelled(state)
        raise RunCancelledError
    result = state.result(raise_on_failure=False)
    if isinstance(result, BaseException):
        raise result
    assert isinstance(result, RunSummary)
    return result, True


def _summary_since(place: Place, began: datetime) -> RunSummary | None:
    """Return the summary of the run that has left its report since then; None where none has."""
    with place.open() as store:
        if not store.files.exists("report/summary.json"):
            return None
        summary = RunSummary.from_json(store.files.read("report/summary.json"))
    return summary if summary.run.started_at >= began else None


def _settle_cancelled(state: State[Any]) -> None:
    """Let Prefect know that a run which is being cancelled has stopped."""
    found = state.state_details.flow_run_id
    if state.is_cancelling() and found is not None:
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(found, Cancelled(message="The run has stopped, and kept what was done."))
