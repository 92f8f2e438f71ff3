"""From staged batches to published partitions: who is who, what is new, and nothing lost if the process dies.

A commit first notes that it is under way and since when. Each step after that leaves a trace in the files or can be
done again with the same result, so an attempt that finds such a note goes on where the last one died.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from storage import derived
from storage.blocklist import Blocklist
from storage.chore import Work, record
from storage.identity import CLAIMING, CLAIMS, claims_of, resolve
from storage.index import catch_up
from storage.intent import Intent, Result, begin, end, forget, keep, recall
from storage.manifest import commit_name
from storage.merge import Merged, key, keys, merge, without
from storage.partition import Press, guard, read
from storage.schema import (
    ARTICLES_DATASET,
    DATASETS,
    FINGERPRINTS_DATASET,
    REJECTIONS_DATASET,
    STAGED_ARTICLES,
    STAGED_REJECTIONS,
)
from storage.staging import checked_name, holds
from storage.store import Store
from storage.upkeep import finish, perform

OUTCOMES: Final = pa.schema(
    [
        pa.field("number", pa.int64(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("input", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("article_id", pa.string()),
        pa.field("partition", pa.date32()),
    ]
)
"""What became of each staged row: `new`, `updated`, `unchanged`, `repeated`, `rejected`, or `skipped` because it was
forgotten and must not come back; ordered by `number`."""

_ROWS_AT_A_TIME: Final = 8_000
"""Staged rows held in memory; a day with more is held whole."""

_REPEATED: Final = "repeated"
_REJECTED: Final = "rejected"
_SKIPPED: Final = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What a commit did.

    `outcomes` has a row for each staged row (see `OUTCOMES`), and `counts` sums them. `refused_canonicals` counts the
    rows whose claimed canonical URL was not believed. `partitions` are the days of `articles` that were published.
    """

    run: str
    outcomes: pa.Table = field(repr=False)
    counts: Mapping[str, int]
    refused_canonicals: int
    partitions: tuple[date, ...]


def commit(
    store: Store,
    staged: Sequence[str],
    *,
    run: str,
    now: datetime,
    standing: Collection[tuple[str, str]] = (),
) -> Committed:
    """Publish staged batches (paths from `store.staging.write`).

    A rejection goes when its input arrives as an article, but for those of `standing` (source and input): these
    articles were made of older pages, and the input has failed since.

    Killed anywhere, the same call finishes the work and answers what the first would have answered, and so does a call
    after it is done: the caller removes the batches (`store.staging.remove`) once it has used the answer. A run
    commits once: each partition is published once, however many batches have rows for it.
    """
    with store.files.lock(f"commit-{checked_name(run)}"):
        result = recall(store.files, run, staged)
        if result is None:
            result = _publish(store, begin(store.files, run, now), staged, {key(*each) for each in standing})
            keep(store.files, run, staged, result)
            forget(store.files, [run, *store.staging.runs()])
        end(store.files, run)
    return Committed(
        run=run,
        outcomes=result.outcomes,
        counts=dict(Counter(result.outcomes["outcome"].to_pylist())),
        refused_canonicals=result.refused_canonicals,
        partitions=result.partitions,
    )


def publish_derived(
    store: Store, dataset_name: str, tables: Mapping[date, pa.Table], *, run: str, now: datetime
) -> tuple[date, ...]:
    """Replace whole partitions of a derived dataset such as `article_stories`; equal ones are left untouched.

    Returns the days that were published.
    """
    dataset = DATASETS[dataset_name]

    def replace(work: Work) -> tuple[date, ...]:
        published = []
        for day, table in sorted(tables.items()):
            with store.files.lock(guard(dataset, day)):
                if work.press.replace(dataset, day, table.select(dataset.schema.names).cast(dataset.schema)):
                    published.append(day)
        return tuple(published)

    steps = [(dataset_name, day.isoformat()) for day in sorted(tables)]
    return perform(store, f"derived-{checked_name(run)}", now, steps, replace)


def _publish(store: Store, intent: Intent, staged: Sequence[str], standing: Collection[str]) -> Result:
    finish(store)
    catch_up(store)
    name = commit_name(intent.now, intent.run)
    press = Press(store.files, intent.run, store.manifest.of(name), store.manifest.known() if intent.resumed else None)
    blocked = Blocklist.of(store.files)
    gathered, rejections = _gather(store, staged)
    is_blocked = _are_blocked(blocked, gathered)
    claims = gathered.filter(pc.invert(is_blocked))
    identities = resolve(store.ledger, claims, lambda some: _texts_of(store, staged, some))
    outcomes = pa.concat_tables(
        [
            _commit_articles(store, press, intent, staged, identities),
            _commit_rejections(store, press, intent, rejections, claims, blocked, standing),
            _outcomes(gathered.filter(is_blocked), _SKIPPED),
        ]
    )
    record(store, name, press)
    return Result(
        outcomes=outcomes.sort_by("number"),
        refused_canonicals=pc.sum(identities["is_refused"], min_count=0).as_py(),
        partitions=press.published(ARTICLES_DATASET),
    )


