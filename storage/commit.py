"""From staged batches to published partitions: who is who, what is new, and nothing lost if the process dies.

A commit first notes that it is under way and since when. Each step after that leaves a trace in the files or can be
done again with the same result, so an attempt that finds such a note goes on where the last one died.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

import pyarrow as pa

from storage import derived
from storage.blocklist import Blocklist
from storage.chore import Work, record
from storage.identity import Claim, Identity, claims_of, resolve
from storage.index import catch_up
from storage.intent import Intent, Result, begin, end, forget, keep, recall
from storage.manifest import commit_name
from storage.merge import key, keys, merge, without
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

_ROWS_AT_A_TIME: Final = 20_000
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


def commit(store: Store, staged: Sequence[str], *, run: str, now: datetime) -> Committed:
    """Publish staged batches (paths from `store.staging.write`).

    Killed anywhere, the same call finishes the work and answers what the first would have answered, and so does a call
    after it is done: the caller removes the batches (`store.staging.remove`) once it has used the answer. A run
    commits once: each partition is published once, however many batches have rows for it.
    """
    with store.files.lock(f"commit-{checked_name(run)}"):
        result = recall(store.files, run, staged)
        if result is None:
            result = _publish(store, begin(store.files, run, now), staged)
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


def _publish(store: Store, intent: Intent, staged: Sequence[str]) -> Result:
    finish(store)
    catch_up(store)
    name = commit_name(intent.now, intent.run)
    press = Press(store.files, intent.run, store.manifest.of(name), store.manifest.known() if intent.resumed else None)
    blocked = Blocklist.of(store.files)
    gathered, rejections = _gather(store, staged)
    claims = [claim for claim in gathered if not _is_blocked(blocked, claim)]
    identities = resolve(store.ledger, claims)
    outcomes = pa.concat_tables(
        [
            _commit_articles(store, press, intent, identities),
            _commit_rejections(store, press, intent, rejections, claims, blocked),
            _outcomes([_skipped(claim) for claim in gathered if _is_blocked(blocked, claim)]),
        ]
    )
    record(store, name, press)
    return Result(
        outcomes=outcomes.sort_by("number"),
        refused_canonicals=sum(identity.is_refused for identity in identities),
        partitions=press.published(ARTICLES_DATASET),
    )


def _gather(store: Store, staged: Sequence[str]) -> tuple[list[Claim], pa.Table]:
    """Return the staged articles' claims, and the staged rejections themselves, which are few and small."""
    claims: list[Claim] = []
    rejections = [STAGED_REJECTIONS.empty_table()]
    for path in staged:
        table = store.staging.read(path)
        if holds(table) == holds(rejections[0]):
            rejections.append(table)
        else:
            claims.extend(claims_of(path, table))
    return claims, pa.concat_tables(rejections).sort_by("number")


# Articles


def _commit_articles(store: Store, press: Press, intent: Intent, identities: Sequence[Identity]) -> pa.Table:
    first = {identity.article_id: identity for identity in identities if identity.is_first}
    days: dict[str, date] = {}
    outcomes: dict[str, str] = {}
    # Rows that are moved to another day meanwhile, or forgotten, come round again.
    while waiting := [each for each in first.values() if each.article_id not in outcomes]:
        shifts = store.ledger.shifts()
        blocked = Blocklist.of(store.files)
        outcomes |= {each.article_id: _SKIPPED for each in waiting if blocked.covers(each.article_id)}
        waiting = [each for each in waiting if each.article_id not in outcomes]
        days |= store.ledger.place(ARTICLES_DATASET.name, {each.article_id: each.claim.day for each in waiting})
        for day, rows in _by_day(store, waiting, days):
            with store.files.lock(guard(ARTICLES_DATASET, day)):
                rows = rows if store.ledger.shifts() == shifts else _still_there(store, day, rows)  # noqa: PLW2901
                words = _commit_day(press, intent, day, rows)
            outcomes |= zip(rows["article_id"].to_pylist(), words, strict=True)
    return _outcomes(
        [
            (
                each.claim.number,
                each.claim.source,
                each.claim.input,
                _REPEATED if not each.is_first and outcomes[each.article_id] != _SKIPPED else outcomes[each.article_id],
                each.article_id,
                days.get(each.article_id),
            )
            for each in identities
        ]
    )


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
        known = read(press.files, FINGERPRINTS_DATASET, day).table
        added = derived.fingerprints(merged.accepted)
        press.replace(FINGERPRINTS_DATASET, day, merge(FINGERPRINTS_DATASET, known, added, now=intent.now).table)
        for dataset, derive in derived.DERIVED:
            press.replace(dataset, day, derive(merged.table))
    outcomes: list[str] = merged.outcomes.to_pylist()
    return outcomes


