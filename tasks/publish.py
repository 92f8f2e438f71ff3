"""From staged batches to the dataset, its stories and the report: the end of a run."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from storage import read
from storage.commit import Committed, commit, publish_derived
from storage.schema import ARTICLE_STORIES_DATASET
from storage.store import Place, Store
from storage.upkeep import mark_gone
from tasks.documents import Outcome, Stage, Versions
from tasks.fingerprint import near_duplicates
from tasks.intake import GONE, Became, remember_outcomes
from tasks.job import Job
from tasks.report.page import render
from tasks.report.summary import RejectionCount, RunSummary
from tasks.rows import (
    COMMITTED,
    COUNTED,
    PAGES,
    REJECTED,
    SETTLED,
    archived_pages,
    contents,
    fingerprinted,
    stories_table,
    versions_key,
)

STORY_WINDOW: Final = timedelta(days=30)  # tellings of one story lie no further apart
REPORTED_AT_MOST: Final = 20_000  # articles; of a larger dataset the report shows the run's own days only
MOST_DAYS: Final = 31  # shown of a large dataset where a run changed none


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a run brought: an outcome for each input, inputs by source, entries left out, and the days that changed."""

    outcomes: pa.Table = field(repr=False)
    inputs: Mapping[str, int]
    left_out: Mapping[tuple[str, str], int]
    days: tuple[date, ...]
    rejected: tuple[RejectionCount, ...] = ()


def publish_run(job: Job) -> Published:
    """Publish what a run has staged; called again after a crash, it ends in the same rows."""
    with job.place.open() as store:
        return _publish(store, job.run, store.staging.runs().get(job.run, ()), job)


def finish_interrupted(job: Job) -> int:
    """Publish what earlier runs had edited when they were cut short; return how many runs that were."""
    finished = 0
    with job.place.open() as store:
        for run in store.staging.runs():
            with store.files.try_lock(f"run-{run}") as is_dead:
                # Looked at again under the lock: the run may have ended well meanwhile.
                if is_dead and (staged := store.staging.runs().get(run)):
                    _publish(store, run, staged, job)
                    finished += 1
    return finished


def _publish(store: Store, run: str, staged: Sequence[str], job: Job) -> Published:
    committed = commit(store, [path for path in staged if contents(path) in COMMITTED], run=run, now=job.started_at)
    rejections = _rows(store, staged, REJECTED)
    became = _became(committed, rejections)
    pages = (page for table in _tables(store, staged, {PAGES}) for page in archived_pages(table))
    judged = (page for page in pages if (page.source, page.input) in became)
    back = remember_outcomes(store, judged, became, _made_by(store, staged))
    _mark_gone(store, rejections, back, job.started_at)
    settled, counted = list(_tables(store, staged, {SETTLED})), _rows(store, staged, {COUNTED})
    store.staging.remove(staged)
    return Published(
        outcomes=_outcomes(committed, settled),
        rejected=_rejected(committed, rejections, settled),
        inputs={row["source"]: row["count"] for row in counted if row["left_out"] is None},
        left_out={(row["source"], row["left_out"]): row["count"] for row in counted if row["left_out"] is not None},
        days=committed.partitions,
    )


def _made_by(store: Store, staged: Iterable[str]) -> str | None:
    """Return the `versions_key` of the desk that a run was edited at: an earlier run's was perhaps not today's."""
    for path in staged:
        if contents(path) in COMMITTED:
            made_by = store.staging.read(path, ["versions"]).slice(0, 1)["versions"].to_pylist()
            return versions_key(Versions(**made_by[0])) if made_by else None
    return None


def _tables(store: Store, staged: Iterable[str], wanted: Collection[str]) -> Iterator[pa.Table]:
    """Yield the staged tables of some contents; the articles themselves are never read here."""
    return (store.staging.read(path) for path in staged if contents(path) in wanted)


def _rows(store: Store, staged: Iterable[str], wanted: Collection[str]) -> list[dict[str, Any]]:
    return [row for table in _tables(store, staged, wanted) for row in table.to_pylist()]


def _mark_gone(store: Store, rejections: Sequence[dict[str, Any]], back: set[str], now: datetime) -> None:
    """Mark the articles whose page answers 404 or 410 now, and clear the mark of those that answer again."""
    gone = [row["input"] for row in rejections if row["reason"] in GONE]
    found: dict[str, datetime | None] = dict.fromkeys(back)
    found |= {visit.article_id: now for visit in store.ledger.visits(gone).values() if visit.article_id}
    if found:
        mark_gone(store, found, now)


