"""From staged batches to the dataset, its stories and the report: the end of a run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from storage import read
from storage.commit import Committed, commit, publish_derived
from storage.schema import ARTICLE_STORIES_DATASET
from storage.staging import holds
from storage.store import Place, Store
from tasks.documents import Outcome
from tasks.edit import versions
from tasks.fingerprint import near_duplicates
from tasks.intake import Became, remember_outcomes
from tasks.job import Job
from tasks.report.page import render
from tasks.report.summary import RunSummary
from tasks.rows import archived_pages, fingerprinted, stories_table, versions_key

STORY_WINDOW: Final = timedelta(days=30)  # tellings of one story lie no further apart
REPORTED_AT_MOST: Final = 20_000  # articles; of a larger dataset the report shows the run's own days only
_COMMITTED: Final = frozenset({"staged_articles", "staged_rejections"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a run brought: an outcome for each input, inputs by source, entries left out, and the days that changed."""

    outcomes: pa.Table = field(repr=False)
    inputs: Mapping[str, int]
    left_out: Mapping[tuple[str, str], int]
    days: tuple[date, ...]


def publish_run(job: Job) -> Published:
    """Publish what a run has staged; called again after a crash, it ends in the same rows."""
    with job.place.open() as store:
        return _publish(store, job.run, store.staging.runs().get(job.run, ()), job)


def finish_interrupted(job: Job) -> int:
    """Publish what earlier runs had edited when they were cut short; return how many runs that were."""
    finished = 0
    with job.place.open() as store:
        for run, staged in store.staging.runs().items():
            with store.files.try_lock(f"run-{run}") as is_dead:
                if is_dead:
                    _publish(store, run, staged, job)
                    finished += 1
    return finished


def _publish(store: Store, run: str, staged: Sequence[str], job: Job) -> Published:
    batches = _by_content(store, staged)
    committed = commit(
        store, [path for name in _COMMITTED for path in batches.get(name, {})], run=run, now=job.started_at
    )
    became = _became(committed, batches.get("staged_rejections", {}).values())
    pages = (page for table in batches.get("archived_pages", {}).values() for page in archived_pages(table))
    judged = (page for page in pages if (page.source, page.input) in became)
    remember_outcomes(store, judged, became, versions_key(versions()))
    store.staging.remove(staged)
    counted = [row for table in batches.get("counted", {}).values() for row in table.to_pylist()]
    return Published(
        outcomes=_outcomes(committed, batches.get("settled", {}).values()),
        inputs={row["source"]: row["count"] for row in counted if row["left_out"] is None},
        left_out={(row["source"], row["left_out"]): row["count"] for row in counted if row["left_out"] is not None},
        days=committed.partitions,
    )


def _by_content(store: Store, staged: Iterable[str]) -> dict[str, dict[str, pa.Table]]:
    """Return staged tables by what they hold, then by path."""
    batches: dict[str, dict[str, pa.Table]] = {}
    for path in staged:
        table = store.staging.read(path)
        batches.setdefault(holds(table), {})[path] = table
    return batches


def _became(committed: Committed, rejections: Iterable[pa.Table]) -> dict[tuple[str, str], Became]:
    """Return what became of each staged input, by source and input."""
    reasons = {
        (row["source"], row["input"]): row["reason"]
        for table in rejections
        for row in table.select(["source", "input", "reason"]).to_pylist()
    }
    rows = committed.outcomes.select(["source", "input", "outcome", "article_id"]).to_pylist()
    return {
        (row["source"], row["input"]): Became(
            outcome=row["outcome"],
            article_id=row["article_id"],
            reason=reasons.get((row["source"], row["input"])),
        )
        for row in rows
    }


def _outcomes(committed: Committed, settled: Iterable[pa.Table]) -> pa.Table:
    """Return one outcome for each input of the run, in the order they came in."""
    names = ["number", "source", "input", "outcome", "article_id"]
    tables = [table.select(names).cast(committed.outcomes.select(names).schema) for table in settled]
    return pa.concat_tables([committed.outcomes.select(names), *tables]).sort_by("number")


def tell_stories(job: Job, days: Sequence[date]) -> int:
    """Say which articles tell the same story, around the days that changed.

    Returns how many near-duplicates those days hold. A story's original is its earliest telling, also when that
    arrives late.
    """
    if not days:
        return 0
    first, last = min(days) - STORY_WINDOW, max(days) + STORY_WINDOW
    day = pc.field("published_date")
    near = (day >= first - STORY_WINDOW) & (day <= last + STORY_WINDOW)
    known = read.fingerprints(job.place.root, filter=near)
    duplicates = {found.id: found for found in near_duplicates(fingerprinted(known), window_days=STORY_WINDOW.days)}
    tables = {
        when.as_py(): stories_table(known.filter(pc.equal(known["published_date"], when)), duplicates)
        for when in pc.unique(known["published_date"])
        if first <= when.as_py() <= last
    }
    with job.place.open() as store:
        publish_derived(store, ARTICLE_STORIES_DATASET.name, tables, run=job.run, now=job.started_at)
    return sum(pc.sum(tables[when]["duplicate_of"].is_valid()).as_py() or 0 for when in days if when in tables)


def write_report(place: Place, summary: RunSummary, days: Sequence[date]) -> str:
    """Draw the report page and keep it with its summary; return the page's path in the store."""
    small = read.articles(place.root, columns=["article_id"]).num_rows <= REPORTED_AT_MOST
    chosen = None if small or not days else pc.field("published_date").isin(list(days))
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


def count_outcomes(outcomes: pa.Table) -> dict[str, int]:
    """Return how many inputs had each outcome that occurred."""
    counted = outcomes.group_by("outcome").aggregate([([], "count_all")]).to_pylist()
    return {str(Outcome(row["outcome"])): row["count_all"] for row in counted}