def _gather(store: Store, staged: Sequence[str]) -> tuple[pa.Table, pa.Table]:
    """Return the staged articles' claims, and the staged rejections themselves, which are few and small."""
    claims = [CLAIMS.empty_table()]
    rejections = [STAGED_REJECTIONS.empty_table()]
    for batch, path in enumerate(staged):
        table = store.staging.read(path, CLAIMING)
        if holds(table) == holds(rejections[0]):
            rejections.append(store.staging.read(path))
        else:
            claims.append(claims_of(batch, table))
    return pa.concat_tables(claims).combine_chunks(), pa.concat_tables(rejections).sort_by("number")


def _texts_of(store: Store, staged: Sequence[str], claims: pa.Table) -> pa.ChunkedArray:
    return store.staging.take(staged, claims["batch"].to_numpy(), claims["row"].to_numpy(), ["text"])["text"]


def _are_blocked(blocked: Blocklist, claims: pa.Table) -> pa.BooleanArray:
    names = (claims[name].to_pylist() for name in ("claimed_id", "url", "input"))
    return pa.array([blocked.covers(*each) for each in zip(*names, strict=True)], pa.bool_())


# Articles


def _commit_articles(
    store: Store, press: Press, intent: Intent, staged: Sequence[str], identities: pa.Table
) -> pa.Table:
    first = identities.filter(identities["is_first"])
    wished = dict(zip(first["article_id"].to_pylist(), first["day"].to_pylist(), strict=True))
    days: dict[str, date] = {}
    outcomes: dict[str, str] = {}
    # Rows that are moved to another day meanwhile, or forgotten, come round again.
    while waiting := wished.keys() - outcomes.keys():
        shifts = store.ledger.shifts()
        blocked = Blocklist.of(store.files)
        outcomes |= {name: _SKIPPED for name in waiting if blocked.covers(name)}
        days |= store.ledger.place(ARTICLES_DATASET.name, {name: wished[name] for name in waiting - outcomes.keys()})
        for day, rows in _by_day(store, staged, first, {name: days[name] for name in waiting - outcomes.keys()}):
            with store.files.lock(guard(ARTICLES_DATASET, day)):
                rows = rows if store.ledger.shifts() == shifts else _still_there(store, day, rows)  # noqa: PLW2901
                words = _commit_day(press, intent, day, rows)
            outcomes |= zip(rows["article_id"].to_pylist(), words, strict=True)
    names = identities["article_id"].to_pylist()
    words = pa.array([outcomes[name] for name in names], pa.string())
    is_repeated = pc.and_not(pc.not_equal(words, _SKIPPED), identities["is_first"])
    return _outcomes(identities, pc.if_else(is_repeated, _REPEATED, words), [days.get(name) for name in names])


def _still_there(store: Store, day: date, rows: pa.Table) -> pa.Table:
    """Return the rows that still belong to a day, now that its lock is held and nothing can be moved."""
    places = store.ledger.places(ARTICLES_DATASET.name, rows["article_id"].to_pylist())
    return rows.filter(pa.array([places.get(name) == day for name in rows["article_id"].to_pylist()], pa.bool_()))


def _commit_day(press: Press, intent: Intent, day: date, rows: pa.Table) -> list[str]:
    """Publish a day of articles and what follows from it, and return an outcome for each row."""
    stored = read(press.files, ARTICLES_DATASET, day)
    merged = merge(ARTICLES_DATASET, stored.table, rows, now=intent.now, resumed=intent.resumed)
    if merged.differs:
        press.publish(ARTICLES_DATASET, day, merged.table, stored)
    else:
        press.settle(ARTICLES_DATASET, day)
    if merged.differs or intent.resumed:
        _publish_beside(press, intent, day, merged)
    outcomes: list[str] = merged.outcomes.to_pylist()
    return outcomes


def _publish_beside(press: Press, intent: Intent, day: date, articles: Merged) -> None:
    """Publish what follows from a day's articles: their fingerprints, and their nested lists laid flat."""
    stored = read(press.files, FINGERPRINTS_DATASET, day)
    merged = merge(FINGERPRINTS_DATASET, stored.table, derived.fingerprints(articles.accepted), now=intent.now)
    if merged.differs:
        press.publish(FINGERPRINTS_DATASET, day, merged.table, stored)
    else:
        press.settle(FINGERPRINTS_DATASET, day)
    for dataset, derive in derived.DERIVED:
        press.replace(dataset, day, derive(articles.table))


