"""A backfill's plan in Prefect: the run's name, and tables of what is to be done and of what could not be."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from prefect.artifacts import create_table_artifact
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from tasks.partitions import MENDABLE, Partition, Plan, count_states, counted, newest_first, sentence
from tasks.report.summary import RunSummary

MOST_ROWS: Final = 1_000  # of a table that Prefect keeps
MOST_WARNINGS: Final = 20  # that the report names one by one
MOST_NAMES: Final = 3  # of sources, in a run's name

Row = dict[str, str | int]


def backfill_run_name() -> str:
    """Return a readable name for a backfill in Prefect: its days, and its sources if they are few."""
    parameters = flow_run.parameters["parameters"]
    return _name(str(parameters.first or ""), str(parameters.last or ""), parameters.sources)


def keep_plan(plan: Plan) -> None:
    """Say in the run's name which days it is about and how much there is to do, and keep the plan as tables."""
    if flow_run.id is not None:
        days = _name(str(plan.window.first), str(plan.window.last), flow_run.parameters["parameters"].sources)
        with get_client(sync_client=True) as client:
            client.update_flow_run(flow_run.id, name=f"{days} ({counted(len(plan.chosen), 'partition')})")
    seconds = "" if plan.seconds is None else f", about {plan.seconds:,.0f} s by the pace of the latest runs"
    create_table_artifact(
        [
            {"source": source, **{str(state): count for state, count in states.items()}}
            for source, states in count_states(plan.partitions).items()
        ],
        key="backfill-states",
        description=f"Partitions from {plan.window.first} to {plan.window.last}, by source and state.",
    )
    create_table_artifact(
        [_row(each) for each in newest_first(plan.chosen)[:MOST_ROWS]],
        key="backfill-plan",
        description=f"{counted(len(plan.chosen), 'partition')} to bring up to date: "
        f"{counted(plan.pages, 'page')}{seconds}.",
    )


def keep_shortfall(summary: RunSummary, plan: Plan, after: Plan) -> RunSummary:
    """Keep a table of what is still not as it should be, and return the summary with a warning for each of these."""
    planned = {(each.source, each.day) for each in plan.chosen}
    short = newest_first([each for each in after.partitions if each.state in MENDABLE])
    create_table_artifact(
        [_row(each) for each in short[:MOST_ROWS]],
        key="backfill-left",
        description=f"{counted(len(short), 'partition')} not as they should be after the backfill.",
    )
    warnings = [sentence(each) for each in short if (each.source, each.day) in planned]
    if len(warnings) > MOST_WARNINGS:
        warnings[MOST_WARNINGS:] = [f"And {len(warnings) - MOST_WARNINGS:,} more partitions."]
    return replace(summary, warnings=(*summary.warnings, *warnings))


def _name(first: str, last: str, sources: Sequence[str]) -> str:
    chosen = f" of {', '.join(sources)}" if 0 < len(sources) <= MOST_NAMES else ""
    return f"backfill {first}…{last}{chosen}"


def _row(each: Partition) -> Row:
    return {
        "day": each.day.isoformat(),
        "source": each.source,
        "state": str(each.state),
        "rows": each.rows,
        "pages": each.pages,
        "reason": each.reason or "",
        "detail": each.detail or "",
    }
