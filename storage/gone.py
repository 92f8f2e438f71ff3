"""Articles whose page has gone: they stay, marked."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from storage.chore import Steps, Work
from storage.merge import same_rows
from storage.partition import guard, read
from storage.schema import ARTICLES, ARTICLES_DATASET


@dataclass(frozen=True, slots=True)
class Marked:
    """How many articles' marks changed, and the days that were published for it."""

    articles: int
    partitions: tuple[date, ...]


def findings(found: Mapping[str, datetime | None]) -> Steps:
    """Return the steps of a chore that marks these articles: gone since, or answering again."""
    return tuple((article_id, "" if moment is None else moment.isoformat()) for article_id, moment in found.items())


def mark(work: Work) -> Marked:
    """Mark articles; neither their revision nor `updated_at` changes, because their content does not."""
    found = {article_id: datetime.fromisoformat(iso) if iso else None for article_id, iso in work.chore.steps}
    by_day: dict[date, list[str]] = defaultdict(list)
    for article_id, day in work.store.ledger.places(ARTICLES_DATASET.name, found).items():
        by_day[day].append(article_id)
    changed = 0
    for day, ids in sorted(by_day.items()):
        with work.store.files.lock(guard(ARTICLES_DATASET, day)):
            stored = read(work.store.files, ARTICLES_DATASET, day)
            marked = _marked(stored.table, {article_id: found[article_id] for article_id in ids})
            before = stored.table["gone_at"].combine_chunks()
            differing = stored.table.num_rows - (pc.sum(same_rows(before, marked)).as_py() or 0)
            if differing:
                place = ARTICLES.get_field_index("gone_at")
                work.press.publish(
                    ARTICLES_DATASET, day, stored.table.set_column(place, ARTICLES.field(place), marked), stored
                )
            else:
                work.press.settle(ARTICLES_DATASET, day)
            changed += differing
    return Marked(changed, work.press.published(ARTICLES_DATASET))


def _marked(table: pa.Table, found: Mapping[str, datetime | None]) -> pa.Array:
    """Return `gone_at` as it should be: the first such finding holds, unless the page has been fetched since."""
    names = ("article_id", "gone_at", "fetched_at")
    rows = zip(*(table[name].to_pylist() for name in names), strict=True)
    return pa.array(
        [
            _mark(found[article_id], gone_at, fetched_at) if article_id in found else gone_at
            for article_id, gone_at, fetched_at in rows
        ],
        ARTICLES.field("gone_at").type,
    )


def _mark(moment: datetime | None, gone_at: datetime | None, fetched_at: datetime) -> datetime | None:
    if moment is None or moment < fetched_at:
        return None if moment is None else gone_at
    return moment if gone_at is None else min(gone_at, moment)