def _by_day(
    store: Store, staged: Sequence[str], identities: pa.Table, days: Mapping[str, date]
) -> Iterator[tuple[date, pa.Table]]:
    """Yield each day with its rows, ordered; memory holds those of a few days, up to `_ROWS_AT_A_TIME`."""
    where = pa.array([days.get(name) for name in identities["article_id"].to_pylist()], pa.date32())
    placed = identities.append_column("partition", where).filter(where.is_valid())
    placed = placed.sort_by([("partition", "ascending"), ("article_id", "ascending")])
    counted = pc.value_counts(placed["partition"])
    groups = list(_grouped(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)))
    sizes = [sum(size for _, size in group) for group in groups]
    batches, places = placed["batch"].to_numpy(), placed["row"].to_numpy()
    start = 0
    for group, rows in zip(groups, store.staging.take_in_turn(staged, batches, places, sizes), strict=True):
        rows = _identified(rows, placed.slice(start, rows.num_rows))  # noqa: PLW2901
        start += rows.num_rows
        place = 0
        for day, size in group:
            yield day, rows.slice(place, size)
            place += size


def _grouped(sizes: Iterable[tuple[date, int]]) -> Iterator[list[tuple[date, int]]]:
    group: list[tuple[date, int]] = []
    for day, size in sizes:
        if group and sum(each for _, each in group) + size > _ROWS_AT_A_TIME:
            yield group
            group = []
        group.append((day, size))
    if group:
        yield group


def _identified(rows: pa.Table, identities: pa.Table) -> pa.Table:
    """Return staged rows under the ids that hold, and without the addresses not believed."""
    held = {
        "article_id": identities["article_id"],
        "canonical_url": pc.if_else(identities["is_refused"], None, rows["canonical_url"]),
    }
    for name, values in held.items():
        place = STAGED_ARTICLES.get_field_index(name)
        rows = rows.set_column(place, STAGED_ARTICLES.field(place), values)
    return rows.combine_chunks()


# Rejections


def _commit_rejections(
    store: Store,
    press: Press,
    intent: Intent,
    rows: pa.Table,
    claims: pa.Table,
    blocked: Blocklist,
    standing: Collection[str],
) -> pa.Table:
    """Keep one row for each input that was set aside, and drop those of inputs that have now succeeded."""
    names: list[str] = keys(REJECTIONS_DATASET, rows).to_pylist()
    inputs, urls = (rows[name].to_pylist() for name in ("input", "url"))
    skipped = {name for name, *said in zip(names, inputs, urls, strict=True) if blocked.covers(*said)}
    succeeded = set(keys(REJECTIONS_DATASET, claims).to_pylist()).difference(standing)
    dropped = skipped | succeeded
    first = {name: place for place, name in reversed(list(enumerate(names))) if name not in dropped}
    kept = store.ledger.place(REJECTIONS_DATASET.name, dict.fromkeys(first, intent.now.astimezone(UTC).date()))
    gone = store.ledger.places(REJECTIONS_DATASET.name, dropped)
    for day in sorted({*kept.values(), *gone.values()}):
        arriving = rows.take(pa.array([first[name] for name, where in kept.items() if where == day], pa.int64()))
        leaving = [name for name, where in gone.items() if where == day]
        with store.files.lock(guard(REJECTIONS_DATASET, day)):
            _commit_rejected_day(press, intent, day, arriving, leaving)
    store.ledger.displace(REJECTIONS_DATASET.name, gone)
    words = pa.array([_SKIPPED if name in skipped else _REJECTED for name in names], pa.string())
    return _outcomes(rows, words, [kept.get(name) for name in names])


def _commit_rejected_day(press: Press, intent: Intent, day: date, arriving: pa.Table, leaving: Sequence[str]) -> None:
    stored = read(press.files, REJECTIONS_DATASET, day)
    merged = merge(REJECTIONS_DATASET, stored.table, arriving, now=intent.now, run=intent.run)
    table = without(REJECTIONS_DATASET, merged.table, leaving)
    if merged.differs or table.num_rows < merged.table.num_rows:
        press.publish(REJECTIONS_DATASET, day, table, stored)
    else:
        press.settle(REJECTIONS_DATASET, day)


def _outcomes(
    rows: pa.Table, words: str | pa.Array | pa.ChunkedArray, days: Sequence[date | None] | None = None
) -> pa.Table:
    """Return what became of rows, be they claims, identities or rejections."""
    empty = pa.nulls(rows.num_rows, pa.string())
    columns = {
        **{name: rows[name] for name in ("number", "source", "input")},
        "outcome": pa.repeat(words, rows.num_rows) if isinstance(words, str) else words,
        "article_id": rows["article_id"] if "article_id" in rows.column_names else empty,
        "partition": pa.nulls(rows.num_rows, pa.date32()) if days is None else pa.array(days, pa.date32()),
    }
    return pa.table([columns[name] for name in OUTCOMES.names], schema=OUTCOMES)
