"""A run in the Prefect UI: its tables, a summary in words, and a link to its report."""

import html
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.exceptions import PrefectException
from prefect.logging import get_run_logger

from flows.places import inside
from tasks.documents import Outcome
from tasks.gates import GateStatus
from tasks.job import Job
from tasks.phrasing import counted
from tasks.report.summary import RunSummary
from tasks.report.words import duration, verdict

REPORT: Final = "report/index.html"
UNREACHABLE: Final = (httpx.HTTPError, PrefectException)
SHOWN: Final = 10  # rows of a table in the summary; the tables beside it have all
LONGEST: Final = 160  # characters of an example

Row = Mapping[str, object]


def show(job: Job, summary: RunSummary) -> None:
    """Publish a run's artifacts, in six calls; their keys are those of the flow, so that Prefect keeps a history."""
    name = summary.run.run_name
    with showing():
        for table, (rows, told) in _tables(summary).items():
            create_table_artifact([dict(row) for row in rows], key=f"{job.flow}-{table}", description=f"{told}: {name}")
        create_markdown_artifact(markdown(summary), key=f"{job.flow}-summary", description=verdict(summary))
        create_link_artifact(
            report_address(job), link_text="Report", key=f"{job.flow}-report", description=f"Each correction: {name}"
        )


def show_table(rows: Sequence[Row], *, key: str, description: str) -> None:
    """Publish one table of a run."""
    with showing():
        create_table_artifact([dict(row) for row in rows], key=key, description=description)


@contextmanager
def showing() -> Iterator[None]:
    """Let the run go on where Prefect does not answer: what is shown there is a view."""
    try:
        yield
    except UNREACHABLE as error:
        get_run_logger().warning("The run's tables cannot be shown in Prefect: %s", error)


def _tables(summary: RunSummary) -> dict[str, tuple[list[Row], str]]:
    """Return the tables of a run, each with what it shows."""
    return {
        "outcomes": (outcome_rows(summary), "What became of the inputs, by source"),
        "rejections": (rejection_rows(summary), "What was set aside, by stage and reason"),
        "corrections": (correction_rows(summary), "Places mended in new and updated articles, by rule"),
        "stages": (stage_rows(summary), "Where the time went"),
    }


def report_address(job: Job) -> str:
    """Return where the report lies: a file's URI, or its path on S3."""
    root = job.place.root
    return inside(root, REPORT) if job.place.is_remote else Path(root, REPORT).absolute().as_uri()


def outcome_rows(summary: RunSummary) -> list[Row]:
    """Return a row a source: its inputs and their outcomes."""
    return [
        {"source": source.source, "inputs": source.inputs, **{str(each): source.count(each) for each in Outcome}}
        for source in summary.sources
    ]


def rejection_rows(summary: RunSummary) -> list[Row]:
    """Return a row a reason: how many inputs were set aside for it, and one of them."""
    return [
        {
            "stage": each.stage,
            "reason": each.reason,
            "inputs": each.count,
            "example": each.example[:LONGEST],
            "detail": " ".join(each.detail.split())[:LONGEST],
        }
        for each in summary.rejected
    ]


def correction_rows(summary: RunSummary) -> list[Row]:
    """Return a row a rule: the places it mended, and the source that had most of them."""
    return [
        {"rule": rule, "places": count, "most of them in": _busiest(summary, rule)}
        for rule, count in summary.corrections_by_rule.items()
    ]


def _busiest(summary: RunSummary, rule: str) -> str:
    return max(summary.corrections, key=lambda source: summary.corrections[source].get(rule, 0))


def stage_rows(summary: RunSummary) -> list[Row]:
    """Return a row a stage: how long it took."""
    return [{"stage": stage, "took": duration(seconds)} for stage, seconds in summary.seconds_by_stage.items()]


def markdown(summary: RunSummary) -> str:
    """Return a run's summary for people: what came of it, what to look at, and the longest lists cut short."""
    parts = [f"# {_safe(summary.run.run_name)}", verdict(summary)]
    parts += [f"> **{_STATUS[gate.status]}** {gate.name}: {_safe(gate.detail)}" for gate in summary.gates]
    parts += [f"> **Warning** {_safe(warning)}" for warning in summary.warnings]
    parts.append(_table([_happened(row) for row in outcome_rows(summary)]))
    if summary.rejected:
        parts += ["## Set aside", _table(rejection_rows(summary))]
    if summary.corrections:
        parts += ["## Mended", _table(correction_rows(summary))]
    stages = ", ".join(f"{row['stage']} {row['took']}" for row in stage_rows(summary))
    parts.append(
        f"{counted(summary.near_duplicates, 'near-duplicate')} on the days that changed. "
        f"It took {duration(summary.run.duration)}{f': {stages}' if stages else ''}."
    )
    return "\n\n".join(part for part in parts if part)


_STATUS: Final = {GateStatus.PASSED: "Held", GateStatus.WARNED: "Warning", GateStatus.FAILED: "Broken"}


def _happened(row: Row) -> Row:
    """Return a row of outcomes without those that are 0, but for the new ones."""
    return {name: value for name, value in row.items() if value or name in ("inputs", Outcome.NEW)}


def _table(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table, a cell left blank where a row has nothing for it."""
    if not rows:
        return ""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names), *([_safe(row.get(name, 0)) for name in names] for row in rows[:SHOWN])]
    more = f"\n\n… and {len(rows) - SHOWN:,} more." if len(rows) > SHOWN else ""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + more


def _safe(value: object) -> str:
    """Return a value that Markdown takes for plain text, on one line.

    >>> _safe("a|b <script>\\n*c*"), _safe(1204)
    ('a&#124;b &lt;script&gt; &#42;c&#42;', '1,204')
    """
    if isinstance(value, int):
        return f"{value:,}"
    text = html.escape(" ".join(str(value).split()), quote=False)
    return "".join(f"&#{ord(sign)};" if sign in "|*_`[]\\~" else sign for sign in text)