def _by_day(store: Store, identities: Sequence[Identity], days: Mapping[str, date]) -> Iterator[tuple[date, pa.Table]]:
    """Yield each day with its rows, reading the staged files again for every `_ROWS_AT_A_TIME` rows."""
    wanted: dict[date, list[Identity]] = defaultdict(list)
    for identity in identities:
        wanted[days[identity.article_id]].append(identity)
    for some in _grouped(wanted):
        parts: dict[date, list[pa.Table]] = defaultdict(list)
        for path, rows in _by_path(some, wanted).items():
            table = store.staging.read(path)
            for day, chosen in rows.items():
                parts[day].append(_identified(table, chosen))
        for day in some:
            yield day, pa.concat_tables(parts.pop(day))


def _grouped(wanted: Mapping[date, Sequence[Identity]]) -> Iterator[list[date]]:
    group: list[date] = []
    size = 0
    for day in sorted(wanted):
        if group and size + len(wanted[day]) > _ROWS_AT_A_TIME:
            yield group
            group, size = [], 0
        group.append(day)
        size += len(wanted[day])
    if group:
        yield group


def _by_path(some: Sequence[date], wanted: Mapping[date, Sequence[Identity]]) -> dict[str, dict[date, list[Identity]]]:
    found: dict[str, dict[date, list[Identity]]] = defaultdict(lambda: defaultdict(list))
    for day in some:
        for identity in wanted[day]:
            found[identity.claim.path][day].append(identity)
    return found


def _identified(table: pa.Table, identities: Sequence[Identity]) -> pa.Table:
    """Return these rows of a staged table under the ids that hold, and without the addresses not believed."""
    rows = table.take([identity.claim.row for identity in identities])
    held = {
        "article_id": [identity.article_id for identity in identities],
        "canonical_url": [
            None if identity.is_refused else address
            for identity, address in zip(identities, rows["canonical_url"].to_pylist(), strict=True)
        ],
    }
    for name, values in held.items():
        place = STAGED_ARTICLES.get_field_index(name)
        rows = rows.set_column(place, STAGED_ARTICLES.field(place), pa.array(values, pa.string()))
    return rows


# Rejections


def _commit_rejections(
    store: Store, press: Press, intent: Intent, rows: pa.Table, claims: Sequence[Claim], blocked: Blocklist
) -> pa.Table:
    """Keep one row for each input that was set aside, and drop those of inputs that have now succeeded."""
    names: list[str] = keys(REJECTIONS_DATASET, rows).to_pylist()
    sources, inputs, numbers, urls = (rows[name].to_pylist() for name in ("source", "input", "number", "url"))
    skipped = {name for name, *said in zip(names, inputs, urls, strict=True) if blocked.covers(*said)}
    dropped = skipped | {key(claim.source, claim.input) for claim in claims}
    first = {name: place for place, name in reversed(list(enumerate(names))) if name not in dropped}
    kept = store.ledger.place(REJECTIONS_DATASET.name, dict.fromkeys(first, intent.now.astimezone(UTC).date()))
    gone = store.ledger.places(REJECTIONS_DATASET.name, dropped)
    for day in sorted({*kept.values(), *gone.values()}):
        arriving = rows.take(pa.array([first[name] for name, where in kept.items() if where == day], pa.int64()))
        leaving = [name for name, where in gone.items() if where == day]
        with store.files.lock(guard(REJECTIONS_DATASET, day)):
            _commit_rejected_day(press, intent, day, arriving, leaving)
    store.ledger.displace(REJECTIONS_DATASET.name, gone)
    return _outcomes(
        [
            (number, source, input_, _SKIPPED if name in skipped else _REJECTED, None, kept.get(name))
            for number, source, input_, name in zip(numbers, sources, inputs, names, strict=True)
        ]
    )


def _commit_rejected_day(press: Press, intent: Intent, day: date, arriving: pa.Table, leaving: Sequence[str]) -> None:
    stored = read(press.files, REJECTIONS_DATASET, day)
    merged = merge(REJECTIONS_DATASET, stored.table, arriving, now=intent.now, run=intent.run)
    table = without(REJECTIONS_DATASET, merged.table, leaving)
    if merged.differs or table.num_rows < merged.table.num_rows:
        press.publish(REJECTIONS_DATASET, day, table, stored)
    else:
        press.settle(REJECTIONS_DATASET, day)


def _is_blocked(blocked: Blocklist, claim: Claim) -> bool:
    return blocked.covers(claim.article_id, claim.url, claim.input)


def _skipped(claim: Claim) -> tuple[int, str, str, str, None, None]:
    return claim.number, claim.source, claim.input, _SKIPPED, None, None


def _outcomes(rows: Sequence[tuple[int, str, str, str, str | None, date | None]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ((),) * len(OUTCOMES)
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, OUTCOMES, strict=True)], schema=OUTCOMES
    )
