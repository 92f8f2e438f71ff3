"""From staged batches to the dataset, its stories and the report: the end of a run."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from storage import read, untold
from storage.commit import OUTCOMES, Committed, commit, publish_derived
from storage.schema import ARTICLE_STORIES_DATASET
from storage.store import Place, Store
from storage.upkeep import mark_gone
from tasks.documents import Action, Outcome, Precision, Stage, Versions
from tasks.fetch.sources import Source
from tasks.fingerprint import near_duplicates
from tasks.intake import GONE, Became, failing, remember_kept, remember_outcomes
from tasks.job import Announce, Job, PublishedDay, tell_no_one
from tasks.partitions import DEFERRED, LASTING, NOT_KEPT, PASSING
from tasks.planning import latest_partitions
from tasks.progress import tell
from tasks.report.page import render
from tasks.report.summary import RejectionCount, RunSummary, outcomes_by_source
from tasks.rows import (
    ARTICLES,
    COMMITTED,
    COUNTED,
    KEPT,
    PAGES,
    REJECTED,
    SETTLED,
    ArchivedPage,
    archived_pages,
    contents,
    fingerprinted,
    stories_table,
    versions_key,
)

STORY_WINDOW: Final = timedelta(days=30)  # tellings of one story lie no further apart
DAYS_AT_A_TIME: Final = 31  # whose stories are told in one go
REPORTED_AT_MOST: Final = 20_000  # articles; of a larger dataset the report shows the run's own days only
MOST_DAYS: Final = 31  # shown of a large dataset where a run changed none


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An input of which nothing is known yet, and why: it failed, or was put off."""

    source: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a run brought: an outcome for each input, inputs by source, entries left out, and the days that changed.

    `corrections` counts the places mended in its new and updated articles, by source and rule; `undated` its new
    articles that have no date but that of their fetch, by source.
    """

    outcomes: pa.Table = field(default_factory=OUTCOMES.empty_table, repr=False)
    inputs: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[tuple[str, str], int] = field(default_factory=dict)
    days: tuple[date, ...] = ()
    rejected: tuple[RejectionCount, ...] = ()
    failures: tuple[Failure, ...] = ()
    corrections: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    undated: Mapping[str, int] = field(default_factory=dict)

    def by_source(self) -> dict[str, dict[str, int]]:
        """Return how many inputs of each source had each outcome; none of one that was asked and brought nothing."""
        counted = outcomes_by_source(self.outcomes)
        return {
            source: {str(outcome): count for outcome, count in counted.get(source, {}).items()}
            for source in sorted(self.inputs.keys() | counted.keys())
        }


def publish_run(job: Job) -> Published:
    """Publish what a run has staged; called again after a crash, it ends in the same rows."""
    tell("commit", 0, 1)
    with job.place.open() as store:
        published = _publish(store, job.run, store.staging.runs().get(job.run, ()), job.started_at, job.announce)
    tell("commit", 1, 1)
    return published


def finish_interrupted(job: Job) -> int:
    """Publish what earlier runs had edited when they were cut short; return how many runs that were.

    The ledger is told of every run that was, also of those that had nothing to publish.
    """
    return finish_runs(job.place, job.started_at, job.announce)


def finish_runs(place: Place, now: datetime, announce: Announce = tell_no_one) -> int:
    """Do what `finish_interrupted` does, for whoever has no run of its own."""
    finished: list[Published] = []
    with place.open() as store:
        for run in store.staging.runs():
            with store.files.try_lock(f"run-{run}") as is_dead:
                # Looked at again under the lock: the run may have ended well meanwhile.
                if is_dead and (staged := store.staging.runs().get(run)):
                    published = _publish(store, run, staged, now, announce)
                    _credit(store, run, published)
                    finished.append(published)
        _note_dead(store)
    days = sorted({day for published in finished for day in published.days})
    tell_stories(place, days, run=f"finish-{now:%Y%m%dT%H%M%S}", now=now)
    return len(finished)


def _credit(store: Store, run: str, published: Published) -> None:
    """Note in the ledger what a dead run had brought: it is published only now, but counts for the day of that run."""
    store.ledger.finish_run(
        run,
        None,
        count_outcomes(published.outcomes),
        {},
        sources=published.by_source(),
        corrections=published.corrections,
    )
    store.ledger.fail_run(run, "It was cut short; a later run published what it had edited.")


def _note_dead(store: Store) -> None:
    """Note in the ledger which runs are dead: they noted no end, and their lock is free."""
    for run in store.ledger.unfinished_runs():
        with store.files.try_lock(f"run-{run.run}") as is_free:
            if is_free and run in store.ledger.unfinished_runs():
                store.ledger.fail_run(run.run, "It was cut short.")


def _publish(store: Store, run: str, staged: Sequence[str], now: datetime, announce: Announce) -> Published:
    committed = commit(
        store,
        [path for path in staged if contents(path) in COMMITTED],
        run=run,
        now=now,
        standing=failing(store, _pages(store, staged, KEPT)),
    )
    rejections = _rows(store, staged, REJECTED)
    became, key = _became(committed, rejections), _made_by(store, staged)
    fetched, kept = (
        [page for page in _pages(store, staged, name) if (page.source, page.input) in became] for name in (PAGES, KEPT)
    )
    back = remember_outcomes(store, fetched, became, key)
    remember_kept(store, kept, became, key)
    _mark_gone(store, rejections, back, now)
    for day in _published_days(committed, str(store.root)):
        announce(day)
    settled = list(_tables(store, staged, {SETTLED}))
    inputs, left_out = _counted(_rows(store, staged, {COUNTED}))
    written = list(_written(store, staged, committed))
    untold.note(store.files, run, committed.partitions)
    store.staging.remove(staged)
    return Published(
        outcomes=_outcomes(committed, settled),
        rejected=_rejected(committed, rejections, settled),
        inputs=inputs,
        left_out=left_out,
        days=committed.partitions,
        corrections=_corrections(written),
        undated=_undated(written),
        failures=tuple(_failures(rejections, settled)),
    )


def _made_by(store: Store, staged: Iterable[str]) -> str | None:
    """Return the `versions_key` of the desk that a run was edited at: an earlier run's was perhaps not today's."""
    for path in staged:
        if contents(path) in COMMITTED:
            made_by = store.staging.read(path, ["versions"]).slice(0, 1)["versions"].to_pylist()
            return versions_key(Versions(**made_by[0])) if made_by else None
    return None


def _published_days(committed: Committed, root: str) -> Iterator[PublishedDay]:
    """Yield each day that was published, with what is new in it."""
    counted = committed.outcomes.group_by(["partition", "outcome"]).aggregate([([], "count_all")]).to_pylist()
    rows = {(row["partition"], row["outcome"]): row["count_all"] for row in counted}
    for day in committed.partitions:
        new, updated = (rows.get((day, outcome), 0) for outcome in (Outcome.NEW, Outcome.UPDATED))
        yield PublishedDay(run=committed.run, root=root, day=day, new=new, updated=updated)


def _tables(store: Store, staged: Iterable[str], wanted: Collection[str]) -> Iterator[pa.Table]:
    """Yield the staged tables of some contents."""
    return (store.staging.read(path) for path in staged if contents(path) in wanted)


def _pages(store: Store, staged: Iterable[str], name: str) -> Iterator[ArchivedPage]:
    return (page for table in _tables(store, staged, {name}) for page in archived_pages(table))


def _rows(store: Store, staged: Iterable[str], wanted: Collection[str]) -> list[dict[str, Any]]:
    return [row for table in _tables(store, staged, wanted) for row in table.to_pylist()]


def _counted(rows: Iterable[Mapping[str, Any]]) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """Sum up what was counted while inputs came in: inputs by source; entries left out by source and reason."""
    inputs: Counter[str] = Counter()
    left_out: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row["left_out"] is None:
            inputs[row["source"]] += row["count"]
        else:
            left_out[row["source"], row["left_out"]] += row["count"]
    return inputs, left_out


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


def _written(store: Store, staged: Iterable[str], committed: Committed) -> Iterator[pa.Table]:
    """Yield what counts of the articles that this run made or changed, with their outcome; their texts are not read."""
    changed = pc.is_in(committed.outcomes["outcome"], value_set=pa.array([Outcome.NEW, Outcome.UPDATED], pa.string()))
    outcomes = committed.outcomes.filter(changed).select(["number", "outcome"])
    for path in staged:
        if contents(path) == ARTICLES:
            table = store.staging.read(path, ["number", "source", "artifacts", "published_precision"])
            places = pc.index_in(table["number"], value_set=outcomes["number"].combine_chunks())
            written = table.filter(places.is_valid())
            yield written.append_column("outcome", outcomes["outcome"].take(places.drop_null()))


def _corrections(written: Iterable[pa.Table]) -> dict[str, dict[str, int]]:
    """Count the mended places of articles, by source and rule."""
    counted: dict[str, Counter[str]] = {}
    for table in written:
        artifacts = table["artifacts"].combine_chunks()
        found = pc.list_flatten(artifacts)
        flat = pa.table(
            {
                "source": table["source"].take(pc.list_parent_indices(artifacts)),
                "rule": pc.struct_field(found, "rule"),
                "action": pc.struct_field(found, "action"),
            }
        )
        mended = flat.filter(pc.equal(flat["action"], Action.MENDED))
        for row in mended.group_by(["source", "rule"]).aggregate([([], "count_all")]).to_pylist():
            counted.setdefault(row["source"], Counter())[row["rule"]] += row["count_all"]
    return {source: dict(rules) for source, rules in sorted(counted.items())}


def _undated(written: Iterable[pa.Table]) -> dict[str, int]:
    """Count the new articles that have no date but that of their fetch, by source."""
    counted: Counter[str] = Counter()
    for table in written:
        is_guessed = pc.equal(table["published_precision"], Precision.FETCHED)
        counted.update(table.filter(pc.and_(is_guessed, pc.equal(table["outcome"], Outcome.NEW)))["source"].to_pylist())
    return dict(counted)


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


def _failures(rejections: Iterable[Mapping[str, Any]], settled: Iterable[pa.Table]) -> Iterator[Failure]:
    """Yield the inputs that may still become articles, once their hosts answer or what they lie in is mended."""
    for row in rejections:
        if row["reason"] in PASSING | LASTING:
            reason = NOT_KEPT if row["page"] is not None and row["reason"] in LASTING else row["reason"]
            yield Failure(source=row["source"], reason=reason, detail=f"{row['input']}: {row['detail']}")
    for table in settled:
        for row in table.filter(pc.equal(table["outcome"], str(Outcome.DEFERRED))).to_pylist():
            yield Failure(source=row["source"], reason=DEFERRED, detail=f"{row['input']}: {row['detail']}")


def _outcomes(committed: Committed, settled: Iterable[pa.Table]) -> pa.Table:
    """Return one outcome for each input of the run, in the order they came in."""
    names = ["number", "source", "input", "outcome", "article_id"]
    tables = [table.select(names).cast(committed.outcomes.select(names).schema) for table in settled]
    return pa.concat_tables([committed.outcomes.select(names), *tables]).sort_by("number")


def tell_stories(place: Place, days: Sequence[date], *, run: str, now: datetime) -> int:
    """Say which articles tell the same story, as far as the days that changed have a say in it.

    Returns how many near-duplicates those days hold. A story's original is its earliest telling, also when that
    arrives late. Days of runs that died before they could tell theirs are told too.
    """
    found: Counter[date] = Counter()
    with place.open() as store, store.files.lock(untold.LOCK):  # else an older look could be published last
        noted = untold.noted(store.files)
        for number, some in enumerate(_in_turn(sorted({*days, *chain.from_iterable(noted.values())}))):
            found |= _tell(store, some, run=f"{run}-{number}" if number else run, now=now)
        untold.settle(store.files, noted)
    return sum(found[day] for day in days)


def _tell(store: Store, days: Sequence[date], *, run: str, now: datetime) -> Counter[date]:
    """Tell the stories that some days have a say in, and return how many near-duplicates each day holds.

    What is found for an article follows from those of two windows before it and one after (see `near_duplicates`).
    """
    first, last = min(days) - STORY_WINDOW, max(days) + 2 * STORY_WINDOW
    day = pc.field("published_date")
    near = (day >= first - 2 * STORY_WINDOW) & (day <= last + STORY_WINDOW)
    known = read.fingerprints(str(store.root), filter=near)
    duplicates = {found.id: found for found in near_duplicates(fingerprinted(known), window_days=STORY_WINDOW.days)}
    tables = {
        when.as_py(): stories_table(known.filter(pc.equal(known["published_date"], when)), duplicates)
        for when in pc.unique(known["published_date"])
        if first <= when.as_py() <= last
    }
    publish_derived(store, ARTICLE_STORIES_DATASET.name, tables, run=run, now=now)
    return Counter({when: pc.sum(table["duplicate_of"].is_valid()).as_py() or 0 for when, table in tables.items()})


def _in_turn(days: Sequence[date]) -> Iterator[Sequence[date]]:
    """Yield runs of days that lie no further apart than stories are told in one go."""
    start = 0
    for end in range(1, len(days) + 1):
        if end == len(days) or (days[end] - days[start]).days >= DAYS_AT_A_TIME:
            yield days[start:end]
            start = end


def write_report(
    place: Place, summary: RunSummary, days: Sequence[date], versions: Versions, sources: Sequence[Source] = ()
) -> str:
    """Draw the report page and keep it with its summary; return the page's path in the store.

    `versions` are those of the desk as it is. Of `sources` every day is expected; of others, those of which the
    dataset knows something.
    """
    small = read.articles(place.root, columns=["article_id"]).num_rows <= REPORTED_AT_MOST
    chosen = None if small else pc.field("published_date").isin(list(days) or _newest_days(place))
    today = summary.run.finished_at.astimezone(UTC).date()
    page = render(
        summary,
        read.articles(place.root, filter=chosen),
        read.rejections(place.root),
        read.article_stories(place.root, filter=chosen),
        latest_partitions(place, sources, today, versions),
    )
    with place.open() as store:
        store.files.publish("report/index.html", page.encode())
        store.files.publish("report/summary.json", summary.to_json().encode())
    return "report/index.html"


def _newest_days(place: Place) -> list[date]:
    days = read.articles(place.root, columns=["published_date"])["published_date"]
    return sorted(pc.unique(days).to_pylist())[-MOST_DAYS:]


def together(several: Sequence[Published]) -> Published:
    """Return what several runs brought as if they had been one."""
    empty = OUTCOMES.empty_table().select(["source", "input", "outcome", "article_id"])
    outcomes = pa.concat_tables([empty, *(each.outcomes.select(empty.column_names) for each in several)])
    inputs: Counter[str] = Counter()
    left_out: Counter[tuple[str, str]] = Counter()
    rejected: dict[tuple[str, str], RejectionCount] = {}
    for each in several:
        inputs.update(each.inputs)
        left_out.update(each.left_out)
        for one in each.rejected:
            before = rejected.get((one.stage, one.reason))
            rejected[one.stage, one.reason] = one if before is None else replace(before, count=before.count + one.count)
    return Published(
        outcomes=outcomes,
        inputs=inputs,
        left_out=left_out,
        days=tuple(sorted({day for each in several for day in each.days})),
        rejected=tuple(sorted(rejected.values(), key=lambda one: (-one.count, one.stage, one.reason))),
        failures=tuple(failure for each in several for failure in each.failures),
    )


def count_outcomes(outcomes: pa.Table) -> dict[str, int]:
    """Return how many inputs had each outcome that occurred."""
    counted = outcomes.group_by("outcome").aggregate([([], "count_all")]).to_pylist()
    return {str(Outcome(row["outcome"])): row["count_all"] for row in counted}