def _became(committed: Committed, rejections: Sequence[dict[str, Any]]) -> dict[tuple[str, str], Became]:
    """Return what the ledger is to remember of each staged input, by source and input.

    That an article came twice is a fact of this run alone: what is remembered is that it is stored.
    """
    reasons = {(row["source"], row["input"]): row["reason"] for row in rejections}
    became: dict[tuple[str, str], Became] = {}
    for row in committed.outcomes.select(["source", "input", "outcome", "article_id"]).to_pylist():
        key = row["source"], row["input"]
        outcome = Outcome.UNCHANGED if row["outcome"] == Outcome.REPEATED else row["outcome"]
        became.setdefault(key, Became(outcome=outcome, article_id=row["article_id"], reason=reasons.get(key)))
    return became


def _rejected(
    committed: Committed, rejections: Sequence[dict[str, Any]], settled: Iterable[pa.Table]
) -> tuple[RejectionCount, ...]:
    """Count the run's own rejections by stage and reason, each with an example."""
    numbers = {row["number"] for row in committed.outcomes.to_pylist() if row["outcome"] == Outcome.REJECTED}
    found = [
        (row["stage"], row["reason"], row["input"], row["detail"]) for row in rejections if row["number"] in numbers
    ]
    found += [
        (Stage.EDIT, row["detail"], row["input"], "as on the last visit")
        for table in settled
        for row in table.to_pylist()
        if row["outcome"] == Outcome.REJECTED
    ]
    counted = Counter((stage, reason) for stage, reason, *_ in found)
    examples = {(stage, reason): (example, detail) for stage, reason, example, detail in reversed(found)}
    return tuple(
        RejectionCount(
            stage=stage,
            reason=reason,
            count=count,
            example=examples[stage, reason][0],
            detail=examples[stage, reason][1],
        )
        for (stage, reason), count in sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    )


def _outcomes(committed: Committed, settled: Iterable[pa.Table]) -> pa.Table:
    """Return one outcome for each input of the run, in the order they came in."""
    names = ["number", "source", "input", "outcome", "article_id"]
    tables = [table.select(names).cast(committed.outcomes.select(names).schema) for table in settled]
    return pa.concat_tables([committed.outcomes.select(names), *tables]).sort_by("number")


def tell_stories(place: Place, days: Sequence[date], *, run: str, now: datetime) -> int:
    """Say which articles tell the same story, around the days that changed.

    Returns how many near-duplicates those days hold. A story's original is its earliest telling, also when that
    arrives late.
    """
    if not days:
        return 0
    first, last = min(days) - STORY_WINDOW, max(days) + STORY_WINDOW
    day = pc.field("published_date")
    near = (day >= first - STORY_WINDOW) & (day <= last + STORY_WINDOW)
    known = read.fingerprints(place.root, filter=near)
    duplicates = {found.id: found for found in near_duplicates(fingerprinted(known), window_days=STORY_WINDOW.days)}
    tables = {
        when.as_py(): stories_table(known.filter(pc.equal(known["published_date"], when)), duplicates)
        for when in pc.unique(known["published_date"])
        if first <= when.as_py() <= last
    }
    with place.open() as store:
        publish_derived(store, ARTICLE_STORIES_DATASET.name, tables, run=run, now=now)
    return sum(pc.sum(tables[when]["duplicate_of"].is_valid()).as_py() or 0 for when in days if when in tables)


def write_report(place: Place, summary: RunSummary, days: Sequence[date]) -> str:
    """Draw the report page and keep it with its summary; return the page's path in the store."""
    small = read.articles(place.root, columns=["article_id"]).num_rows <= REPORTED_AT_MOST
    chosen = None if small else pc.field("published_date").isin(list(days) or _newest_days(place))
    page = render(
        summary,
        read.articles(place.root, filter=chosen),
        read.rejections(place.root),
        read.article_stories(place.root, filter=chosen),
    )
    with place.open() as store:
        store.files.publish("report/index.html", page.encode())
        store.files.publish("report/summary.json", summary.to_json().encode())
    return "report/index.html"


def _newest_days(place: Place) -> list[date]:
    days = read.articles(place.root, columns=["published_date"])["published_date"]
    return sorted(pc.unique(days).to_pylist())[-MOST_DAYS:]


def count_outcomes(outcomes: pa.Table) -> dict[str, int]:
    """Return how many inputs had each outcome that occurred."""
    counted = outcomes.group_by("outcome").aggregate([([], "count_all")]).to_pylist()
    return {str(Outcome(row["outcome"])): row["count_all"] for row in counted}
