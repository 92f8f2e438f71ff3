"""Moving articles whose date was corrected into the partition of that date.

Nothing is lost at any moment: a row is written to its new partition before it leaves the old one. Between these two
replacements, a few milliseconds within each dataset, a reader that opens both files sees the row twice. A reader that
opened the new partition before the first and the old one after the second sees it in neither; only one that takes
longer than the move to get from one file to the other can. Every article is seen once by whoever reads afterwards.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from storage.chore import Steps, Work
from storage.derived import DERIVED
from storage.errors import DamagedFileError
from storage.merge import without
from storage.partition import are_sound, days, guard, read
from storage.schema import ARTICLE_STORIES_DATASET, ARTICLES_DATASET, FINGERPRINTS_DATASET, Dataset
from storage.store import Store

_MOVED: Final = (ARTICLES_DATASET, FINGERPRINTS_DATASET, ARTICLE_STORIES_DATASET)


@dataclass(frozen=True, slots=True)
class Moved:
    """How many articles moved, and the days that they left or came to."""

    articles: int
    partitions: tuple[date, ...]


def corrections(store: Store) -> Steps:
    """Return the articles that lie in the partition of another day than theirs, with the two days.

    Those of days with a damaged file stay where they are, until it is restored.
    """
    found: list[tuple[str, ...]] = []
    for day in days(store.files, ARTICLES_DATASET):
        columns = ["article_id", "published_at", "published_precision"]
        try:
            table = read(store.files, ARTICLES_DATASET, day, columns).table
        except DamagedFileError:
            continue
        right = pc.cast(table["published_at"], pa.date32())
        is_known = pc.not_equal(table["published_precision"], "fetched")
        is_wrong = pc.and_(is_known, pc.not_equal(right, pa.scalar(day)))
        misplaced = zip(
            table["article_id"].filter(is_wrong).to_pylist(), right.filter(is_wrong).to_pylist(), strict=True
        )
        found += [(article_id, day.isoformat(), target.isoformat()) for article_id, target in misplaced]
    return tuple(_between_sound_days(store, found))


def _between_sound_days(store: Store, found: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    sound: dict[str, bool] = {}
    for article_id, *touched in found:
        for day in touched:
            if day not in sound:
                sound[day] = are_sound(store.files, _MOVED, date.fromisoformat(day))
        if all(sound[day] for day in touched):
            yield article_id, *touched


def move(work: Work) -> Moved:
    """Move articles, and all that follows from them, from one day to another."""
    plan: dict[date, dict[date, list[str]]] = defaultdict(lambda: defaultdict(list))
    for article_id, here, there in work.chore.steps:
        plan[date.fromisoformat(here)][date.fromisoformat(there)].append(article_id)
    for source, targets in sorted(plan.items()):
        with _guarded(work.store, {source, *targets}):
            _move(work, source, targets)
    touched = {day for source, targets in plan.items() for day in (source, *targets)}
    return Moved(len(work.chore.steps), tuple(sorted(touched)))


def _guarded(store: Store, touched: Iterable[date]) -> ExitStack:
    """Hold the locks of several days, always in the same order, so that two never wait for each other."""
    stack = ExitStack()
    for dataset in (ARTICLES_DATASET, ARTICLE_STORIES_DATASET):
        for day in sorted(touched):
            stack.enter_context(store.files.lock(guard(dataset, day)))
    return stack


def _move(work: Work, source: date, targets: Mapping[date, Sequence[str]]) -> None:
    outdated = _outdated(work.store, source, targets)
    for dataset in _MOVED:
        _transfer(work, dataset, source, targets, outdated)
    for day in (*targets, source):
        articles = read(work.store.files, ARTICLES_DATASET, day).table
        for dataset, derive in DERIVED:
            work.press.replace(dataset, day, derive(articles))
    for target, ids in targets.items():
        work.store.ledger.shift(ARTICLES_DATASET.name, target, ids)


def _outdated(store: Store, source: date, targets: Mapping[date, Sequence[str]]) -> set[str]:
    """Return the articles whose row in the old place is older than one that is in the new place already."""
    here = _ages(store, source)
    return {
        article_id
        for target, ids in targets.items()
        for there in [_ages(store, target)]
        for article_id in ids
        if article_id in here and article_id in there and here[article_id] < there[article_id]
    }


def _ages(store: Store, day: date) -> dict[str, tuple[int, datetime]]:
    table = read(store.files, ARTICLES_DATASET, day, ["article_id", "revision", "fetched_at"]).table
    names, revisions, moments = (column.to_pylist() for column in table.columns)
    return dict(zip(names, zip(revisions, moments, strict=True), strict=True))


def _transfer(
    work: Work, dataset: Dataset, source: date, targets: Mapping[date, Sequence[str]], outdated: set[str]
) -> None:
    stored = read(work.store.files, dataset, source).table
    for target, ids in targets.items():
        coming = pa.array([each for each in ids if each not in outdated], pa.string())
        arriving = stored.filter(pc.is_in(stored["article_id"], value_set=coming))
        # A row that is there already was copied by an attempt that died before it took away the other.
        there = without(dataset, read(work.store.files, dataset, target).table, arriving["article_id"].to_pylist())
        work.press.replace(dataset, target, pa.concat_tables([there, arriving]))
    leaving = [article_id for ids in targets.values() for article_id in ids]
    work.press.replace(dataset, source, without(dataset, stored, leaving))
