"""A backfill's plan in Prefect: the run's name, and tables of what is to be done and of what could not be."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from flows.run_page import Row, show_table, showing
from tasks.partitions import MENDABLE, Partition, Plan, count_states, newest_first, sentence
from tasks.phrasing import counted
from tasks.report.summary import RunSummary

MOST_ROWS: Final = 1_000  # of a table that Prefect keeps
MOST_WARNINGS: Final = 20  # that the report names one by one
MOST_NAMES: Final = 3  # of sources, in a run's name


def backfill_run_name() -> str:
    """Return a readable name for a backfill in Prefect: its days, and its sources if they are few."""
    parameters = flow_run.parameters["parameters"]
    return name_of(parameters.first or "", parameters.last or "", parameters.sources)


def name_of(first: date | str, last: date | str, sources: Sequence[str]) -> str:
    """Return the name of a backfill of these days.

    >>> name_of(date(2024, 2, 1), date(2024, 2, 29), ("harbour-courier",))
    'backfill 2024-02-01…2024-02-29 of harbour-courier'
    """
    chosen = f" of {', '.join(sources)}" if 0 < len(sources) <= MOST_NAMES else ""
    return f"backfill {first}…{last}{chosen}"


def keep_plan(name: str, plan: Plan) -> None:
    """Add to the run's name how much there is to do, and keep the plan as tables."""
    if flow_run.id is not None:
        with showing(), get_client(sync_client=True) as client:
            client.update_flow_run(flow_run.id, name=f"{name} ({counted(len(plan.chosen), 'partition')})")
    seconds = "" if plan.seconds is None else f", about {plan.seconds:,.0f} s by the pace of the latest runs"
    show_table(
        [
            {"source": source, **{str(state): count for state, count in states.items()}}
            for source, states in count_states(plan.partitions).items()
        ],
        key="backfill-states",
        description=f"Partitions from {plan.window.first} to {plan.window.last}, by source and state.",
    )
    show_table(
        [_row(each) for each in newest_first(plan.chosen)[:MOST_ROWS]],
        key="backfill-plan",
        description=f"{counted(len(plan.chosen), 'partition')} to bring up to date: "
        f"{counted(plan.pages, 'page')}{seconds}.",
    )


def keep_shortfall(summary: RunSummary, plan: Plan, after: Plan) -> RunSummary:
    """Keep a table of what is still not as it should be, and return the summary with a warning for each of these."""
    planned = {(each.source, each.day) for each in plan.chosen}
    short = newest_first([each for each in after.partitions if each.state in MENDABLE])
    show_table(
        [_row(each) for each in short[:MOST_ROWS]],
        key="backfill-left",
        description=f"{counted(len(short), 'partition')} not as they should be after the backfill.",
    )
    warnings = [sentence(each) for each in short if (each.source, each.day) in planned]
    if len(warnings) > MOST_WARNINGS:
        warnings[MOST_WARNINGS:] = [f"And {len(warnings) - MOST_WARNINGS:,} more partitions."]
    return replace(summary, warnings=(*summary.warnings, *warnings))


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
